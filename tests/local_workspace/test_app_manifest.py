"""What an app is started with: the manifest's rules, without a process."""

from pathlib import Path

import pytest
from local_workspace.api.apps.manifest import Manifest, launch, overridden, read_manifest
from local_workspace.errors import InvalidParameterValue


def manifest(folder: Path, text: str) -> Manifest:
    (folder / "app.yaml").write_text(text)
    return read_manifest(folder)


def no_resources(key: str) -> str:
    raise AssertionError(f"nobody should ask for {key}")


def test_port_is_put_into_the_command_and_nothing_else_is(tmp_path: Path):
    read = manifest(
        tmp_path, "command: [serve, --port, $DATABRICKS_APP_PORT, '${DATABRICKS_APP_PORT}', $HOME]"
    )
    assert launch(read, {}, no_resources, 7000).command == ["serve", "--port", "7000", "7000", "$HOME"]


def test_own_variables_win_over_the_injected_ones_but_not_the_port(tmp_path: Path):
    read = manifest(
        tmp_path, "command: [a]\nenv: [{name: X, value: own}, {name: DATABRICKS_APP_PORT, value: '1'}]"
    )
    environment = launch(read, {"X": "injected", "Y": "kept"}, no_resources, 7000).environment
    assert (environment["X"], environment["Y"], environment["DATABRICKS_APP_PORT"]) == ("own", "kept", "7000")


def test_value_from_is_looked_up_by_the_resources_key(tmp_path: Path):
    read = manifest(tmp_path, "command: [a]\nenv: [{name: WAREHOUSE, valueFrom: sql}]")
    assert launch(read, {}, {"sql": "w1"}.__getitem__, 7000).environment["WAREHOUSE"] == "w1"


def test_without_a_manifest_the_first_python_file_runs(tmp_path: Path):
    for name in ("b.py", "a.py"):
        (tmp_path / name).touch()
    assert read_manifest(tmp_path).command == ["python", "a.py"]


def test_deployment_overrides_command_and_single_variables(tmp_path: Path):
    read = manifest(tmp_path, "command: [a]\nenv: [{name: X, value: '1'}, {name: Y, value: '2'}]")
    merged = overridden(read, ["b"], [{"name": "X", "value": "9"}])
    assert merged.command == ["b"]
    assert {it.name: it.value for it in merged.env} == {"X": "9", "Y": "2"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("command: python main.py", "command"),
        ("command: [a]\nenv: [{name: X}]", "value or valueFrom"),
        ("command: [a]\nenv: [{name: X, value: '1', valueFrom: y}]", "value or valueFrom"),
        ("command: [a]\nenv: [{name: X, value: 1}]", "value"),
        ("comand: [a]", "comand"),
        ("command: [", "not valid YAML"),
        ("env: []", "nothing to run"),
    ],
)
def test_manifest_with_a_fault_says_which(tmp_path: Path, text: str, fault: str):
    with pytest.raises(InvalidParameterValue, match=fault):
        manifest(tmp_path, text)
