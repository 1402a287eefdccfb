"""Files of volumes through the SDK, and over plain HTTP where the SDK would tidy a path."""

import http.client
import io
import os
import threading
from pathlib import Path

import pytest
from databricks.sdk.errors import AlreadyExists, BadRequest, InvalidParameterValue, NotFound, PermissionDenied
from databricks.sdk.service.catalog import PermissionsChange, Privilege, VolumeType

from tests.support.waiting import wait_for
from tests.support.workspace import LocalWorkspace

BEYOND_ONE_PART = 60 * 1024 * 1024


@pytest.fixture
def volume(workspace: LocalWorkspace, catalog: str) -> str:
    """The path of a new volume."""
    workspace.client.volumes.create(catalog, "default", "files", VolumeType.MANAGED)
    return f"/Volumes/{catalog}/default/files"


@pytest.mark.parametrize(
    "name", ["a.json", "deep/er/a.json", "with space & ünïcode %2e%2e #?.txt", ".hidden"]
)
def test_a_file_comes_back_as_it_was_written(workspace: LocalWorkspace, volume: str, name: str):
    files = workspace.client.files
    files.upload(f"{volume}/{name}", io.BytesIO(b"hello"))
    assert _read(workspace, f"{volume}/{name}") == b"hello"
    assert files.get_metadata(f"{volume}/{name}").content_length == 5
    files.delete(f"{volume}/{name}")
    with pytest.raises(NotFound):
        files.get_metadata(f"{volume}/{name}")


def test_an_empty_file_is_a_file(workspace: LocalWorkspace, volume: str):
    workspace.client.files.upload(f"{volume}/empty", io.BytesIO(b""))
    assert _read(workspace, f"{volume}/empty") == b""


def test_overwriting_is_the_default_and_can_be_refused(workspace: LocalWorkspace, volume: str):
    files = workspace.client.files
    files.upload(f"{volume}/a", io.BytesIO(b"1"))
    files.upload(f"{volume}/a", io.BytesIO(b"2"))
    with pytest.raises(AlreadyExists):
        files.upload(f"{volume}/a", io.BytesIO(b"3"), overwrite=False)
    assert _read(workspace, f"{volume}/a") == b"2"


def test_a_large_file_goes_and_comes_in_parts(workspace: LocalWorkspace, volume: str, tmp_path: Path):
    content = os.urandom(BEYOND_ONE_PART)
    files = workspace.client.files
    files.upload(f"{volume}/large", io.BytesIO(content))
    files.download_to(f"{volume}/large", str(tmp_path / "large"), use_parallel=True)
    assert (tmp_path / "large").read_bytes() == content
    assert _read(workspace, f"{volume}/large") == content
    with pytest.raises(AlreadyExists):
        files.upload(f"{volume}/large", io.BytesIO(content), overwrite=False)
    assert not list((workspace.home / "catalogs" / ".incoming").iterdir())


def test_a_large_stream_that_cannot_seek_goes_in_parts(workspace: LocalWorkspace, volume: str):
    class Stream(io.BytesIO):
        def seekable(self) -> bool:
            return False

    content = os.urandom(BEYOND_ONE_PART)
    workspace.client.files.upload(f"{volume}/stream", Stream(content), use_parallel=False)
    assert _read(workspace, f"{volume}/stream") == content


