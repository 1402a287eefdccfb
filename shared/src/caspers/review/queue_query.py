"""A queue's filters as they stand in an address: one model for the API, the pages and saved views; consoles add their own."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from caspers.review.case_queue import QueueFilters
from caspers.review.keyset import CURSOR_MAX_LENGTH
from caspers.review.listing import DEFAULT_LIMIT, MAX_LIMIT
from caspers.review.rules import Origin
from caspers.review.texts import ShortText, Text

#: The largest amount and age that can be asked for.
MAX_USD = Decimal("99999999.99")
MAX_MINUTES = 10 * 365 * 24 * 60

Usd = Annotated[Decimal, Field(ge=0, le=MAX_USD, allow_inf_nan=False)]


class CaseFilters(BaseModel):
    """Which cases; a filter that is left out or empty lets everything pass."""

    status: Literal["pending", "second", "decided", "all"] = Field(
        "pending", description="`second` waits for a second person"
    )
    location_id: Annotated[int, Field(ge=-(2**31), lt=2**31)] | None = None
    brand: ShortText = ""
    origin: Origin | None = Field(None, description="who said it: a model, rules, or nobody usefully")
    min_usd: Usd | None = None
    max_usd: Usd | None = None
    older_than_minutes: Annotated[float, Field(ge=0, le=MAX_MINUTES, allow_inf_nan=False)] | None = None
    newer_than: AwareDatetime | None = Field(None, description="said by the agent after this moment")
    reviewer: ShortText = Field("", description="who has claimed or decided it")
    text: ShortText = Field("", description="occurs in the case's id, its texts, address or brands")

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, values: Any) -> Any:
        """A form sends fields that were left empty as empty texts."""
        if not isinstance(values, dict):
            return values
        return {name: value for name, value in values.items() if value not in ("", None)}

    def chosen(self, kind: type[QueueFilters], now: datetime) -> dict[str, Any]:
        """The fields of the queue's own filters; ages are counted back from `now`."""
        chosen: dict[str, Any] = self.model_dump(include=set(kind.__dataclass_fields__))
        minutes = self.older_than_minutes
        chosen["older_than"] = None if minutes is None else now - timedelta(minutes=minutes)
        chosen["status"] = None if self.status == "all" else self.status
        return chosen


class OnePage(BaseModel):
    """Where a page of the queue begins, how long it is."""

    after: Annotated[Text, Field(max_length=CURSOR_MAX_LENGTH)] = Field(
        "", description="the `next` of a page"
    )
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
