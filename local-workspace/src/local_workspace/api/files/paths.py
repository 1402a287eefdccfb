"""Paths of the Files API: /Volumes/catalog/schema/volume and what follows."""

from dataclasses import dataclass

from local_workspace.errors import InvalidParameterValue


@dataclass(frozen=True)
class VolumePath:
    """A path in a volume; `relative` is empty for the volume itself."""

    volume: str
    relative: str

    def __str__(self) -> str:
        return "/".join(["/Volumes", *self.volume.split("."), *filter(None, self.relative.split("/"))])


def volume_path(path: str) -> VolumePath:
    """The parts of `/Volumes/c/s/v/…`; slashes too many do not matter.

    Raises:
        InvalidParameterValue: it does not lead into a volume.
    """
    parts = [part for part in path.split("/") if part]
    if len(parts) < 4 or parts[0] != "Volumes" or any("." in part for part in parts[1:4]):
        raise InvalidParameterValue(f"{path!r} is not a path in a volume: /Volumes/catalog/schema/volume/…")
    return VolumePath(".".join(parts[1:4]).lower(), "/".join(parts[4:]))
