from pathlib import Path

import pytest
from admin.sources import ADMIN, SOURCES_FOLDER, Sources
from caspers.errors import NotFound

REPOSITORY = Path(__file__).parents[2]


def carried_copy(target: Path) -> Sources:
    """The admin's bundle laid out as it is deployed."""
    for path, origin in Sources(REPOSITORY).files(ADMIN).items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_bytes(origin.read_bytes())
    return Sources(target / SOURCES_FOLDER)


def test_the_deployed_admin_carries_the_same_sources_as_the_checkout(tmp_path: Path):
    carried = carried_copy(tmp_path)
    for bundle in ("replayer", "order_items"):
        assert carried.digest(bundle) == Sources(REPOSITORY).digest(bundle)


def test_an_app_folder_brings_its_own_copy_of_the_shared_library():
    files = Sources(REPOSITORY).files("replayer")
    assert {"app.yaml", "replayer/__init__.py", "caspers/settings.py"} <= files.keys()


def test_no_compiled_file_travels():
    assert not [path for path in Sources(REPOSITORY).files(ADMIN) if "__pycache__" in path]


def test_the_digest_changes_with_the_content(tmp_path: Path):
    carried = carried_copy(tmp_path)
    before = carried.digest("order_items")
    bronze = next((tmp_path / SOURCES_FOLDER / "pipelines").rglob("*.py"))
    bronze.write_text(bronze.read_text() + "\n# changed\n")
    assert carried.digest("order_items") != before


def test_a_missing_source_is_named(tmp_path: Path):
    with pytest.raises(NotFound, match=r"replayer/app\.yaml is missing"):
        Sources(tmp_path).files("replayer")