def test_ranges_are_answered_with_the_bytes_asked_for(workspace: LocalWorkspace, volume: str):
    workspace.client.files.upload(f"{volume}/a", io.BytesIO(b"0123456789"))
    for asked, status, content in [
        ("bytes=2-4", 206, b"234"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=8-100", 206, b"89"),
        ("bytes=10-", 416, b""),
        ("lines=1-2", 200, b"0123456789"),
    ]:
        assert _http(workspace, "GET", f"{volume}/a", headers={"Range": asked}) == (status, content)


def test_a_directory_is_listed_in_pages(workspace: LocalWorkspace, volume: str):
    files = workspace.client.files
    for number in range(7):
        files.upload(f"{volume}/d/{number}.json", io.BytesIO(b"12"))
    files.create_directory(f"{volume}/d/sub")
    found = list(files.list_directory_contents(f"{volume}/d", page_size=3))
    assert [item.name for item in found] == [*(f"{number}.json" for number in range(7)), "sub"]
    assert (found[0].path, found[0].file_size, found[0].is_directory) == (f"{volume}/d/0.json", 2, False)
    assert found[-1].is_directory
    with pytest.raises(NotFound):
        list(files.list_directory_contents(f"{volume}/nowhere"))


def test_directories_are_made_twice_and_deleted_empty(workspace: LocalWorkspace, volume: str):
    files = workspace.client.files
    files.create_directory(f"{volume}/a/b")
    files.create_directory(f"{volume}/a/b")
    files.get_directory_metadata(f"{volume}/a/b")
    with pytest.raises(BadRequest, match="not empty"):
        files.delete_directory(f"{volume}/a")
    files.delete_directory(f"{volume}/a/b")
    files.delete_directory(f"{volume}/a")
    with pytest.raises(NotFound):
        files.get_directory_metadata(f"{volume}/a")
    with pytest.raises(BadRequest):
        files.delete_directory(volume)


def test_files_and_directories_do_not_take_each_others_place(workspace: LocalWorkspace, volume: str):
    files = workspace.client.files
    files.upload(f"{volume}/file", io.BytesIO(b"1"))
    files.create_directory(f"{volume}/directory")
    for wrong in (
        lambda: files.upload(f"{volume}/directory", io.BytesIO(b"1")),
        lambda: files.upload(f"{volume}/file/below", io.BytesIO(b"1")),
        lambda: files.create_directory(f"{volume}/file"),
        lambda: files.delete(f"{volume}/directory"),
        lambda: files.download(f"{volume}/directory"),
    ):
        with pytest.raises(BadRequest):
            wrong()


@pytest.mark.parametrize(
    "path",
    [
        "/../x",
        "/a/../../x",
        "/%2e%2e/x",
        "/%2e%2e%2f%2e%2e%2fx",
        "/a%00b",
        "/./x",
        "/.incoming/x",
        "/" + "x" * 300,
    ],
)
def test_no_path_leads_out_of_its_volume(workspace: LocalWorkspace, volume: str, path: str):
    for method in ("PUT", "GET", "DELETE"):
        status, _answer = _http(workspace, method, f"{volume}{path}", body=b"1")
        assert status == 400


def test_paths_outside_volumes_are_refused(workspace: LocalWorkspace, volume: str):
    for path in ("/etc/passwd", "/Volumes/a/b", "/Volumes/../b/c/d"):
        with pytest.raises(InvalidParameterValue):
            workspace.client.files.upload(path, io.BytesIO(b"1"))
    with pytest.raises(NotFound):
        workspace.client.files.upload(f"{volume}_other/a", io.BytesIO(b"1"))


def test_a_symbolic_link_is_neither_followed_nor_listed(workspace: LocalWorkspace, catalog: str, volume: str):
    directory = workspace.home / "catalogs" / catalog / "default" / "volumes" / "files"
    (directory / "out").symlink_to("/etc")
    assert list(workspace.client.files.list_directory_contents(volume)) == []
    with pytest.raises(InvalidParameterValue):
        workspace.client.files.download(f"{volume}/out/hostname")
    (directory / "out").unlink()


def test_reading_and_writing_need_their_privileges(workspace: LocalWorkspace, catalog: str, volume: str):
    principal = workspace.service_principal()
    files = principal.client.files
    workspace.client.files.upload(f"{volume}/a", io.BytesIO(b"1"))
    _grant(workspace, catalog, principal.client_id, Privilege.USE_CATALOG, Privilege.USE_SCHEMA)
    with pytest.raises(PermissionDenied, match="READ VOLUME"):
        files.download(f"{volume}/a")
    _grant(workspace, catalog, principal.client_id, Privilege.READ_VOLUME)
    assert files.download(f"{volume}/a").contents.read() == b"1"
    with pytest.raises(PermissionDenied, match="WRITE VOLUME"):
        files.upload(f"{volume}/b", io.BytesIO(b"1"))
    _grant(workspace, catalog, principal.client_id, Privilege.WRITE_VOLUME)
    files.upload(f"{volume}/b", io.BytesIO(b"1"))


def test_an_upload_that_breaks_off_leaves_nothing(workspace: LocalWorkspace, volume: str):
    connection = _connection(workspace)
    connection.putrequest("PUT", f"/api/2.0/fs/files{volume}/half")
    connection.putheader("Authorization", f"Bearer {workspace.token}")
    connection.putheader("Content-Length", "10000000")
    connection.endheaders(b"x" * 5_000_000)
    incoming = workspace.home / "catalogs" / ".incoming"
    wait_for(lambda: list(incoming.iterdir()), what="the upload has begun")
    assert list(workspace.client.files.list_directory_contents(volume)) == []
    connection.close()
    wait_for(lambda: not list(incoming.iterdir()), what="the broken upload is cleaned away")
    assert list(workspace.client.files.list_directory_contents(volume)) == []


def test_readers_see_whole_files_while_others_overwrite_them(workspace: LocalWorkspace, volume: str):
    files, writing = workspace.client.files, threading.Event()
    contents = [bytes([letter]) * 2_000_000 for letter in b"ab"]
    files.upload(f"{volume}/a", io.BytesIO(contents[0]))

    def overwrite() -> None:
        for number in range(20):
            files.upload(f"{volume}/a", io.BytesIO(contents[number % 2]))
        writing.set()

    writer = threading.Thread(target=overwrite)
    writer.start()
    seen = [_read(workspace, f"{volume}/a")]
    while not writing.is_set():
        seen.append(_read(workspace, f"{volume}/a"))
    writer.join()
    assert all(content in contents for content in seen)


def test_of_two_writers_who_do_not_overwrite_one_wins(workspace: LocalWorkspace, volume: str):
    outcomes: list[int] = []

    def write() -> None:
        status, _answer = _http(workspace, "PUT", f"{volume}/once?overwrite=false", body=b"x" * 3_000_000)
        outcomes.append(status)

    writers = [threading.Thread(target=write) for _ in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(outcomes) == [204, *[409] * 5]


def test_a_killed_workspace_keeps_whole_files_only(tmp_path: Path):
    crashing = LocalWorkspace(tmp_path / "home").start()
    crashing.client.catalogs.create("c")
    crashing.client.volumes.create("c", "default", "v", VolumeType.MANAGED)
    crashing.client.files.upload("/Volumes/c/default/v/whole", io.BytesIO(b"1"))
    connection = _connection(crashing)
    connection.putrequest("PUT", "/api/2.0/fs/files/Volumes/c/default/v/half")
    connection.putheader("Authorization", f"Bearer {crashing.token}")
    connection.putheader("Content-Length", "10000000")
    connection.endheaders(b"x" * 5_000_000)
    incoming = crashing.home / "catalogs" / ".incoming"
    wait_for(lambda: list(incoming.iterdir()), what="the upload has begun")
    crashing.kill()
    try:
        found = crashing.start().client.files.list_directory_contents("/Volumes/c/default/v")
        assert [item.name for item in found] == ["whole"]
        assert not list(incoming.iterdir())
    finally:
        crashing.stop()


def _read(workspace: LocalWorkspace, path: str) -> bytes:
    contents = workspace.client.files.download(path).contents
    assert contents is not None
    return contents.read()


def _connection(workspace: LocalWorkspace) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(workspace.url.removeprefix("http://"))


def _http(
    workspace: LocalWorkspace,
    method: str,
    path: str,
    *,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    connection = _connection(workspace)
    login = {"Authorization": f"Bearer {workspace.token}"}
    connection.request(method, f"/api/2.0/fs/files{path}", body, login | (headers or {}))
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content


def _grant(workspace: LocalWorkspace, catalog: str, principal: str, *privileges: Privilege) -> None:
    change = PermissionsChange(principal=principal, add=list(privileges))
    workspace.client.grants.update("catalog", catalog, changes=[change])
