"""A client of an app's REST API, by the app's address and a workspace token."""

from typing import Any

import httpx
from caspers.errors import CaspersError, Conflict, Invalid, NotFound, Refused, Unavailable

TIMEOUT_S = 60.0

_KINDS: dict[int, type[CaspersError]] = {
    403: Refused,
    401: Refused,
    404: NotFound,
    409: Conflict,
    422: Invalid,
}


class AppClient:
    """Calls `/api/…` of one app; its problem documents come back as our own errors."""

    def __init__(self, name: str, url: str, token: str, timeout_s: float = TIMEOUT_S) -> None:
        self._name = name
        self._http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout_s,
            follow_redirects=False,
            trust_env=False,
        )

    def get(self, path: str, **query: str | int) -> Any:
        return self._call("GET", path, params=query)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._call("POST", path, json=body or {})

    def _call(self, method: str, path: str, **what: Any) -> Any:
        """Raises the kind of error that the app reports, or `Unavailable` when it does not answer as itself."""
        try:
            answer = self._http.request(method, f"/api{path}", **what)
        except httpx.HTTPError as error:
            raise Unavailable(f"app {self._name} does not answer: {error}") from error
        if answer.is_success and "json" in answer.headers.get("content-type", ""):
            return answer.json()
        raise _error(self._name, answer)


def _error(name: str, answer: httpx.Response) -> CaspersError:
    # A redirect to a login page, or any page at all, is the platform's proxy speaking, not the app.
    if "problem+json" not in answer.headers.get("content-type", ""):
        return Unavailable(f"app {name} does not answer as itself (HTTP {answer.status_code})")
    problem = answer.json()
    kind = _KINDS.get(answer.status_code, Unavailable)
    return kind(problem.get("detail") or problem.get("title", ""), what_now=problem.get("what_now", ""))
