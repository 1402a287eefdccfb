"""What a client asks before anything else: where to log in, a token, and who it is."""

import base64
import binascii
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse

from local_workspace.errors import Unauthenticated
from local_workspace.identity import Caller, Identities, Principal


def router(identities: Identities, workspace_id: int) -> APIRouter:
    """The routes of discovery, `/oidc` and the current user."""
    api = APIRouter()

    @api.get("/.well-known/databricks-config")
    async def configuration(request: Request) -> dict[str, Any]:
        return {"oidc_endpoint": f"{_origin(request)}/oidc", "workspace_id": str(workspace_id)}

    @api.get("/oidc/.well-known/oauth-authorization-server")
    @api.get("/oidc/.well-known/openid-configuration")
    async def authorization_server(request: Request) -> dict[str, Any]:
        issuer = f"{_origin(request)}/oidc"
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/v1/authorize",
            "token_endpoint": f"{issuer}/v1/token",
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }

    @api.post("/oidc/v1/token")
    async def token(
        request: Request,
        grant_type: Annotated[str, Form()],
        client_id: Annotated[str, Form()] = "",
        client_secret: Annotated[str, Form()] = "",
    ) -> JSONResponse:
        if grant_type != "client_credentials":
            return _refused(
                "unsupported_grant_type", f"Only client_credentials is supported, not {grant_type!r}.", 400
            )
        basic = _basic_credentials(request)
        try:
            issued = identities.exchange(*(basic or (client_id, client_secret)))
        except Unauthenticated as error:
            return _refused("invalid_client", error.message, 401)
        seconds = int(identities.token_life.total_seconds())
        return JSONResponse(
            {"access_token": issued, "token_type": "Bearer", "expires_in": seconds, "scope": "all-apis"}
        )

    @api.get("/api/2.0/preview/scim/v2/Me")
    async def me(caller: Caller) -> dict[str, Any]:
        return _scim(caller)

    @api.post("/api/2.0/token/create")
    async def create_token(caller: Caller) -> dict[str, Any]:
        return {"token_value": identities.issue_personal_token(caller), "token_info": {"comment": ""}}

    return api


def _origin(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _basic_credentials(request: Request) -> tuple[str, str] | None:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user, password


def _refused(error: str, description: str, status: int) -> JSONResponse:
    return JSONResponse({"error": error, "error_description": description}, status_code=status)


def _scim(principal: Principal) -> dict[str, Any]:
    emails = [{"value": principal.name, "primary": True, "type": "work"}] if principal.is_user else []
    groups = [{"display": "admins", "value": "admins"}] if principal.admin else []
    return {
        "id": str(principal.id),
        "userName": principal.name,
        "displayName": principal.display_name,
        "active": True,
        "emails": emails,
        "groups": groups,
    }
