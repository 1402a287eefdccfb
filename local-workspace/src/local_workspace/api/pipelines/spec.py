"""A pipeline's settings: what is accepted, what is refused, and which source files they mean."""

from pathlib import Path
from typing import Any, Protocol

from local_workspace.errors import InvalidParameterValue, NotImplementedHere

NOT_SUPPORTED = (
    "ingestion_definition",
    "gateway_definition",
    "deployment",
    "filters",
    "event_log",
    "run_as",
    "restart_window",
    "trigger",
    "storage",
    "parameters",
)
"""Settings that would change what a pipeline does, and that the workspace cannot honour."""

RECURSIVE = "/**"
SOURCE_SUFFIXES = (".py", ".sql")


class WorkspacePaths(Protocol):
    """Finds workspace files on disk."""

    def local_path(self, path: str) -> Path:
        """Where an object is; raises ResourceDoesNotExist."""
        ...


def checked(body: dict[str, Any]) -> dict[str, Any]:
    """The settings of a request, without what belongs to the request itself.

    Raises:
        InvalidParameterValue: something is missing or of the wrong kind.
        NotImplementedHere: a setting asks for something the workspace cannot do.
    """
    spec = {
        name: value
        for name, value in body.items()
        if value is not None and name not in {"allow_duplicate_names", "dry_run", "expected_last_modified"}
    }
    for name in NOT_SUPPORTED:
        if spec.get(name):
            raise NotImplementedHere(f"Pipelines with {name} are not supported by the local workspace.")
    spec.setdefault("schema", spec.pop("target", None))
    for name in ("name", "catalog", "schema"):
        if not isinstance(spec.get(name), str) or not spec[name]:
            raise InvalidParameterValue(f"A pipeline needs {name}.")
    if "." in spec["schema"]:
        raise InvalidParameterValue(f"schema is {spec['schema']!r}; give it without the catalog.")
    _check_configuration(spec.get("configuration", {}))
    for library in spec.get("libraries", []):
        _included(library)
    return spec


def source_files(spec: dict[str, Any], workspace: WorkspacePaths) -> list[Path]:
    """The source files on disk, in the order of the libraries, each folder by name.

    Raises:
        InvalidParameterValue: there are none, or a pattern is none we know.
        ResourceDoesNotExist: a path does not exist in the workspace.
    """
    files: list[Path] = []
    for library in spec.get("libraries", []):
        include = _included(library)
        if include.endswith(RECURSIVE):
            folder = workspace.local_path(include.removesuffix(RECURSIVE))
            found = sorted(path for path in folder.rglob("*") if path.is_file() and _is_source(path))
            files += [path for path in found if path not in files]
        else:
            files.append(workspace.local_path(include))
    if not files:
        raise InvalidParameterValue("The pipeline has no source files; its libraries match none.")
    return files


def _included(library: Any) -> str:
    if not isinstance(library, dict):
        raise InvalidParameterValue(f"{library!r} is no library; give a glob or a file.")
    file, glob = library.get("file"), library.get("glob")
    include = (file or {}).get("path") or (glob or {}).get("include")
    if not include:
        kinds = ", ".join(library) or "nothing"
        raise NotImplementedHere(
            f"Libraries of {kinds} are not supported by the local workspace; use glob or file."
        )
    if "*" in include.removesuffix(RECURSIVE):
        raise InvalidParameterValue(f"{include!r} is not supported: end it with /** or name one file.")
    return include


def _is_source(path: Path) -> bool:
    return (
        path.suffix in SOURCE_SUFFIXES and "__pycache__" not in path.parts and not path.name.startswith(".")
    )


def _check_configuration(configuration: Any) -> None:
    if not isinstance(configuration, dict):
        raise InvalidParameterValue("configuration is an object of strings.")
    for key, value in configuration.items():
        if not isinstance(value, str):
            raise InvalidParameterValue(f"configuration {key} is {value!r}; its values are strings.")
