"""The sources of the apps and the pipeline that this control plane deploys, and how each is put together.

An app's folder holds its `app.yaml`, its `requirements.txt`, its package and a copy of the shared library
`caspers`, so it needs nothing else. The same code builds from a checkout (the command line) and from the
`sources/` folder inside the deployed admin app, which holds the parts under the same names as the checkout.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from caspers.errors import NotFound

IGNORED_FOLDERS = {"__pycache__"}
DIGEST_LENGTH = 16


@dataclass(frozen=True)
class Part:
    """A folder (or one file) of the checkout and where it lands."""

    origin: str
    target: str


SHARED = Part("shared/src/caspers", "caspers")
SERVICES = ("replayer", "refund-manager", "complaint-console")


def _app(service: str) -> tuple[Part, ...]:
    """A folder of `services/`, its package named as it is, and the shared library."""
    folder, package = f"services/{service}", service.replace("-", "_")
    return (
        Part(f"{folder}/app.yaml", "app.yaml"),
        Part(f"{folder}/requirements.txt", "requirements.txt"),
        Part(f"{folder}/src/{package}", package),
        SHARED,
    )


BUNDLES: Mapping[str, tuple[Part, ...]] = {
    **{service: _app(service) for service in SERVICES},
    "order_items": (Part("pipelines/order_items", ""),),
}
"""What the admin deploys."""

ADMIN = "admin"
SOURCES_FOLDER = "sources"


class Sources:
    """The bundles below one root, a checkout or an admin app's `sources/`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def files(self, bundle: str) -> dict[str, Path]:
        """Every file of a bundle by its path there. Raises `NotFound` for a part that is missing."""
        return {target: origin for part in self._parts(bundle) for target, origin in self._part_files(part)}

    def digest(self, bundle: str) -> str:
        """The same for the same content, whatever the machine."""
        digest = hashlib.sha256()
        for target, origin in sorted(self.files(bundle).items()):
            digest.update(f"{target}\0{origin.stat().st_size}\0".encode())
            digest.update(origin.read_bytes())
        return digest.hexdigest()[:DIGEST_LENGTH]

    def _parts(self, bundle: str) -> tuple[Part, ...]:
        if bundle != ADMIN:
            return BUNDLES[bundle]
        # Folders that two bundles share travel once.
        carried = {part.origin for parts in BUNDLES.values() for part in parts}
        return _app(ADMIN) + tuple(Part(origin, f"{SOURCES_FOLDER}/{origin}") for origin in sorted(carried))

    def _part_files(self, part: Part) -> Iterator[tuple[str, Path]]:
        origin = self._root / part.origin
        if origin.is_file():
            yield part.target, origin
            return
        if not origin.is_dir():
            raise NotFound(f"the source {origin} is missing", what_now="Deploy from a complete checkout.")
        for path in sorted(origin.rglob("*")):
            inner = path.relative_to(origin)
            if path.is_file() and not IGNORED_FOLDERS & set(inner.parts):
                yield "/".join(filter(None, (part.target, inner.as_posix()))), path
