"""One case as JSON: what the addresses of every console have, and what a draft of a review holds."""

from typing import Annotated

from caspers.review.api import cases as shared
from caspers.review.queue_query import Usd
from caspers.review.texts import Note, OrderId
from caspers.web.identity import Caller
from fastapi import APIRouter, Path

from complaint_console.cases import SHOWING
from complaint_console.desk import Desk
from complaint_console.review_rules import Action, Category, Priority, ReasonCode


class ClaimAnswer(shared.ClaimAnswer):
    """A claim of a complaint."""

    complaint_id: str


class Draft(shared.Draft):
    """What a reviewer has begun to decide."""

    action: Action | None = None
    credit_usd: Usd | None = None
    category: Category | None = None
    priority: Priority | None = None
    reply: Note = ""
    reason_code: ReasonCode | None = None


def router(desk: Desk) -> APIRouter:
    """The addresses of one case."""
    api = shared.router(desk, SHOWING, ClaimAnswer)

    @api.put("/{complaint_id}/draft", summary="Keep a draft")
    def keep(complaint_id: Annotated[OrderId, Path()], draft: Draft, caller: Caller) -> shared.DraftAnswer:
        """Yours alone; other people's changes of the case do not touch it."""
        return shared.kept(desk, complaint_id, caller.label, draft)

    return api
