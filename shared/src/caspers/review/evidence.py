"""The evidence of one case, gathered side by side: what a reviewer looks at before deciding."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

from caspers.clients.postgres import Postgres
from caspers.clients.warehouse_pool import Answer, WarehousePool
from caspers.review.agent_steps import AgentRun, agent_run
from caspers.review.case_facts import (
    ANY_TIME,
    CaseFacts,
    Item,
    LocationDay,
    Span,
    events_in,
    items_in,
    span_around,
)
from caspers.review.customer_history import EarlierOrder, earlier_orders
from caspers.review.evidence_statements import AGENT_RUN, EARLIER_ORDERS, in_catalog
from caspers.review.order_events import OrderEvent, drive_of
from caspers.review.ratings import Rating, ratings_of
from caspers.review.route_map import RouteMap, route_map
from caspers.review.tables import NoSuchCase, ReviewTables
from caspers.review.timeline import Percentiles, Timeline, timeline

_CASE: LiteralString = """
SELECT {key} AS case_id, order_id, order_ts, delivered_ts, location_id, customer_addr, p50_minutes, p75_minutes,
       p99_minutes, run_id
FROM {cases} WHERE {by} = :value
"""

#: How far back a customer's earlier orders are looked for.
EARLIER_WITHIN = timedelta(days=30)


@dataclass(frozen=True)
class Usual:
    """Delivery minutes of the location: as they were when the agent looked, and over its last virtual day."""

    at_recommendation: Percentiles | None
    now: LocationDay


@dataclass(frozen=True)
class Evidence:
    """All there is to see about one case; the pictures are None where the events do not hold them."""

    case_id: str
    order_id: str
    items: Sequence[Item]
    events: Sequence[OrderEvent]
    timeline: Timeline | None
    percentiles: Usual
    route: RouteMap | None
    earlier_orders: Sequence[EarlierOrder]
    agent_run: AgentRun | None
    ratings: Sequence[Rating]


@dataclass(frozen=True)
class _Case:
    case_id: str
    order_id: str
    order_ts: datetime | None
    delivered_ts: datetime | None
    location_id: int | None
    customer_addr: str | None
    run_id: str | None
    percentiles: Percentiles | None


@dataclass(frozen=True)
class CasesOf:
    """Whose cases: the console's tables, and the column of what the agent would pay."""

    tables: ReviewTables
    agent_usd: LiteralString


class EvidenceRoom:
    """Gathers the evidence of cases from the lakehouse and from a console's own tables."""

    def __init__(self, facts: CaseFacts, warehouse: WarehousePool, database: Postgres, of: CasesOf) -> None:
        self._facts = facts
        self._of = of
        self._warehouse = warehouse
        self._database = database
        self._run_statement: LiteralString = in_catalog(AGENT_RUN, facts.names)
        self._earlier_statement: LiteralString = in_catalog(EARLIER_ORDERS, facts.names)

    def evidence(self, case_id: str) -> Evidence:
        """All the evidence of one case. Raises `NoSuchCase`, `OrderNotFound`, `Unavailable`."""
        case = self._case("{key}", case_id)
        if case is None:
            raise NoSuchCase(case_id)
        order_id, span = case.order_id, _span(case)
        asked_events = self._facts.ask_events(order_id, span)
        asked_items = self._facts.ask_items(order_id, span)
        asked_run = self._ask_run(case.run_id)
        asked_earlier = self._ask_earlier(case)
        day = self._facts.location_day(case.location_id)
        streets = self._facts.streets(case.location_id)
        events = events_in(asked_events, order_id)
        earlier_rows = asked_earlier.rows() if asked_earlier else []
        with self._database.reading() as reader:
            earlier = earlier_orders(earlier_rows, reader, self._of.tables, self._of.agent_usd)
            ratings = ratings_of(reader, self._of.tables, case_id)
        return Evidence(
            case_id=case_id,
            order_id=order_id,
            items=items_in(asked_items),
            events=events,
            timeline=timeline(events, case.percentiles or day.percentiles, day.phases),
            percentiles=Usual(case.percentiles, day),
            route=route_map(drive_of(events), streets),
            earlier_orders=earlier,
            agent_run=_run(asked_run),
            ratings=ratings,
        )

    def events(self, order_id: str) -> list[OrderEvent]:
        """All events of any order, sooner where it has a case that tells its time. Raises `OrderNotFound`."""
        case = self._case("order_id", order_id)
        return self._facts.events(order_id, _span(case) if case else ANY_TIME)

    def _case(self, by: LiteralString, value: str) -> _Case | None:
        with self._database.reading() as reader:
            row = reader.row(self._of.tables.statement(_CASE.replace("{by}", by)), value=value)
        if row is None:
            return None
        usual = (row.p50_minutes, row.p75_minutes, row.p99_minutes)
        return _Case(
            row.case_id,
            row.order_id,
            row.order_ts,
            row.delivered_ts,
            row.location_id,
            row.customer_addr,
            row.run_id,
            None if None in usual else Percentiles(*usual),
        )

    def _ask_run(self, run_id: str | None) -> Answer | None:
        return self._warehouse.ask(self._run_statement, {"run_id": run_id}) if run_id else None

    def _ask_earlier(self, case: _Case) -> Answer | None:
        if not (case.customer_addr and case.order_ts):
            return None
        values: dict[str, Any] = {
            "location_id": case.location_id,
            "since": case.order_ts - EARLIER_WITHIN,
            "before": case.order_ts,
            "order_id": case.order_id,
            "address": case.customer_addr,
        }
        return self._warehouse.ask(self._earlier_statement, values)


def _span(case: _Case) -> Span:
    return span_around(case.order_ts, case.delivered_ts) if case.order_ts else ANY_TIME


def _run(asked: Answer | None) -> AgentRun | None:
    rows = asked.rows() if asked else []
    return agent_run(rows[0]) if rows else None
