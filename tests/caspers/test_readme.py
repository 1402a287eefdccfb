"""The README of the library tells the truth."""

from pathlib import Path

import caspers
from caspers.settings import describe

PACKAGE = Path(caspers.__file__).parent
README = (PACKAGE.parents[1] / "README.md").read_text()


def test_the_table_of_settings_is_what_the_code_says():
    lines = [f"| `{line.variable}` | {line.default} | {line.meaning} |" for line in describe()]
    assert not [line for line in lines if line not in README]


def test_every_module_is_named_in_the_rooms():
    modules = {path.stem for path in PACKAGE.rglob("*.py")} - {"__init__"}
    assert not [module for module in sorted(modules) if f"`{module}`" not in README]
