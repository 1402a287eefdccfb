"""The replay's clock, driven through the replayer app's own API with the admin's own identity."""

from collections.abc import Mapping
from typing import Any, Literal

import httpx
from caspers.clients.platform_errors import PLATFORM_ERRORS, from_platform
from caspers.errors import CaspersError, Conflict, Invalid, NotFound, Refused, Unavailable
from databricks.sdk import WorkspaceClient
from databricks.sdk import errors as platform

from admin.activity import Activity
from admin.roles import Actor

PATIENCE_S = 30.0

Control = Literal["pause", "resume", "speed", "seek", "step", "run-until", "tick"]

KINDS: Mapping[int, type[CaspersError]] = {403: Refused, 404: NotFound, 409: Conflict, 422: Invalid}


class ReplayClock:
    """What the replayer app says of its clock, and its controls."""

    def __init__(self, workspace: WorkspaceClient, app: str, activity: Activity) -> None:
        self._workspace = workspace
        self._app = app
        self._activity = activity
        self._http = httpx.Client(timeout=PATIENCE_S, follow_redirects=False, trust_env=False)

    def status(self) -> dict[str, Any]:
        """Where the replay is and how fast it goes. Raises `NotFound` while there is no replayer app."""
        return self._call("GET", "status", None)

    def control(self, control: Control, body: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
        """Use a control; the status that follows from it. Raises what the app answers, and `MayNot`."""
        action = f"replay.{control.replace('-', '_')}"
        self._activity.demand(actor, action, self._app)
        status = self._call("POST", control, body)
        self._activity.record(actor, action, self._app, body)
        return status

    def close(self) -> None:
        self._http.close()

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        url = f"{self._address()}/api/{path}"
        try:
            headers = self._workspace.config.authenticate()
            answer = self._http.request(method, url, headers=headers, json=body)
        except httpx.HTTPError as error:
            raise Unavailable(f"app {self._app} does not answer: {error}") from error
        except PLATFORM_ERRORS as error:
            raise from_platform(f"logging in to app {self._app}", error) from error
        if answer.is_success and "json" in answer.headers.get("content-type", ""):
            return answer.json()
        raise self._error(answer)

    def _address(self) -> str:
        try:
            url = self._workspace.apps.get(self._app).url
        except platform.NotFound:
            url = None
        except PLATFORM_ERRORS as error:
            raise from_platform(f"looking for app {self._app}", error) from error
        if not url:
            raise NotFound("there is no replay yet", what_now="Run the stage Canonical_Data.")
        return url.rstrip("/")

    def _error(self, answer: httpx.Response) -> CaspersError:
        if "problem+json" in answer.headers.get("content-type", ""):
            problem = answer.json()
            kind = KINDS.get(answer.status_code, Unavailable)
            return kind(
                problem.get("detail") or problem.get("title", ""), what_now=problem.get("what_now", "")
            )
        if answer.status_code in {302, 401, 403}:
            return Refused(
                f"app {self._app} does not let the admin in",
                what_now="Give the admin's principal CAN_USE on it, or run Canonical_Data, which does.",
            )
        # Any page at all is the platform's proxy speaking, not the app.
        return Unavailable(f"app {self._app} does not answer as itself (HTTP {answer.status_code})")
