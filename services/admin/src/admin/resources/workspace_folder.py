"""A folder of source files in the workspace: an app's or a pipeline's."""

from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from databricks.sdk.service.workspace import ImportFormat

from admin.resources.kind import Declared, Found
from admin.sources import Sources

PARALLEL_UPLOADS = 8
DIGEST_FILE = ".digest"
"""Our mark on the folder: written first, saying what is being uploaded, and at the end with the digest of all files."""

UPLOADING = "uploading "

SOMEBODY_ELSE = "somebody else"
"""The platform does not say who made a folder; one that holds files without our mark is not of our making."""


class WorkspaceFolder:
    """Named by its path. Specification: `source` (which of our sources), `digest` (of its content). Offers `path`."""

    patience_s = 60.0
    parents = ()

    def __init__(self, workspace: WorkspaceClient, sources: Sources) -> None:
        self._workspace = workspace.workspace
        self._sources = sources

    def read(self, wanted: Declared) -> Found | None:
        try:
            folder = self._workspace.get_status(wanted.name)
            digest = self._uploaded_digest(wanted.name)
            marked = digest is not None or not any(True for _ in self._workspace.list(wanted.name))
        except NotFound:
            return None
        return Found(
            str(folder.object_id or wanted.name),
            outputs={"path": wanted.name},
            settings={"digest": digest or ""},
            maker="" if marked else SOMEBODY_ELSE,
        )

    def _uploaded_digest(self, folder: str) -> str | None:
        try:
            with self._workspace.download(f"{folder}/{DIGEST_FILE}") as file:
                return file.read().decode()
        except NotFound:
            return None

    def create(self, wanted: Declared) -> str:
        self._begin(wanted)
        self._upload(wanted)
        return wanted.name

    def update(self, wanted: Declared) -> None:
        """An upload that was cut off is gone on with; one that is complete is left as it is."""
        before = self._uploaded_digest(wanted.name)
        if before == wanted.spec["digest"]:
            return
        if before != UPLOADING + wanted.spec["digest"]:
            if before is not None:
                # What the new version no longer has must not stay behind, or an app would still import it.
                self.delete(wanted)
            self._begin(wanted)
        self._upload(wanted)

    def delete(self, wanted: Declared) -> None:
        self._workspace.delete(wanted.name, recursive=True)

    def _begin(self, wanted: Declared) -> None:
        self._workspace.mkdirs(wanted.name)
        self._put(f"{wanted.name}/{DIGEST_FILE}", (UPLOADING + wanted.spec["digest"]).encode())

    def _upload(self, wanted: Declared) -> None:
        files = self._sources.files(wanted.spec["source"])
        missing = sorted(files.keys() - self._uploaded(wanted.name))
        for folder in sorted(
            {str(PurePosixPath(wanted.name, path).parent) for path in missing} - {wanted.name}
        ):
            self._workspace.mkdirs(folder)

        def put(path: str) -> None:
            self._put(f"{wanted.name}/{path}", files[path].read_bytes())

        with ThreadPoolExecutor(PARALLEL_UPLOADS, thread_name_prefix="upload") as pool:
            list(pool.map(put, missing))
        self._put(f"{wanted.name}/{DIGEST_FILE}", wanted.spec["digest"].encode())

    def _uploaded(self, folder: str) -> set[str]:
        """The files that are there, by their paths in the folder; the platform has its own way to write the whole path."""
        root = self._workspace.get_status(folder).path or folder
        return {
            (item.path or "").removeprefix(f"{root}/")
            for item in self._workspace.list(folder, recursive=True)
        }

    def _put(self, path: str, content: bytes) -> None:
        # RAW keeps a Python file a file; any other format may turn it into a notebook. `import_` rather than `upload`,
        # whose form the SDK never sends a second time, not even after a 429.
        self._workspace.import_(
            path, content=b64encode(content).decode(), format=ImportFormat.RAW, overwrite=True
        )
