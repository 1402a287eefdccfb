"""The two reviewers' consoles keep what they share in one place: little stands in both, whatever each calls its cases."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.source import PACKAGES

#: Lines that must follow each other in both to count as written twice.
WINDOW = 6
#: How many of a hundred lines of the smaller side may stand in the other one as well.
MOST_PERCENT = {".py": 6.0, ".html": 5.0, ".js": 2.0, ".sql": 2.0}
CONSOLES = PACKAGES["refund_manager"], PACKAGES["complaint_console"]

#: The same thing under two names.
_NOUNS = re.compile(
    r"refund_manager|complaint_console|order_id|complaint_id|refund\w*|complaint\w*|decision\w*|review\w*|credit\w*",
    re.IGNORECASE,
)
_COMMENTS = re.compile(r"\{#.*?#\}|^\s*\"\"\".*?\"\"\"", re.DOTALL | re.MULTILINE)
_LINE_COMMENTS = re.compile(r"^\s*(#|//|--).*$", re.MULTILINE)
_THIN = re.compile(
    r"^[\s(){}\[\],;:.]*$|^[A-Za-z_]+,$|^(from|import) |^\) -> |^(else|try|pass|return|break)\b:?$"
)


@dataclass(frozen=True)
class Source:
    """The lines of a file that say something, as they read without names."""

    name: str
    lines: tuple[str, ...]


def source(name: str, text: str) -> Source:
    """A file without comments, imports and lone punctuation; SQL and templates keep what they say."""
    bare = _LINE_COMMENTS.sub("", _COMMENTS.sub("", text) if not name.endswith(".sql") else text)
    lines = (_NOUNS.sub("case", " ".join(line.split())) for line in bare.splitlines())
    return Source(name, tuple(line for line in lines if not _THIN.match(line)))


def sources(package: Path, suffix: str) -> list[Source]:
    return [
        source(str(path.relative_to(package)), path.read_text())
        for path in sorted(package.rglob(f"*{suffix}"))
    ]


def windows(files: Iterable[Source]) -> set[tuple[str, ...]]:
    """Every run of so many lines."""
    return {
        file.lines[start : start + WINDOW] for file in files for start in range(len(file.lines) - WINDOW + 1)
    }


def twice(ours: list[Source], theirs: list[Source]) -> dict[str, set[int]]:
    """Which lines of our files lie in a run that stands in theirs as well."""
    known = windows(theirs)
    found: dict[str, set[int]] = {}
    for file in ours:
        for start in range(len(file.lines) - WINDOW + 1):
            if file.lines[start : start + WINDOW] in known:
                found.setdefault(file.name, set()).update(range(start, start + WINDOW))
    return found


def percent_twice(ours: list[Source], theirs: list[Source]) -> float:
    """How many of a hundred lines of our files stand in theirs."""
    lines = sum(len(file.lines) for file in ours)
    return 100 * sum(map(len, twice(ours, theirs).values())) / lines if lines else 0.0


@pytest.mark.parametrize("suffix", MOST_PERCENT)
def test_little_is_written_in_both_consoles(suffix: str):
    first, second = (sources(console, suffix) for console in CONSOLES)
    assert first
    assert second
    found = {name: len(lines) for name, lines in twice(first, second).items()}
    share = max(percent_twice(first, second), percent_twice(second, first))
    assert share <= MOST_PERCENT[suffix], f"{share:.1f} % stand twice; move them to caspers.review: {found}"


_TWIN = """
def page(desk, order_id):
    with desk.database.reading() as reader:
        found = shown(reader, order_id)
    for step in found["refunds"]:
        step["late"] = step is found["refunds"][-1]
    return render("case.html", found)
"""


def test_twins_are_found_under_other_names_and_other_indents():
    other = _TWIN.replace("order_id", "complaint_id").replace("refunds", "reviews").replace("    ", "  ")
    one, two = source("one.py", _TWIN), source("two.py", f"import os\n# a remark\n\n{other}")
    assert percent_twice([one], [two]) == 100.0
    assert percent_twice([two], [one]) == 100.0


def test_what_only_looks_alike_in_parts_is_no_twin():
    lines = _TWIN.strip().splitlines()
    mixed = [line for pair in zip(lines, (f"own_{n}()" for n in range(9)), strict=False) for line in pair]
    assert percent_twice([source("one.py", _TWIN)], [source("two.py", "\n".join(mixed))]) == 0.0


def test_templates_and_scripts_are_measured_too():
    page = "\n".join(f"<dd class='x{n}'>{{{{ case.refund_usd }}}}</dd>" for n in range(8))
    twin = page.replace("refund", "credit")
    assert percent_twice([source("a.html", page)], [source("b.html", twin)]) == 100.0
