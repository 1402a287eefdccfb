"""`/api/2.0/fs`: files and directories of volumes; bodies are streamed in both directions."""

import os
from collections.abc import Iterator
from email.utils import formatdate, parsedate_to_datetime
from typing import Annotated, Any, BinaryIO

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from local_workspace.api.files.blocks import BLOCK_BYTES, blocks
from local_workspace.api.files.ranges import UnsatisfiableRange, byte_range
from local_workspace.api.files.rules import VolumeFiles
from local_workspace.identity import Caller

MAX_PAGE = 1000
CONTENT_TYPE = "application/octet-stream"


def router(service: VolumeFiles) -> APIRouter:
    """The routes of the Files API."""
    api = APIRouter(prefix="/api/2.0/fs")
    _add_files(api, service)
    _add_directories(api, service)
    return api


def _add_files(api: APIRouter, service: VolumeFiles) -> None:
    @api.put("/files/{path:path}")
    async def write(caller: Caller, path: str, request: Request, *, overwrite: bool = True) -> Response:
        with service.new_file(caller, path, overwrite=overwrite) as file:
            async for block in blocks(request.stream()):
                await to_thread.run_sync(file.write, block)
        return Response(status_code=204)

    @api.get("/files/{path:path}")
    def read(caller: Caller, path: str, request: Request) -> Response:
        file = service.open(caller, path)
        return _download(file, request.headers.get("range"), request.headers.get("if-unmodified-since"))

    @api.head("/files/{path:path}")
    def head(caller: Caller, path: str) -> Response:
        with service.open(caller, path) as file:
            return Response(headers=_headers(os.fstat(file.fileno())), media_type=CONTENT_TYPE)

    @api.delete("/files/{path:path}")
    async def delete(caller: Caller, path: str) -> Response:
        service.delete_file(caller, path)
        return Response(status_code=204)


def _add_directories(api: APIRouter, service: VolumeFiles) -> None:
    @api.put("/directories/{path:path}")
    async def make(caller: Caller, path: str) -> Response:
        service.make_directory(caller, path)
        return Response(status_code=204)

    @api.get("/directories/{path:path}")
    def contents(
        caller: Caller,
        path: str,
        size: Annotated[int, Query(alias="page_size", ge=0)] = MAX_PAGE,
        after: Annotated[str, Query(alias="page_token")] = "",
    ) -> dict[str, Any]:
        limit = min(size or MAX_PAGE, MAX_PAGE)
        directory, found = service.entries(caller, path, after=after, limit=limit + 1)
        shown = [
            {
                "path": f"{directory}/{entry.name}",
                "name": entry.name,
                "is_directory": entry.is_directory,
                "last_modified": entry.modified_ms,
            }
            | ({} if entry.is_directory else {"file_size": entry.size})
            for entry in found[:limit]
        ]
        more = {"next_page_token": found[limit - 1].name} if len(found) > limit else {}
        return {"contents": shown} | more

    @api.head("/directories/{path:path}")
    async def exists(caller: Caller, path: str) -> Response:
        service.require_directory(caller, path)
        return Response()

    @api.delete("/directories/{path:path}")
    async def delete(caller: Caller, path: str) -> Response:
        service.delete_directory(caller, path)
        return Response(status_code=204)


def _download(file: BinaryIO, range_header: str | None, unmodified_since: str | None) -> Response:
    status = os.fstat(file.fileno())
    if _modified_since(status, unmodified_since):
        file.close()
        return Response(status_code=412)
    try:
        part = byte_range(range_header, status.st_size)
    except UnsatisfiableRange:
        file.close()
        return Response(status_code=416, headers={"content-range": f"bytes */{status.st_size}"})
    headers = _headers(status)
    if part is None:
        return StreamingResponse(_content(file, range(status.st_size)), 200, headers, CONTENT_TYPE)
    headers |= {
        "content-length": str(len(part)),
        "content-range": f"bytes {part.start}-{part.stop - 1}/{status.st_size}",
    }
    return StreamingResponse(_content(file, part), 206, headers, CONTENT_TYPE)


def _content(file: BinaryIO, part: range) -> Iterator[bytes]:
    with file:
        file.seek(part.start)
        left = len(part)
        while left:
            block = file.read(min(left, BLOCK_BYTES))
            if not block:
                return
            left -= len(block)
            yield block


def _headers(status: os.stat_result) -> dict[str, str]:
    return {
        "content-length": str(status.st_size),
        "last-modified": formatdate(status.st_mtime, usegmt=True),
        "accept-ranges": "bytes",
    }


def _modified_since(status: os.stat_result, header: str | None) -> bool:
    """Whether the file is newer than an If-Unmodified-Since header allows; a header that is no date counts for nothing."""
    if not header:
        return False
    try:
        return int(status.st_mtime) > parsedate_to_datetime(header).timestamp()
    except ValueError:
        return False
