"""The page that says in words whether all is as it should be, or whether all of it is gone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from caspers.review.addresses import Addresses
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from admin.desk import Desk
from admin.pages import looks
from admin.pages.command_lines import requested
from admin.pages.frame import Looking, Twin, base_url, show, titles
from admin.shapes import Finding, Verification

ELSEWHERE = "The demo as a whole"


@dataclass(frozen=True)
class Group:
    """What was found of one stage, what is wrong apart from what is right."""

    title: str
    bad: bool
    findings: Sequence[Finding]


def router(desk: Desk) -> APIRouter:
    """The page at `/verify`."""
    pages = APIRouter(include_in_schema=False)

    @pages.get("/verify")
    async def show_verification(request: Request, _actor: Looking, *, gone: bool = False) -> HTMLResponse:
        return await desk.slow.run(_page, desk, request, gone=gone)

    return pages


def _page(desk: Desk, request: Request, *, gone: bool) -> HTMLResponse:
    found = desk.overview.verify(gone=gone)
    names = titles(desk.overview.state())
    address = "/api/v1/verify?gone=true" if gone else "/api/v1/verify"
    words = ["verify", *(["--gone"] if gone else [])]
    return show(
        request,
        "verify.html",
        Twin(address, follow=""),
        found=found,
        gone=gone,
        sentence=_sentence(found, gone=gone),
        look=looks.WELL if found.ok else looks.NOT_RIGHT,
        good=looks.WELL,
        wrong=looks.NOT_RIGHT,
        groups=[
            group
            for title in (ELSEWHERE, *names.values())
            for bad in (True, False)
            if (group := _group(found, title, names, bad=bad)).findings
        ],
        here=Addresses(request)(),
        lines=requested(words, "GET", base_url(request) + address),
    )


def _group(found: Verification, title: str, names: Mapping[str, str], *, bad: bool) -> Group:
    return Group(
        title,
        bad,
        [
            finding
            for finding in found.findings
            if names.get(finding.stage, ELSEWHERE) == title and finding.ok != bad
        ],
    )


def _sentence(found: Verification, *, gone: bool) -> str:
    wrong = sum(not finding.ok for finding in found.findings)
    if gone:
        return "Nothing of it is left." if found.ok else f"{looks.plural(wrong, 'thing')} still there."
    return "All is as it should be." if found.ok else f"{looks.plural(wrong, 'thing')} not right."
