"""`/api/2.0/workspace`: import, export, list and delete workspace objects."""

import base64
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Body, Query, Request, Response
from starlette.datastructures import UploadFile

from local_workspace.api.workspace_files.rules import WorkspaceFiles, WorkspaceObject
from local_workspace.errors import InvalidParameterValue, NotImplementedHere
from local_workspace.identity import Caller
from local_workspace.wire import without_empty

EXPORT_FORMATS = {"SOURCE", "RAW", "AUTO"}

Json = Annotated[dict[str, Any], Body()]


def router(service: WorkspaceFiles) -> APIRouter:
    """The routes of workspace files."""
    api = APIRouter(prefix="/api/2.0/workspace")

    @api.post("/mkdirs")
    async def make_directory(caller: Caller, body: Json) -> dict[str, Any]:
        service.make_directory(caller, _path(body))
        return {}

    @api.post("/import")
    async def import_object(caller: Caller, request: Request) -> dict[str, Any]:
        fields, content = await _import_fields(request)
        await to_thread.run_sync(
            lambda: service.write(
                caller,
                _path(fields),
                content,
                str(fields.get("format") or "SOURCE"),
                fields.get("language") or None,
                overwrite=str(fields.get("overwrite", "")).lower() == "true",
            )
        )
        return {}

    @api.get("/export", response_model=None)
    def export(
        caller: Caller,
        path: str,
        export_format: Annotated[str, Query(alias="format")] = "SOURCE",
        *,
        direct_download: bool = False,
    ) -> Response | dict[str, Any]:
        if export_format not in EXPORT_FORMATS or service.status(caller, path).is_directory:
            raise NotImplementedHere(
                f"Only single objects are exported here, as {', '.join(sorted(EXPORT_FORMATS))}."
            )
        content = service.read(caller, path)
        if direct_download:
            return Response(content, media_type="application/octet-stream")
        return {"content": base64.b64encode(content).decode()}

    @api.get("/get-status")
    def status(caller: Caller, path: str) -> dict[str, Any]:
        return _shape(service.status(caller, path))

    @api.get("/list")
    def entries(caller: Caller, path: str, notebooks_modified_after: int = 0) -> dict[str, Any]:
        found = service.entries(caller, path)
        return {"objects": [_shape(item) for item in found if item.modified_at >= notebooks_modified_after]}

    @api.post("/delete")
    def delete(caller: Caller, body: Json) -> dict[str, Any]:
        service.delete(caller, _path(body), recursive=bool(body.get("recursive")))
        return {}

    return api


async def _import_fields(request: Request) -> tuple[dict[str, Any], bytes]:
    """The fields and the content of an import, which comes as JSON or as a form."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form() as form:
            content = form.get("content")
            data = await content.read() if isinstance(content, UploadFile) else (content or "").encode()
            return {name: value for name, value in form.items() if isinstance(value, str)}, data
    try:
        fields = await request.json()
        return fields, base64.b64decode(fields.get("content") or "", validate=True)
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidParameterValue(
            "An import is a form, or a JSON object whose content is base64."
        ) from error


def _path(fields: dict[str, Any]) -> str:
    path = fields.get("path")
    if not isinstance(path, str) or not path:
        raise InvalidParameterValue("path is missing.")
    return path


def _shape(item: WorkspaceObject) -> dict[str, Any]:
    """An ObjectInfo."""
    kind = "DIRECTORY" if item.is_directory else "NOTEBOOK" if item.language else "FILE"
    return without_empty(
        {
            "object_type": kind,
            "object_id": item.object_id,
            "resource_id": str(item.object_id),
            "path": item.path,
            "language": item.language,
            "size": item.size if kind == "FILE" else None,
            "modified_at": None if item.is_directory else item.modified_at,
        }
    )
