"""Reading a statement token by token: the small grammar that commands share."""

from local_workspace.api.sql.syntax.lexer import Token, syntax_error, tokens

Name = tuple[str, ...]
"""The parts of a name as written: ("c", "s", "t"), or fewer."""


class Reader:
    """A place in a statement that moves on as tokens are taken."""

    def __init__(self, text: str, index: int = 0) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.index = index

    @property
    def next(self) -> Token | None:
        """The token to come; None at the end."""
        return self.tokens[self.index] if self.index < len(self.tokens) else None

    @property
    def place(self) -> int:
        """Where the next token starts, or the end of the text."""
        return self.next.start if self.next else len(self.text)

    def at(self, *words: str) -> bool:
        """Whether these words come next, in this order."""
        coming = self.tokens[self.index : self.index + len(words)]
        return len(coming) == len(words) and all(
            token.is_word(word) for token, word in zip(coming, words, strict=True)
        )

    def take(self, *words: str) -> bool:
        """Move over these words if they come next."""
        found = self.at(*words)
        self.index += len(words) * found
        return found

    def take_any(self, *words: str) -> str | None:
        """Move over one of these words if it comes next, and say which."""
        if self.next is not None and self.next.is_word(*words):
            return self.token().text.upper()
        return None

    def expect(self, *words: str) -> None:
        """Move over these words, which must come next."""
        if not self.take(*words):
            raise self.error(f"expected {' '.join(words)}")

    def at_symbol(self, symbol: str) -> bool:
        """Whether this symbol comes next."""
        return self.next is not None and self.next.kind == "symbol" and self.next.text == symbol

    def take_symbol(self, symbol: str) -> bool:
        """Move over this symbol if it comes next."""
        found = self.at_symbol(symbol)
        self.index += found
        return found

    def expect_symbol(self, symbol: str) -> None:
        """Move over this symbol, which must come next."""
        if not self.take_symbol(symbol):
            raise self.error(f"expected {symbol!r}")

    def token(self) -> Token:
        """Move over the next token, whatever it is."""
        if self.next is None:
            raise self.error("the statement ends too early")
        self.index += 1
        return self.tokens[self.index - 1]

    def identifier(self) -> str:
        """One name."""
        if self.next is None or not self.next.is_name:
            raise self.error("expected a name")
        return self.token().value

    def name(self, most: int = 3) -> Name:
        """A name of one to `most` parts."""
        parts = [self.identifier()]
        while len(parts) < most and self.take_symbol("."):
            parts.append(self.identifier())
        return tuple(parts)

    def string(self) -> str:
        """A string literal's value."""
        if self.next is None or self.next.kind != "string":
            raise self.error("expected a string in quotes")
        return self.token().value

    def whole_number(self) -> int:
        """A number without a fraction."""
        if self.next is None or not self.next.text.isdecimal():
            raise self.error("expected a whole number")
        return int(self.token().text)

    def identifiers(self) -> tuple[str, ...]:
        """Names in parentheses: (a, b)."""
        self.expect_symbol("(")
        names = [self.identifier()]
        while self.take_symbol(","):
            names.append(self.identifier())
        self.expect_symbol(")")
        return tuple(names)

    def properties(self) -> dict[str, str]:
        """Keys and values in parentheses: ('a' = 'b', c.d = 1)."""
        self.expect_symbol("(")
        found: dict[str, str] = {}
        while not self.take_symbol(")"):
            key = self.string() if self.next and self.next.kind == "string" else ".".join(self.name(most=9))
            self.take_symbol("=")
            found[key] = self.token().value
            self.take_symbol(",")
        return found

    def group(self) -> str:
        """The text of a group in parentheses, without them."""
        self.expect_symbol("(")
        start, depth = self.place, 1
        while depth:
            taken = self.token()
            depth += {"(": 1, ")": -1}.get(taken.text, 0) if taken.kind == "symbol" else 0
        return self.text[start : self.tokens[self.index - 1].start].strip()

    def rest(self) -> str:
        """All that is left, without a final semicolon."""
        start = self.place
        self.index = len(self.tokens)
        return self.text[start:].strip().rstrip(";").strip()

    def end(self) -> None:
        """Nothing may be left but semicolons."""
        while self.take_symbol(";"):
            pass
        if self.next is not None:
            raise self.error("this is more than the statement can have")

    def error(self, reason: str) -> Exception:
        """A syntax error at this place."""
        return syntax_error(self.text, self.place, reason)
