"""Multipart uploads on the wire: begin, addresses of parts, the parts themselves, complete, abort."""

from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from local_workspace.api.files.blocks import blocks
from local_workspace.api.files.uploads import Uploads
from local_workspace.errors import BadRequest
from local_workspace.identity import Caller


class PartUrls(BaseModel):
    """Which addresses are asked for."""

    session_token: str
    start_part_number: int = Field(ge=1)
    count: int = Field(default=1, ge=1, le=100)


class AbortUrl(BaseModel):
    """Which upload is to be ended."""

    session_token: str


class Part(BaseModel):
    """A part that was uploaded, with the ETag it got."""

    part_number: int
    etag: str


class Completion(BaseModel):
    """The parts of the file."""

    parts: list[Part] = []


def router(uploads: Uploads) -> APIRouter:
    """The routes of multipart uploads."""
    api = APIRouter(prefix="/api/2.0/fs")

    @api.post("/files/{path:path}")
    def act(
        caller: Caller,
        path: str,
        action: str,
        *,
        overwrite: bool = True,
        session_token: str = "",
        body: Completion | None = None,
    ) -> dict[str, Any]:
        match action:
            case "initiate-upload":
                return {
                    "multipart_upload": {"session_token": uploads.begin(caller, path, overwrite=overwrite)}
                }
            case "complete-upload":
                parts = {part.part_number: part.etag for part in body.parts} if body else {}
                uploads.complete(caller, session_token, parts)
                return {}
            case _:
                raise BadRequest(f"{action!r} is not an action; give initiate-upload or complete-upload.")

    @api.post("/create-upload-part-urls")
    async def part_urls(caller: Caller, request: Request, body: PartUrls) -> dict[str, Any]:
        uploads.require(caller, body.session_token)
        numbers = range(body.start_part_number, body.start_part_number + body.count)
        urls = [
            {"part_number": number, "url": f"{_address(request, body.session_token)}/{number}"}
            for number in numbers
        ]
        return {"upload_part_urls": urls}

    @api.post("/create-abort-upload-url")
    async def abort_url(caller: Caller, request: Request, body: AbortUrl) -> dict[str, Any]:
        uploads.require(caller, body.session_token)
        return {"abort_upload_url": {"url": _address(request, body.session_token)}}

    @api.put("/uploads/{token}/{number}")
    async def write_part(token: str, number: int, request: Request) -> Response:
        with uploads.part(token, number) as file:
            async for block in blocks(request.stream()):
                await to_thread.run_sync(file.write, block)
        return Response(headers={"ETag": uploads.part_written(token, number)})

    @api.delete("/uploads/{token}")
    def abort(token: str) -> Response:
        uploads.abort(token)
        return Response()

    return api


def _address(request: Request, token: str) -> str:
    return f"{request.base_url}api/2.0/fs/uploads/{token}"
