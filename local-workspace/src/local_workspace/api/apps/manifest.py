"""What an app is started with: its app.yaml, what the deployment overrides, and what the platform injects."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from local_workspace.errors import InvalidParameterValue

MANIFEST_NAMES = ("app.yaml", "app.yml")
PORT_VARIABLE = "DATABRICKS_APP_PORT"


class Variable(BaseModel):
    """An environment variable: a value, or the key of an attached resource that has it."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    name: str
    value: str | None = None
    value_from: str | None = Field(default=None, alias="valueFrom")

    @model_validator(mode="after")
    def _has_one_source(self) -> "Variable":
        if (self.value is None) == (self.value_from is None):
            raise ValueError(f"{self.name} needs either a value or valueFrom")
        return self


class Manifest(BaseModel):
    """The content of an app.yaml."""

    model_config = ConfigDict(extra="forbid")

    command: list[str] = []
    env: list[Variable] = []


@dataclass(frozen=True)
class Launch:
    """Everything needed to start an app's process."""

    command: list[str]
    environment: dict[str, str]
    port: int


def read_manifest(folder: Path) -> Manifest:
    """The manifest at the root of a source folder; without one, the first Python file is run.

    Raises:
        InvalidParameterValue: it is not valid, or there is nothing to run.
    """
    for name in MANIFEST_NAMES:
        if (folder / name).is_file():
            manifest = _parse((folder / name).read_text(), name)
            return (
                manifest
                if manifest.command
                else manifest.model_copy(update={"command": _default_command(folder)})
            )
    return Manifest(command=_default_command(folder))


def overridden(manifest: Manifest, command: list[str], variables: list[dict[str, Any]]) -> Manifest:
    """The manifest with a deployment's own command and variables, which win over the file's.

    Raises:
        InvalidParameterValue: a variable has no value, or two.
    """
    try:
        further = [Variable.model_validate(variable) for variable in variables]
    except ValidationError as error:
        raise InvalidParameterValue(f"env_vars: {_faults(error)}") from error
    merged = {variable.name: variable for variable in [*manifest.env, *further]}
    return Manifest(command=command or manifest.command, env=list(merged.values()))


def launch(
    manifest: Manifest, injected: Mapping[str, str], value_of: Callable[[str], str], port: int
) -> Launch:
    """Command and environment of the process.

    Args:
        manifest: what the app asks for.
        injected: what the platform sets; the app's own variables win over it.
        value_of: the value of an attached resource, by its key.
        port: what the app is to listen on.
    """
    own = {
        it.name: it.value if it.value is not None else value_of(it.value_from or "") for it in manifest.env
    }
    environment = dict(injected) | own | {PORT_VARIABLE: str(port), "PYTHONUNBUFFERED": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment.get('PATH', '')}"
    return Launch([_with_port(word, port) for word in manifest.command], environment, port)


def _parse(text: str, name: str) -> Manifest:
    try:
        return Manifest.model_validate(yaml.safe_load(text) or {})
    except yaml.YAMLError as error:
        raise InvalidParameterValue(f"{name} is not valid YAML: {error}") from error
    except ValidationError as error:
        raise InvalidParameterValue(f"{name}: {_faults(error)}") from error


def _default_command(folder: Path) -> list[str]:
    first = min(folder.glob("*.py"), default=None)
    if first is None:
        raise InvalidParameterValue("There is nothing to run: give the app an app.yaml with a command.")
    return ["python", first.name]


def _with_port(word: str, port: int) -> str:
    return word.replace(f"${{{PORT_VARIABLE}}}", str(port)).replace(f"${PORT_VARIABLE}", str(port))


def _faults(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, it['loc']))}: {it['msg']}" for it in error.errors())
