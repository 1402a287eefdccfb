"""Texts that people and scripts send to a console: what Postgres cannot hold is refused at the edge, in words."""

from typing import Annotated

from pydantic import AfterValidator, Field

ORDER_ID_MAX_LENGTH = 200
NOTE_MAX_LENGTH = 2_000


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("contains the character NUL, which no text may contain")
    if not text.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("contains half of a character (a lone surrogate)")
    return text


#: Any text that can be stored.
Text = Annotated[str, AfterValidator(_storable)]
#: What somebody looks for, or filters by.
ShortText = Annotated[Text, Field(max_length=200)]
OrderId = Annotated[Text, Field(min_length=1, max_length=ORDER_ID_MAX_LENGTH)]
Note = Annotated[Text, Field(max_length=NOTE_MAX_LENGTH)]
