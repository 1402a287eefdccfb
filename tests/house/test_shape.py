"""Files and functions stay small, open with a sentence, and are named for what they hold."""

import ast
from statistics import median

import pytest

from tests.support.source import PACKAGES, Module, code_lines, modules

MAX_FILE_LINES = 450
MEDIAN_FILE_LINES = 130
MAX_FUNCTION_LINES = 60
MEDIAN_FUNCTION_LINES = 10
NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "base", "core", "lib"}


def _substantial() -> list[Module]:
    return [module for module in modules() if module.tree.body and module.path.name != "__init__.py"]


def test_no_file_is_longer_than_a_reader_can_hold():
    long = {module.name: module.lines for module in modules() if module.lines > MAX_FILE_LINES}
    assert not long


def test_the_typical_file_is_read_in_one_sitting():
    assert median(module.lines for module in _substantial()) <= MEDIAN_FILE_LINES


def test_no_function_is_longer_than_a_screen():
    long = {
        f"{module.name}:{function.name}": code_lines(function)
        for module in modules()
        for function in module.functions()
        if code_lines(function) > MAX_FUNCTION_LINES
    }
    assert not long


def test_the_typical_function_is_a_few_lines_long():
    assert median(code_lines(f) for m in modules() for f in m.functions()) <= MEDIAN_FUNCTION_LINES


def test_every_module_opens_with_what_it_is_for():
    silent = [module.name for module in _substantial() if not ast.get_docstring(module.tree)]
    assert not silent


def test_no_module_is_named_for_nothing_in_particular():
    vague = [module.name for module in modules() if module.path.stem in NAMELESS]
    assert not vague


@pytest.mark.parametrize("package", PACKAGES)
def test_public_classes_say_what_they_mean(package: str):
    silent = [
        f"{module.name}:{node.name}"
        for module in modules(PACKAGES[package])
        for node in module.tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert not silent


def test_pipelines_import_nothing_but_pyspark_and_the_standard_library():
    import sys

    folder = PACKAGES["caspers"].parents[2] / "pipelines"
    strangers = {
        module.name: module.imports() - {"pyspark"} - sys.stdlib_module_names
        for module in modules(folder)
        if module.imports() - {"pyspark"} - sys.stdlib_module_names
    }
    assert modules(folder)
    assert not strangers
