"""Who may pass the proxy in front of an app, and under which identity headers.

A browser on this machine is the local user. A program sends a token to a path under `/api/` and is whom the token belongs
to. The app's log, at `/logz` and below, is for those who manage the app, with or without a token. Requests that a web page from elsewhere makes a browser send are refused: the name they were sent to must be a loopback
name, and whatever changes something, or opens a web socket, must come from the app's own pages.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from local_workspace import ids
from local_workspace.api.permissions.rules import Permissions
from local_workspace.errors import Unauthenticated
from local_workspace.identity import Identities, Principal

Headers = list[tuple[bytes, bytes]]
"""Names in lower case, as h11 gives them."""

HARMLESS_METHODS = {b"GET", b"HEAD", b"OPTIONS"}
SET_BY_US = (b"x-forwarded-", b"x-real-ip", b"x-request-id", b"authorization", b"forwarded")
HOP_BY_HOP = {b"keep-alive", b"proxy-connection", b"te", b"expect"}


@dataclass(frozen=True)
class Refusal:
    """Why a request does not get through."""

    status: int
    code: str
    message: str


class Admission:
    """Decides for every request to an app."""

    def __init__(self, identities: Identities, permissions: Permissions, workspace_id: int) -> None:
        self._identities = identities
        self._permissions = permissions
        self._workspace_id = workspace_id

    def decide(self, app: str, method: bytes, target: bytes, headers: Headers) -> Headers | Refusal:
        """The headers to send to the app, or why the request is refused."""
        sent = dict(headers)
        host = sent.get(b"host", b"").decode("latin-1")
        if not is_loopback(host):
            return Refusal(
                403, "PERMISSION_DENIED", f"This app answers to names of this machine only, not to {host!r}."
            )
        scheme, _, token = sent.get(b"authorization", b"").decode("latin-1").partition(" ")
        if scheme.lower() == "bearer":
            return self._with_token(app, token, target, headers)
        changes = method not in HARMLESS_METHODS or b"upgrade" in sent
        if changes and _is_from_elsewhere(sent, host):
            return Refusal(403, "PERMISSION_DENIED", "A page of another site may not do this here.")
        return self._forwarded(self._identities.ensure_local_user(), headers, host)

    def _with_token(self, app: str, token: str, target: bytes, headers: Headers) -> Headers | Refusal:
        level = "CAN_MANAGE" if is_log(target) else "CAN_USE"
        if not target.startswith(b"/api/") and level == "CAN_USE":
            return Refusal(
                401, "UNAUTHENTICATED", "Tokens are accepted for paths under /api/, and for /logz."
            )
        try:
            caller = self._identities.authenticate(token)
        except Unauthenticated as error:
            return Refusal(401, error.error_code, error.message)
        if not self._permissions.may(caller, "apps", app, level):
            return Refusal(403, "PERMISSION_DENIED", f"{caller.name} needs {level} on app {app}.")
        return self._forwarded(caller, headers, dict(headers)[b"host"].decode("latin-1"))

    def _forwarded(self, caller: Principal, headers: Headers, host: str) -> Headers:
        identity = {
            "x-forwarded-user": f"{caller.id}@{self._workspace_id}",
            "x-forwarded-preferred-username": caller.display_name if caller.is_user else caller.name,
            "x-forwarded-host": host,
            "x-forwarded-proto": "http",
            "x-real-ip": "127.0.0.1",
            "x-request-id": ids.new_uuid(),
        }
        if caller.is_user:
            identity["x-forwarded-email"] = caller.name
        return [*_passed_on(headers), *((name.encode(), value.encode()) for name, value in identity.items())]


def _passed_on(headers: Headers) -> Iterable[tuple[bytes, bytes]]:
    """What the client sent, without what only the proxy may say: servers that read `_` as `-` must not be fooled either."""
    upgrades = any(name == b"upgrade" for name, _value in headers)
    dropped = HOP_BY_HOP if upgrades else HOP_BY_HOP | {b"connection"}
    for name, value in headers:
        if not name.replace(b"_", b"-").startswith(SET_BY_US) and name not in dropped:
            yield name, value


def is_log(target: bytes) -> bool:
    """Whether a request is for the app's log, which the proxy itself shows."""
    path = target.partition(b"?")[0]
    return path == b"/logz" or path.startswith(b"/logz/")


def is_loopback(host: str) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _is_from_elsewhere(sent: dict[bytes, bytes], host: str) -> bool:
    origin = sent.get(b"origin")
    if origin is not None:
        return urlsplit(origin.decode("latin-1")).netloc != host
    return sent.get(b"sec-fetch-site", b"none") not in {b"none", b"same-origin"}
