"""Ways of writing that the engine does not know, spelled out in ways that it does.

`GROUP BY ALL` becomes the ordinals of the selected columns that hold no aggregate, `ORDER BY ALL` those of all columns;
`t@v3` and `t@20240131120000000` become VERSION AS OF and TIMESTAMP AS OF.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from local_workspace.api.sql.syntax.lexer import Edit, Token, spliced, tokens


def spelled_out(text: str) -> str:
    """The statement without shorthands; what cannot be spelled out stays as it is written."""
    return _with_ordinals(_with_time_travel(text))


def _with_time_travel(text: str) -> str:
    marks = [token.start for token in tokens(text) if token.kind == "symbol" and token.text == "@"]
    for place in reversed(marks):
        version = re.match(r"@[vV](\d+)", text[place:])
        moment = re.match(r"@(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{3})", text[place:])
        if version:
            text = f"{text[:place]} VERSION AS OF {version[1]}{text[place + version.end() :]}"
        elif moment:
            stamp = "{}-{}-{} {}:{}:{}.{}".format(*moment.groups())
            text = f"{text[:place]} TIMESTAMP AS OF '{stamp}'{text[place + moment.end() :]}"
    return text


def _with_ordinals(text: str) -> str:
    if not re.search(r"\bBY\s+ALL\b", text, re.IGNORECASE):
        return text
    return spliced(text, _ordinals(text, tokens(text)))


@dataclass
class _Select:
    """A SELECT whose end has not been reached: where its columns begin, and where each ends."""

    begin: int
    ends: list[int] = field(default_factory=list)
    complete: bool = False

    def columns(self, text: str) -> list[str]:
        begins = [self.begin, *(end + 1 for end in self.ends[:-1])]
        return [text[begin:end].strip() for begin, end in zip(begins, self.ends, strict=True)]


def _ordinals(text: str, found: tuple[Token, ...]) -> Iterator[Edit]:
    """Walks the tokens; the SELECT that a `BY ALL` belongs to is the latest one at its own depth of parentheses."""
    selects: dict[int, _Select] = {}
    depth = 0
    for index, token in enumerate(found):
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "symbol" else 0
        select = selects.get(depth)
        if token.is_word("SELECT"):
            distinct = found[index + 1].is_word("DISTINCT") if index + 1 < len(found) else False
            selects[depth] = _Select(found[index + 1].end if distinct else token.end)
        elif select and not select.complete and (token.text == "," or token.is_word("FROM")):
            select.ends.append(token.start)
            select.complete = token.is_word("FROM")
        elif select and select.complete and _is_by_all(found, index):
            yield from _edits(found[index : index + 3], select.columns(text))


def _is_by_all(found: tuple[Token, ...], index: int) -> bool:
    by_all = found[index + 1 : index + 3]
    return (
        found[index].is_word("GROUP", "ORDER")
        and len(by_all) == 2
        and by_all[0].is_word("BY")
        and by_all[1].is_word("ALL")
    )


def _edits(clause: tuple[Token, ...], columns: list[str]) -> Iterator[Edit]:
    first, _, last = clause
    if any(column.endswith("*") for column in columns):
        return
    wanted = [
        str(ordinal)
        for ordinal, column in enumerate(columns, 1)
        if first.is_word("ORDER") or not _holds_an_aggregate(column)
    ]
    if wanted:
        yield Edit(last.start, last.end, ", ".join(wanted))
    else:
        yield Edit(first.start, last.end, "")


def _holds_an_aggregate(column: str) -> bool:
    try:
        tree = sqlglot.parse_one(f"SELECT {column}", dialect="databricks")
    except SqlglotError:
        return False
    return any(node.find_ancestor(exp.Window, exp.Subquery) is None for node in tree.find_all(exp.AggFunc))
