"""Who did what, and what was refused."""

from typing import Annotated

from caspers.review.texts import ShortText
from fastapi import APIRouter, Query, Response

from admin.activity import ActivityFilters
from admin.api import examples
from admin.api.answers import writer_of
from admin.api.requests import After, Limit
from admin.desk import Desk
from admin.shapes import ActivityEntry, Page

Filter = Annotated[ShortText | None, Query()]


def router(desk: Desk) -> APIRouter:
    """The address of the record."""
    api = APIRouter(tags=["people"])
    write = writer_of(Page[ActivityEntry])

    @api.get(
        "/activity", summary="Who did what", response_model=Page[ActivityEntry], responses=examples.ACTIVITY
    )
    def get_activity(
        after: After = None, limit: Limit = 50, who: Filter = None, action: Filter = None
    ) -> Response:
        """Newest first, page by page; attempts that were refused are in it as well."""
        return write(desk.activity.page(ActivityFilters(who, action), after, limit))

    return api
