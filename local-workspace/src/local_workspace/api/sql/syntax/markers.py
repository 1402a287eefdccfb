"""Parameter markers in a statement: `:name` and `?`, with their places."""

from dataclasses import dataclass
from functools import lru_cache

from local_workspace.api.sql.syntax.lexer import tokens


@dataclass(frozen=True)
class Marker:
    """A marker: `name` is set for `:name`, `ordinal` (from 1) for `?`."""

    start: int
    end: int
    name: str | None = None
    ordinal: int = 0


@lru_cache(maxsize=512)
def markers(text: str) -> tuple[Marker, ...]:
    """The markers of a text, in order.

    A colon straight behind a name, a closing bracket or a string is a path into a value (`column:field`), no marker.
    """
    found: list[Marker] = []
    all_tokens = tokens(text)
    ordinal = 0
    for index, token in enumerate(all_tokens):
        if token.kind != "symbol" or token.text not in {":", "?"}:
            continue
        before = all_tokens[index - 1] if index else None
        after = all_tokens[index + 1] if index + 1 < len(all_tokens) else None
        if token.text == "?":
            ordinal += 1
            found.append(Marker(token.start, token.end, ordinal=ordinal))
        elif after is not None and after.kind == "word" and after.start == token.end:
            touches = before is not None and before.end == token.start
            path = touches and before is not None and (before.kind != "symbol" or before.text in {")", "]"})
            if not path:
                found.append(Marker(token.start, after.end, name=after.text))
    return tuple(found)
