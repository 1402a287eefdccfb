"""What an import makes: a file, or a notebook in some language. Decided from the request alone; no I/O."""

from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from local_workspace.errors import InvalidParameterValue, NotImplementedHere

HEADERS = {
    "PYTHON": "# Databricks notebook source",
    "SQL": "-- Databricks notebook source",
    "SCALA": "// Databricks notebook source",
    "R": "# Databricks notebook source",
}
LANGUAGES = {".py": "PYTHON", ".sql": "SQL", ".scala": "SCALA", ".r": "R"}


@dataclass(frozen=True)
class Imported:
    """What is to be stored; `language` is None for a file, and a notebook's path has no extension."""

    path: str
    content: bytes
    language: str | None = None


def imported(path: str, content: bytes, file_format: str, language: str | None) -> Imported:
    """Decide between file and notebook as the platform does.

    RAW is always a file. SOURCE is always a notebook and needs a language. AUTO is a notebook when the first line says
    so in the way of the path's language, else a file.

    Raises:
        InvalidParameterValue: the format or language is unknown or missing.
        NotImplementedHere: the format is not supported here.
    """
    if language is not None and language not in tuple(HEADERS):
        raise InvalidParameterValue(f"Language {language!r} is not one of {', '.join(HEADERS)}.")
    as_file = Imported(path, content)
    match file_format:
        case "RAW":
            return as_file
        case "SOURCE" if language:
            return _notebook(as_file, language)
        case "SOURCE":
            raise InvalidParameterValue(
                f"SOURCE makes a notebook of {path} and needs a language; import a file with RAW or AUTO."
            )
        case "AUTO" if path.endswith(".ipynb"):
            raise NotImplementedHere("Jupyter notebooks can be imported here as files only, with format RAW.")
        case "AUTO":
            said = _language_said(as_file)
            return _notebook(as_file, said) if said else as_file
        case _:
            raise NotImplementedHere(
                f"Import format {file_format!r} is not supported; use RAW, AUTO or SOURCE."
            )


def _language_said(item: Imported) -> str | None:
    language = LANGUAGES.get(PurePosixPath(item.path).suffix.lower())
    return language if language and _begins_with_header(item.content, language) else None


def _notebook(item: Imported, language: str) -> Imported:
    path = PurePosixPath(item.path)
    known = LANGUAGES.get(path.suffix.lower()) == language
    content = item.content
    if not _begins_with_header(content, language):
        content = f"{HEADERS[language]}\n".encode() + content
    return replace(
        item, path=str(path.with_suffix("") if known else path), content=content, language=language
    )


def _begins_with_header(content: bytes, language: str) -> bool:
    return content.split(b"\n", 1)[0].rstrip() == HEADERS[language].encode()
