"""The logs of apps: read as they grow, bounded on disk, in memory and by the line."""

from pathlib import Path

from local_workspace.api.apps.logs import KEPT_LINES, LONGEST_LINE_BYTES, AppLogs
from local_workspace.clock import SystemClock


def _logs(path: Path, largest_bytes: int = 1_000_000) -> AppLogs:
    logs = AppLogs(SystemClock(), lambda _app: path, largest_bytes)
    logs.follow("app")
    return logs


def _print(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def _texts(logs: AppLogs, *, after: int = 0, search: str = "") -> list[str]:
    logs.look()
    return [line.message for line in logs.lines("app", after=after, search=search)]


def test_lines_are_read_as_they_are_finished(tmp_path: Path):
    path = tmp_path / "app.log"
    logs = _logs(path)
    _print(path, "one\ntw")
    assert _texts(logs) == ["one"]
    _print(path, "o\n")
    assert _texts(logs) == ["one", "two"]
    assert _texts(logs, after=1) == ["two"]
    assert _texts(logs, search="TWO") == ["two"]


def test_lines_from_before_are_there_with_the_time_of_the_file(tmp_path: Path):
    path = tmp_path / "app.log"
    _print(path, "[SYSTEM] began\nearlier\n")
    (system, app) = _logs(path).lines("app")
    assert (system.source, system.message, app.source) == ("SYSTEM", "began", "APP")
    assert app.timestamp == path.stat().st_mtime


def test_a_chatty_app_fills_neither_the_disk_nor_the_memory(tmp_path: Path):
    path = tmp_path / "app.log"
    logs = _logs(path, largest_bytes=50_000)
    with path.open("ab") as app:
        for round_ in range(40):
            for number in range(200):
                app.write(b"%d %d\n" % (round_, number) + b"x" * 100 + b"\n")
            app.flush()
            logs.look()
    sizes = [it.stat().st_size for it in tmp_path.iterdir()]
    assert len(sizes) == 2
    assert sum(sizes) < 4 * 50_000
    assert len(logs.lines("app")) == KEPT_LINES
    assert logs.lines("app")[-2].message == "39 199"


def test_a_line_without_end_is_cut(tmp_path: Path):
    path = tmp_path / "app.log"
    logs = _logs(path)
    _print(path, "y" * 10 * LONGEST_LINE_BYTES)
    assert [len(text) for text in _texts(logs)] == [LONGEST_LINE_BYTES]


def test_a_log_that_was_begun_anew_is_read_from_its_start(tmp_path: Path):
    path = tmp_path / "app.log"
    logs = _logs(path)
    _print(path, "a long line of the first life\n")
    assert len(_texts(logs)) == 1
    path.rename(tmp_path / "app.log.old")
    _print(path, "short\n")
    assert _texts(logs)[-1] == "short"


def test_a_forgotten_app_has_no_lines(tmp_path: Path):
    path = tmp_path / "app.log"
    _print(path, "one\n")
    logs = _logs(path)
    logs.forget("app")
    assert logs.lines("app") == []
