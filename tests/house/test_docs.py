"""The documents name what exists, and what exists is in the documents."""

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from admin.cli.__main__ import MODULES as COMMANDS
from caspers.model.tables import TABLES
from caspers.settings import Parameters

from tests.support.source import PACKAGES, ROOT

DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\((?!https?://|#)([^)#]+)")


def _read(name: str) -> str:
    return (ROOT / name).read_text()


@pytest.mark.parametrize("document", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_in_the_documents_leads_somewhere(document: Path):
    broken = [
        target for target in LINK.findall(document.read_text()) if not (document.parent / target).exists()
    ]
    assert not broken


def test_the_architecture_names_every_package_and_only_those():
    text = _read("docs/architecture.md")
    missing = [
        str(path.relative_to(ROOT))
        for path in PACKAGES.values()
        if str(path.parents[1].relative_to(ROOT)) not in text
    ]
    assert not missing
    named = set(
        re.findall(r"`((?:services|shared|local-workspace|pipelines|benchmarks|tests|docs)/[\w/.-]*)`", text)
    )
    assert not [path for path in named if not (ROOT / path).exists()]


def test_every_parameter_is_documented_with_its_default():
    text = _read("docs/operate.md")
    assert not [name for name in Parameters.model_fields if f"`{name.upper()}`" not in text]


def test_every_table_is_documented():
    text = _read("docs/architecture.md")
    assert not [table.name for table in TABLES if f"`{table.name}`" not in text]


def test_every_command_is_documented():
    text = _read("docs/operate.md")
    assert not [name for name in COMMANDS if f"./caspers {name}" not in text]


def test_every_dependency_says_why_it_was_taken():
    text = _read("docs/dependencies.md")
    silent: list[str] = []
    for pyproject in [
        ROOT / "pyproject.toml",
        *ROOT.glob("*/pyproject.toml"),
        *ROOT.glob("services/*/pyproject.toml"),
    ]:
        data = tomllib.loads(pyproject.read_text())
        wanted = data["project"]["dependencies"] + list(
            chain.from_iterable(data.get("dependency-groups", {}).values())
        )
        names = {re.split(r"[\[<>=~! ]", item)[0] for item in wanted} - set(PACKAGES) - {"local-workspace"}
        silent += [name for name in sorted(names) if f"`{name}`" not in text]
    assert not silent


def test_the_lock_file_carries_hashes_and_no_addresses():
    lock = _read("requirements.lock")
    pins = re.findall(r"^[a-z0-9-]+(?:\[[a-z,]+\])?==", lock, flags=re.MULTILINE)
    assert len(pins) > 50
    assert "://" not in lock
    assert lock.count("--hash=sha256:") >= len(pins)


@pytest.mark.parametrize("service", ["admin", "replayer", "refund-manager", "complaint-console"])
def test_a_service_deploys_with_the_versions_of_the_lock_file(service: str):
    lock = set(re.findall(r"^[a-z0-9.-]+==[^ ;\\\n]+", _read("requirements.lock"), flags=re.MULTILINE))
    pinned = set(_read(f"services/{service}/requirements.txt").split())
    assert pinned
    assert not pinned - lock
