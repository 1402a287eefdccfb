import subprocess
import sys
from pathlib import Path

import pytest
from admin.cli.home import MARKER, Home, RememberedDemo
from caspers.errors import Conflict, Invalid, NotFound, Refused


def test_a_new_home_is_made_and_marked(tmp_path: Path):
    home = Home(tmp_path / "new")
    home.prepare()
    assert (home.path / MARKER).exists()


def test_a_directory_with_foreign_files_is_never_adopted(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(Refused, match="not ours"):
        Home(tmp_path).prepare()


def test_a_home_below_a_file_is_refused_in_words(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match="cannot be written"):
        Home(tmp_path / "file" / "home").prepare()


def test_purge_deletes_only_a_directory_that_carries_our_marker(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(Invalid, match="not ours to delete"):
        Home(tmp_path).purge()
    assert (tmp_path / "thesis.txt").exists()


def test_purge_of_a_home_deletes_all_of_it(tmp_path: Path):
    home = Home(tmp_path / "home")
    home.prepare()
    home.purge()
    assert not home.path.exists()
    with pytest.raises(NotFound):
        home.purge()


def test_two_at_work_on_one_home_are_kept_apart(tmp_path: Path):
    home = Home(tmp_path)
    home.prepare()
    with home.lock(), pytest.raises(Conflict, match="at work"), home.lock():
        pass


def test_the_lock_of_a_killed_process_is_free_again(tmp_path: Path):
    home = Home(tmp_path)
    home.prepare()
    holder = (
        "import os, signal, sys; from pathlib import Path; from admin.cli.home import Home\n"
        "with Home(Path(sys.argv[1])).lock(): os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", holder, str(tmp_path)], check=False)
    with home.lock():
        pass


def test_the_demo_brought_up_last_is_the_one_commands_are_about(tmp_path: Path):
    home = Home(tmp_path)
    home.prepare()
    for catalog in ("one", "two", "one"):
        home.remember(RememberedDemo(catalog, "free", {"days": 3}))
    assert home.catalog(None) == "one"
    assert home.catalog("two") == "two"
