"""Files of volumes as tables: parquet.`/Volumes/…` and read_files('/Volumes/…')."""

from pathlib import Path

from local_workspace.api.sql.failures import SqlFailure, unsupported
from local_workspace.api.sql.syntax.lexer import quoted_name, rows_of
from local_workspace.api.unity_catalog.rules import UnityCatalog
from local_workspace.engines import disk
from local_workspace.identity import Principal

FORMATS = {
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".parquet": "parquet",
    ".csv": "csv",
    ".txt": "text",
}
READABLE = {"json", "parquet", "csv", "text"}


class LocalFiles:
    """Resolves paths of volumes to directories on this machine; no other path can be read."""

    def __init__(self, catalog: UnityCatalog) -> None:
        self._catalog = catalog

    def source(self, path: str, file_format: str, caller: Principal, *, checked: bool = True) -> str:
        """What the engine reads for a path of a volume.

        Raises:
            SqlFailure: the path is not in a volume, there is nothing, or the format cannot be read.
            PermissionDenied: the caller may not read the volume.
        """
        if file_format.lower() not in READABLE:
            raise unsupported(f"reading files as {file_format}; it reads {', '.join(sorted(READABLE))}")
        local = self._local(path, caller, checked=checked)
        return f"{file_format.lower()}.{quoted_name(str(local))}"

    def read_files(self, options: dict[str, str], caller: Principal, *, checked: bool = True) -> str:
        """A subquery for read_files with these options (`path` among them)."""
        unknown = options.keys() - {"path", "format"}
        if unknown:
            raise unsupported(f"read_files with {', '.join(sorted(unknown))}")
        path = options.get("path", "")
        file_format = options.get("format") or _format_of(self._local(path, caller, checked=checked))
        return f"({rows_of(self.source(path, file_format, caller, checked=checked))})"

    def _local(self, path: str, caller: Principal, *, checked: bool) -> Path:
        parts = path.removeprefix("dbfs:").strip("/").split("/")
        if parts[0] != "Volumes" or len(parts) < 4:
            raise SqlFailure(
                "INVALID_PARAMETER_VALUE",
                f"{path!r} is not a path of a volume: /Volumes/catalog/schema/volume/…",
            )
        volume = self._catalog.volume(".".join(parts[1:4]))
        if checked:
            self._catalog.require(caller, "READ_VOLUME", "volume", volume.full_name)
        try:
            local = disk.inside(volume.directory, "/".join(parts[4:]))
        except disk.OutsideRoot as error:
            raise SqlFailure("INVALID_PARAMETER_VALUE", str(error)) from error
        if not local.exists():
            raise SqlFailure("INVALID_PARAMETER_VALUE", f"There is no file or directory at {path}.")
        return local


def _format_of(path: Path) -> str:
    """The format that the names of the files tell."""
    names = (
        [path.name]
        if path.is_file()
        else [entry.name for entry in disk.entries(path) if not entry.is_directory]
    )
    found = {FORMATS[suffix] for name in names if (suffix := Path(name).suffix) in FORMATS}
    if len(found) != 1:
        raise SqlFailure(
            "INVALID_PARAMETER_VALUE",
            "read_files cannot tell the format from the file names; give format => '…'.",
        )
    return found.pop()
