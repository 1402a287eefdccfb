"""What an import makes of its format, language and first line."""

import pytest
from local_workspace.api.workspace_files.formats import Imported, imported
from local_workspace.errors import InvalidParameterValue, NotImplementedHere

MARKED = b"# Databricks notebook source\nprint(1)"


def test_raw_is_a_file_whatever_it_says():
    assert imported("/a.py", MARKED, "RAW", "PYTHON") == Imported("/a.py", MARKED)


def test_auto_looks_at_the_first_line_of_a_known_language():
    assert imported("/a.py", MARKED, "AUTO", None) == Imported("/a", MARKED, "PYTHON")
    assert imported("/a.py", b"print(1)", "AUTO", None) == Imported("/a.py", b"print(1)")
    assert imported("/a.txt", MARKED, "AUTO", None) == Imported("/a.txt", MARKED)


def test_source_is_a_notebook_and_gets_its_first_line():
    made = imported("/a.sql", b"SELECT 1", "SOURCE", "SQL")
    assert made == Imported("/a", b"-- Databricks notebook source\nSELECT 1", "SQL")
    assert imported("/a.b", MARKED, "SOURCE", "PYTHON").path == "/a.b"


def test_source_without_a_known_language_is_refused():
    for language in (None, "COBOL"):
        with pytest.raises(InvalidParameterValue):
            imported("/a", b"", "SOURCE", language)


@pytest.mark.parametrize(("path", "file_format"), [("/a", "DBC"), ("/a", "HTML"), ("/a.ipynb", "AUTO")])
def test_formats_that_are_not_supported_are_refused(path: str, file_format: str):
    with pytest.raises(NotImplementedHere):
        imported(path, b"", file_format, None)
