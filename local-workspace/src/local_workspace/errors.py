"""The errors of the REST API, in Databricks' own codes and shape.

    ApiError
      BadRequest               400  BAD_REQUEST
      InvalidParameterValue    400  INVALID_PARAMETER_VALUE
      InvalidState             400  INVALID_STATE
      Unauthenticated          401  UNAUTHENTICATED
      PermissionDenied         403  PERMISSION_DENIED
      NotFound                 404  NOT_FOUND
      ResourceDoesNotExist     404  RESOURCE_DOES_NOT_EXIST
      AlreadyExists            409  ALREADY_EXISTS
      ResourceAlreadyExists    409  RESOURCE_ALREADY_EXISTS
      ResourceConflict         409  RESOURCE_CONFLICT
      TooManyRequests          429  REQUEST_LIMIT_EXCEEDED
      NotImplementedHere       501  NOT_IMPLEMENTED
      TemporarilyUnavailable   503  TEMPORARILY_UNAVAILABLE

The SDK maps the code to its own exception class (databricks/sdk/errors/platform.py).
"""

from typing import Any, ClassVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException


class ApiError(Exception):
    """Something the caller must know: a sentence, with an HTTP status and Databricks' error code.

    Args:
        message: what happened, to what, and what to do now.
        details: further objects for the `details` list, as the platform sends for some errors.
        error_code: a code other than the class's own, where one API has its own.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "INTERNAL_ERROR"

    def __init__(
        self, message: str, *, details: list[dict[str, Any]] | None = None, error_code: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = details or []
        self.error_code = error_code or self.code

    def body(self) -> dict[str, Any]:
        """The JSON of the answer."""
        answer: dict[str, Any] = {"error_code": self.error_code, "message": self.message}
        if self.details:
            answer["details"] = self.details
        return answer


class BadRequest(ApiError):
    """The request cannot be understood or carried out as it is."""

    status, code = 400, "BAD_REQUEST"


class InvalidParameterValue(ApiError):
    """A field has a value that is not allowed."""

    status, code = 400, "INVALID_PARAMETER_VALUE"


class InvalidState(ApiError):
    """The object is not in a state that allows this."""

    status, code = 400, "INVALID_STATE"


class Unauthenticated(ApiError):
    """No valid token came with the request."""

    status, code = 401, "UNAUTHENTICATED"


class PermissionDenied(ApiError):
    """The principal may not do this."""

    status, code = 403, "PERMISSION_DENIED"


class NotFound(ApiError):
    """The thing named does not exist."""

    status, code = 404, "NOT_FOUND"


class ResourceDoesNotExist(ApiError):
    """The same, where the older APIs say it this way."""

    status, code = 404, "RESOURCE_DOES_NOT_EXIST"


class AlreadyExists(ApiError):
    """Something of that name is there already."""

    status, code = 409, "ALREADY_EXISTS"


class ResourceAlreadyExists(ApiError):
    """The same, where the older APIs say it this way."""

    status, code = 409, "RESOURCE_ALREADY_EXISTS"


class ResourceConflict(ApiError):
    """Another operation on the same object is under way, or it is not empty."""

    status, code = 409, "RESOURCE_CONFLICT"


class TooManyRequests(ApiError):
    """The caller goes faster than allowed."""

    status, code = 429, "REQUEST_LIMIT_EXCEEDED"


class NotImplementedHere(ApiError):
    """The platform can do this, the local workspace cannot."""

    status, code = 501, "NOT_IMPLEMENTED"


class TemporarilyUnavailable(ApiError):
    """An engine is starting or was lost and is coming back; the same call will work soon."""

    status, code = 503, "TEMPORARILY_UNAVAILABLE"


def install(app: FastAPI) -> None:
    """Make every error of `app` leave in Databricks' shape."""

    @app.exception_handler(ApiError)
    async def api_error(_request: Request, error: ApiError) -> JSONResponse:
        return JSONResponse(error.body(), status_code=error.status)

    @app.exception_handler(RequestValidationError)
    async def malformed(_request: Request, error: RequestValidationError) -> JSONResponse:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()
        )
        return JSONResponse({"error_code": "INVALID_PARAMETER_VALUE", "message": faults}, status_code=400)

    @app.exception_handler(Exception)
    async def surprise(request: Request, error: Exception) -> JSONResponse:
        # The traceback is logged by the server; the caller learns where to look.
        said = f"{request.method} {request.url.path} failed inside the workspace: {type(error).__name__}. Its log says more."
        return JSONResponse(ApiError(said).body(), status_code=ApiError.status)

    @app.exception_handler(HTTPException)
    async def unknown_route(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code in {404, 405}:
            missing = NotImplementedHere(
                f"The local workspace does not support {request.method} {request.url.path}."
            )
            return JSONResponse(missing.body(), status_code=missing.status)
        return JSONResponse(
            {"error_code": "BAD_REQUEST", "message": str(error.detail)}, status_code=error.status_code
        )
