"""SQL text as tokens with their places, so that a statement can be changed where needed and stay as written elsewhere."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from local_workspace.api.sql.failures import SqlFailure

Kind = Literal["word", "quoted", "string", "number", "symbol"]

PATTERN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*)
  | (?P<comment>/\*)
  | (?P<string>[rRxX]?(?:'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"))
  | (?P<quoted>`(?:[^`]|``)*`)
  | (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?(?:BD|[LSYDF])?(?![\w])|\.\d+(?:[eE][+-]?\d+)?)
  | (?P<word>[^\W\d]\w*|\d+[^\W\d]\w*)
  | (?P<symbol>=>|->|<=>|<=|>=|<>|!=|==|::|\|\||.)
    """,
    re.VERBOSE | re.DOTALL,
)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "Z": "\x1a"}


@dataclass(frozen=True)
class Token:
    """A token and the place of its text: `text[start:end]`."""

    kind: Kind
    text: str
    start: int
    end: int

    @property
    def value(self) -> str:
        """What it stands for: a name without its backticks, a string without its quotes and escapes."""
        if self.kind == "quoted":
            return self.text[1:-1].replace("``", "`")
        return _unquoted(self.text) if self.kind == "string" else self.text

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these words (upper case), not quoted."""
        return self.kind == "word" and self.text.upper() in words

    @property
    def is_name(self) -> bool:
        """Whether it can be (a part of) a name."""
        return self.kind in {"word", "quoted"}


@dataclass(frozen=True)
class Edit:
    """New text for a place."""

    start: int
    end: int
    text: str


@lru_cache(maxsize=1024)
def tokens(text: str) -> tuple[Token, ...]:
    """The tokens of a text; space and comments are left out.

    Raises:
        SqlFailure: a string, a quoted name or a comment does not end.
    """
    found: list[Token] = []
    place = 0
    while place < len(text):
        match = PATTERN.match(text, place)
        assert match is not None
        kind = match.lastgroup
        place = _end_of_comment(text, place) if kind == "comment" else match.end()
        if kind in {"space", "comment"}:
            continue
        if kind == "symbol" and match[0] in "'\"`":
            raise syntax_error(text, match.start(), "this quote is never closed")
        found.append(Token(kind, match[0], match.start(), match.end()))  # pyright: ignore[reportArgumentType]  the group's names are Kind
    return tuple(found)


def spliced(text: str, edits: Iterable[Edit]) -> str:
    """The text with its edits made; they must not overlap."""
    parts: list[str] = []
    place = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        parts += [text[place : edit.start], edit.text]
        place = edit.end
    return "".join([*parts, text[place:]])


def quoted_name(name: str) -> str:
    """A name in backticks."""
    return "`" + name.replace("`", "``") + "`"


def rows_of(source: str) -> str:
    """The query for all rows of what stands in FROM: a name, or a query in parentheses."""
    return f"SELECT * FROM {source}"  # noqa: S608  statements are made of statements here; values are bound as literals


def syntax_error(text: str, place: int, reason: str) -> SqlFailure:
    """A failure that points at a place."""
    before = text[:place]
    line, column = before.count("\n") + 1, place - (before.rfind("\n") + 1)
    near = text[place : place + 30].split("\n", maxsplit=1)[0] or "end of input"
    return SqlFailure(
        "PARSE_SYNTAX_ERROR", f"Syntax error at or near '{near}' (line {line}, pos {column}): {reason}."
    )


def _end_of_comment(text: str, start: int) -> int:
    """The place after a bracketed comment; they nest."""
    depth, place = 0, start
    for mark in re.finditer(r"/\*|\*/", text[start:]):
        depth += 1 if mark[0] == "/*" else -1
        place = start + mark.end()
        if depth == 0:
            return place
    raise syntax_error(text, start, "this comment is never closed")


def _unquoted(literal: str) -> str:
    raw = literal[0] in "rR"
    quote = literal[1] if literal[0] in "rRxX" else literal[0]
    inner = literal[literal.index(quote) + 1 : -1]
    if raw:
        return inner
    return re.sub(
        r"\\(.)|" + quote * 2,
        lambda mark: ESCAPES.get(mark[1], mark[1]) if mark[1] else quote,
        inner,
        flags=re.DOTALL,
    )
