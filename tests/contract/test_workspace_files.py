"""Workspace files through the SDK: folders, files and notebooks."""

import base64
import secrets

import pytest
from databricks.sdk import errors
from databricks.sdk.errors import BadRequest, NotFound, PermissionDenied, ResourceAlreadyExists
from databricks.sdk.service.workspace import ExportFormat, ImportFormat, Language, ObjectType

from tests.support.workspace import LocalWorkspace

NOTEBOOK = b"# Databricks notebook source\nprint(1)\n"


@pytest.fixture
def folder(workspace: LocalWorkspace) -> str:
    """A new folder in /Shared."""
    path = f"/Workspace/Shared/{secrets.token_hex(4)}"
    workspace.client.workspace.mkdirs(path)
    return path


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff binary", b"x" * 3_000_000], ids=["empty", "binary", "large"]
)
def test_a_raw_upload_is_a_file_with_the_same_bytes(workspace: LocalWorkspace, folder: str, content: bytes):
    files = workspace.client.workspace
    files.upload(f"{folder}/app.py", content, format=ImportFormat.RAW)
    status = files.get_status(f"{folder}/app.py")
    assert (status.object_type, status.size) == (ObjectType.FILE, len(content))
    assert status.path == f"{folder.removeprefix('/Workspace')}/app.py"
    assert files.download(f"{folder}/app.py").read() == content


def test_content_comes_as_base64_too(workspace: LocalWorkspace, folder: str):
    files = workspace.client.workspace
    files.import_(f"{folder}/a.txt", content=base64.b64encode(b"hello").decode(), format=ImportFormat.RAW)
    exported = files.export(f"{folder}/a.txt", format=ExportFormat.AUTO)
    assert base64.b64decode(str(exported.content)) == b"hello"


def test_source_and_marked_files_become_notebooks_without_extension(workspace: LocalWorkspace, folder: str):
    files = workspace.client.workspace
    files.upload(f"{folder}/one.py", b"print(1)\n")
    files.upload(f"{folder}/two.py", NOTEBOOK, format=ImportFormat.AUTO)
    files.upload(f"{folder}/three.py", b"print(3)\n", format=ImportFormat.AUTO)
    found = {str(item.path).rpartition("/")[2]: item for item in files.list(folder)}
    assert {name: item.object_type for name, item in found.items()} == {
        "one": ObjectType.NOTEBOOK,
        "two": ObjectType.NOTEBOOK,
        "three.py": ObjectType.FILE,
    }
    assert found["one"].language == Language.PYTHON
    assert files.download(f"{folder}/one").read() == NOTEBOOK


def test_a_file_is_overwritten_only_when_asked(workspace: LocalWorkspace, folder: str):
    files = workspace.client.workspace
    files.upload(f"{folder}/a", b"1", format=ImportFormat.RAW)
    before = files.get_status(f"{folder}/a").object_id
    with pytest.raises(ResourceAlreadyExists):
        files.upload(f"{folder}/a", b"2", format=ImportFormat.RAW)
    files.upload(f"{folder}/a", b"2", format=ImportFormat.RAW, overwrite=True)
    assert files.download(f"{folder}/a").read() == b"2"
    assert files.get_status(f"{folder}/a").object_id == before


def test_the_parent_folder_must_exist(workspace: LocalWorkspace, folder: str):
    with pytest.raises(NotFound, match="parent folder"):
        workspace.client.workspace.upload(f"{folder}/missing/a", b"1", format=ImportFormat.RAW)


def test_folders_that_are_not_empty_need_a_recursive_delete(workspace: LocalWorkspace, folder: str):
    files = workspace.client.workspace
    files.mkdirs(f"{folder}/deep/er")
    files.upload(f"{folder}/deep/a", b"1", format=ImportFormat.RAW)
    assert [str(item.path) for item in files.list(folder, recursive=True)] == [
        f"{folder.removeprefix('/Workspace')}/deep/a"
    ]
    with pytest.raises(BadRequest):
        files.delete(f"{folder}/deep")
    files.delete(folder, recursive=True)
    with pytest.raises(NotFound):
        files.get_status(folder)


def test_a_folder_does_not_take_the_place_of_a_file(workspace: LocalWorkspace, folder: str):
    files = workspace.client.workspace
    files.upload(f"{folder}/a", b"1", format=ImportFormat.RAW)
    with pytest.raises(ResourceAlreadyExists):
        files.mkdirs(f"{folder}/a")
    with pytest.raises(ResourceAlreadyExists):
        files.mkdirs(f"{folder}/a/b")
    with pytest.raises(ResourceAlreadyExists):
        files.upload(folder, b"1", format=ImportFormat.RAW, overwrite=True)


@pytest.mark.parametrize("path", ["../x", "a/../../x", "..", "a\0b", ".incoming/x", "x" * 300])
def test_no_path_leads_out_of_the_workspace_files(workspace: LocalWorkspace, folder: str, path: str):
    with pytest.raises(errors.InvalidParameterValue):
        workspace.client.workspace.mkdirs(f"{folder}/{path}")


def test_a_service_principal_has_shared_and_its_own_home_only(workspace: LocalWorkspace, folder: str):
    principal = workspace.service_principal()
    files = principal.client.workspace
    files.upload(f"{folder}/a", b"1", format=ImportFormat.RAW)
    files.mkdirs(f"/Users/{principal.client_id}/mine")
    assert [item.path for item in files.list("/Users")] == [f"/Users/{principal.client_id}"]
    me = workspace.client.current_user.me().user_name
    with pytest.raises(PermissionDenied):
        list(files.list(f"/Users/{me}"))
    with pytest.raises(PermissionDenied):
        files.mkdirs(f"/Users/{me}/x")


def test_what_is_not_supported_is_refused(workspace: LocalWorkspace, folder: str):
    files = workspace.client.workspace
    with pytest.raises(errors.NotImplemented):
        files.import_(f"{folder}/a", content="", format=ImportFormat.DBC)
    with pytest.raises(errors.NotImplemented):
        files.export(folder)
    with pytest.raises(BadRequest):
        files.delete("/Shared", recursive=True)
