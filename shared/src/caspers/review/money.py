"""Dollars on the wire: exact decimals inside, JSON numbers outside. Pure."""

from decimal import Decimal
from typing import Annotated

from pydantic import PlainSerializer

#: A field of an answer that holds dollars.
Dollars = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]
