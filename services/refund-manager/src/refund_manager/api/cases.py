"""One case as JSON: what the addresses of every console have, and what a draft of a refund holds."""

from typing import Annotated

from caspers.review.api import cases as shared
from caspers.review.queue_query import Usd
from caspers.review.texts import OrderId
from caspers.web.identity import Caller
from fastapi import APIRouter, Path

from refund_manager.approval_rules import Action, ReasonCode, RefundClass
from refund_manager.cases import SHOWING
from refund_manager.desk import Desk


class ClaimAnswer(shared.ClaimAnswer):
    """A claim of the case of an order."""

    order_id: str


class Draft(shared.Draft):
    """What a reviewer has begun to decide."""

    action: Action | None = None
    refund_usd: Usd | None = None
    refund_class: RefundClass | None = None
    reason_code: ReasonCode | None = None


def router(desk: Desk) -> APIRouter:
    """The addresses of one case."""
    api = shared.router(desk, SHOWING, ClaimAnswer)

    @api.put("/{order_id}/draft", summary="Keep a draft")
    def keep(order_id: Annotated[OrderId, Path()], draft: Draft, caller: Caller) -> shared.DraftAnswer:
        """Yours alone; other people's changes of the case do not touch it."""
        return shared.kept(desk, order_id, caller.label, draft)

    return api
