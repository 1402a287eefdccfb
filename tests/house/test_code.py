"""What lint cannot say: the real thing in tests, SQL that is literal, errors caught by class, few suppressions."""

import re

from tests.support.source import PACKAGES, ROOT, Module, modules

TESTS = ROOT / "tests"
SUPPRESSION = re.compile(r"#\s*(noqa|type: ignore|pyright: ignore)(?P<rest>.*)")
SUPPRESSIONS_PER_1000_LINES = 6


def _test_modules() -> list[Module]:
    return [module for module in modules(TESTS) if module.path.name.startswith("test_")]


def test_tests_drive_the_real_thing_and_never_a_mock():
    fakes = [
        module.name
        for module in _test_modules()
        if "house" not in module.name and re.search(r"unittest\.mock|monkeypatch|MagicMock", module.text)
    ]
    assert not fakes


def test_tests_wait_for_conditions_and_never_sleep():
    sleepers = [
        module.name
        for module in _test_modules()
        if re.search(r"\btime\.sleep\(|asyncio\.sleep\(", module.text)
    ]
    assert not sleepers


def test_fixtures_are_asked_for_by_name():
    hidden = [module.name for module in modules(TESTS) if re.search(r"autouse\s*=\s*True", module.text)]
    assert not hidden


def test_test_names_are_short_sentences():
    odd = [
        f"{module.name}:{function.name}"
        for module in _test_modules()
        for function in module.functions()
        if function.name.startswith("test_") and not 4 <= len(function.name.split("_")) - 1 <= 18
    ]
    assert not odd


def test_transactions_are_committed_at_the_edge_only():
    ours = (PACKAGES["caspers"], PACKAGES["replayer"], PACKAGES["admin"])
    elsewhere = [m.name for m in modules(*ours) if ".commit(" in m.text]
    assert not elsewhere


def test_platform_errors_are_never_told_apart_by_their_text():
    guessing = [m.name for m in modules() if re.search(r"\bin str\((exc|error|e|err)\)", m.text)]
    assert not guessing


def test_suppressions_carry_a_reason_and_stay_few():
    bare: list[str] = []
    count = 0
    for module in modules():
        for number, line in enumerate(module.text.splitlines(), 1):
            found = SUPPRESSION.search(line)
            if not found:
                continue
            count += 1
            if not re.search(r"(\]|\d)\s{2,}\S", found["rest"]):
                bare.append(f"{module.name}:{number}")
    assert not bare
    assert count <= SUPPRESSIONS_PER_1000_LINES * sum(module.lines for module in modules()) / 1000


def test_nothing_is_left_to_do_in_a_comment():
    left = [
        f"{module.name}:{number}"
        for module in modules()
        for number, line in enumerate(module.text.splitlines(), 1)
        if re.search(r"#.*\b(TODO|FIXME|XXX)\b", line)
    ]
    assert not left


def test_no_code_asks_whether_it_runs_on_a_laptop():
    asking = [
        module.name
        for module in modules()
        if not module.name.startswith("local-workspace")
        and re.search(r"\bif (not )?(is_)?local\b|is_databricks", module.text)
    ]
    assert not asking
