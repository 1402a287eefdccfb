"""Multipart uploads on the wire: begin, addresses of parts, the parts themselves, complete, abort."""

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Body, Request, Response

from local_workspace.api.files.blocks import blocks
from local_workspace.api.files.uploads import Uploads
from local_workspace.errors import BadRequest
from local_workspace.identity import Caller

Json = Annotated[dict[str, Any], Body()]


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
        body: Annotated[dict[str, Any] | None, Body()] = None,
    ) -> dict[str, Any]:
        match action:
            case "initiate-upload":
                return {
                    "multipart_upload": {"session_token": uploads.begin(caller, path, overwrite=overwrite)}
                }
            case "complete-upload":
                uploads.complete(caller, session_token, _parts(body or {}))
                return {}
            case _:
                raise BadRequest(f"{action!r} is not an action; give initiate-upload or complete-upload.")

    @api.post("/create-upload-part-urls")
    async def part_urls(caller: Caller, request: Request, body: Json) -> dict[str, Any]:
        token, first = body["session_token"], int(body["start_part_number"])
        uploads.require(caller, token)
        numbers = range(first, first + int(body.get("count", 1)))
        urls = [
            {
                "part_number": number,
                "url": f"{request.base_url}api/2.0/fs/uploads/{token}/{number}",
                "headers": [],
            }
            for number in numbers
        ]
        return {"upload_part_urls": urls}

    @api.post("/create-abort-upload-url")
    async def abort_url(caller: Caller, request: Request, body: Json) -> dict[str, Any]:
        uploads.require(caller, body["session_token"])
        return {"abort_upload_url": {"url": f"{request.base_url}api/2.0/fs/uploads/{body['session_token']}"}}

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


def _parts(body: dict[str, Any]) -> dict[int, str]:
    try:
        return {int(part["part_number"]): str(part["etag"]) for part in body["parts"]}
    except (KeyError, TypeError, ValueError) as error:
        raise BadRequest("Give parts, a list of {part_number, etag}.") from error
