"""The queue's filters as they stand in an address: one model for the API, the pages and saved views."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from caspers.review.keyset import CURSOR_MAX_LENGTH
from caspers.review.listing import DEFAULT_LIMIT, MAX_LIMIT
from caspers.review.texts import ShortText, Text
from pydantic import AwareDatetime, BaseModel, Field, model_validator

from complaint_console.case_queue import QueueFilters, Sort
from complaint_console.review_rules import AgentDecision, Category, Origin, Priority

#: The largest amount and age that can be asked for.
MAX_USD = Decimal("99999999.99")
MAX_MINUTES = 10 * 365 * 24 * 60

Usd = Annotated[Decimal, Field(ge=0, le=MAX_USD, allow_inf_nan=False)]


class CaseFilters(BaseModel):
    """Which cases; a filter that is left out or empty lets everything pass."""

    status: Literal["pending", "second", "decided", "all"] = Field(
        "pending", description="`second` waits for a second person"
    )
    decision: AgentDecision | None = Field(None, description="what the agent decided")
    priority: Priority | None = Field(None, description="of escalations")
    complaint_category: Category | None = None
    location_id: Annotated[int, Field(ge=-(2**31), lt=2**31)] | None = None
    brand: ShortText = ""
    origin: Origin | None = Field(None, description="who triaged: a model, rules, or nobody usefully")
    min_usd: Usd | None = None
    max_usd: Usd | None = None
    older_than_minutes: Annotated[float, Field(ge=0, le=MAX_MINUTES, allow_inf_nan=False)] | None = None
    newer_than: AwareDatetime | None = Field(None, description="triaged after this moment")
    reviewer: ShortText = Field("", description="who has claimed or decided it")
    text: ShortText = Field(
        "", description="occurs in the complaint, the rationale, order, address or brands"
    )

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, values: Any) -> Any:
        """A form sends fields that were left empty as empty texts."""
        if not isinstance(values, dict):
            return values
        return {name: value for name, value in values.items() if value not in ("", None)}

    def filters(self, now: datetime) -> QueueFilters:
        """The same for the queue; ages are counted back from `now`."""
        chosen: dict[str, Any] = self.model_dump(include=set(QueueFilters.__dataclass_fields__))
        minutes = self.older_than_minutes
        chosen["older_than"] = None if minutes is None else now - timedelta(minutes=minutes)
        chosen["status"] = None if self.status == "all" else self.status
        return QueueFilters(**chosen)


class QueueQuery(CaseFilters):
    """A page of the queue: filters, sort, where it begins, how long it is."""

    sort: Sort = Field(
        "urgent", description="`urgent`: escalations first, urgent before others, then the oldest"
    )
    after: Annotated[Text, Field(max_length=CURSOR_MAX_LENGTH)] = Field(
        "", description="the `next` of a page"
    )
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
