"""A client of an app's REST API, by the app's address and a workspace token."""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
from caspers.errors import CaspersError, Conflict, Invalid, NotFound, Refused, Unavailable

TIMEOUT_S = 60.0
APP_API = "/api"
ADMIN_API = "/api/v1"
LONGEST_PAGE = 200
"""Entries in one answer of a long list."""

_KINDS: dict[int, type[CaspersError]] = {
    403: Refused,
    401: Refused,
    404: NotFound,
    409: Conflict,
    422: Invalid,
}


class AppClient:
    """Calls the API of one app; its problem documents come back as our own errors."""

    def __init__(
        self, name: str, url: str, token: str, timeout_s: float = TIMEOUT_S, api: str = APP_API
    ) -> None:
        self._name = name
        self._api = api
        self._http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout_s,
            follow_redirects=False,
            trust_env=False,
        )

    def get(self, path: str, **query: str | float | bool | None) -> Any:
        """What is at an address; query parameters that are None are left out."""
        return self._call("GET", path, params=_given(query))

    def post(
        self, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        return self._call("POST", path, json=dict(body or {}), headers=dict(headers or {}))

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._call("PUT", path, json=dict(body))

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._call("PATCH", path, json=dict(body))

    def delete(self, path: str) -> Any:
        return self._call("DELETE", path)

    def newest(self, path: str, limit: int, **query: str | float | bool | None) -> Iterator[dict[str, Any]]:
        """The first `limit` entries of a long list, page by page."""
        after: str | None = None
        while limit > 0:
            page = self.get(path, limit=min(limit, LONGEST_PAGE), after=after, **query)
            yield from page["entries"]
            limit -= len(page["entries"])
            after = page["next"]
            if after is None:
                return

    def _call(self, method: str, path: str, **what: Any) -> Any:
        """Raises the kind of error that the app reports, or `Unavailable` when it does not answer as itself."""
        try:
            answer = self._http.request(method, f"{self._api}{path}", **what)
        except httpx.HTTPError as error:
            raise Unavailable(f"app {self._name} does not answer: {error}") from error
        if answer.is_success and not answer.content:
            return None
        if answer.is_success and "json" in answer.headers.get("content-type", ""):
            return answer.json()
        raise _error(self._name, answer)


def _given(query: Mapping[str, str | float | bool | None]) -> dict[str, str | float | bool]:
    return {name: value for name, value in query.items() if value is not None}


def _error(name: str, answer: httpx.Response) -> CaspersError:
    # A redirect to a login page, or any page at all, is the platform's proxy speaking, not the app.
    if "problem+json" not in answer.headers.get("content-type", ""):
        return Unavailable(f"app {name} does not answer as itself (HTTP {answer.status_code})")
    problem = answer.json()
    kind = _KINDS.get(answer.status_code, Unavailable)
    return kind(problem.get("detail") or problem.get("title", ""), what_now=problem.get("what_now", ""))
