"""What the proxy itself says in an app's place: that it is starting, has crashed or is stopped."""

import json
from html import escape

from local_workspace.api.apps.admission import Refusal
from local_workspace.api.apps.fleet import AppStatus

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="{refresh_s}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 60rem; padding: 0 1.5rem; }}
pre {{ background: color-mix(in srgb, currentcolor 7%, transparent); overflow-x: auto; padding: 1rem; white-space: pre-wrap; }}
</style>
</head>
<body>
<h1>{title}</h1>
<pre>{text}</pre>
</body>
</html>
"""
"""Refreshes itself, so that a person sees the app as soon as it is there."""


def unavailable(app: str, status: AppStatus, *, html: bool) -> tuple[str, bytes]:
    """Content type and body of the answer for an app that cannot answer itself."""
    if not html:
        return _problem("TEMPORARILY_UNAVAILABLE", f"App {app} is not available: {status.message}")
    titles = {
        "DEPLOYING": f"{app} is starting",
        "CRASHED": f"{app} has crashed",
        "UNAVAILABLE": f"{app} is stopped",
    }
    return _page(titles.get(status.state, f"{app} does not answer"), status.message, refresh_s=2)


def refusal(refused: Refusal) -> tuple[str, bytes]:
    """The answer to a request that may not pass."""
    return _problem(refused.code, refused.message)


def _page(title: str, text: str, *, refresh_s: int) -> tuple[str, bytes]:
    body = PAGE.format(title=escape(title), text=escape(text), refresh_s=refresh_s)
    return "text/html; charset=utf-8", body.encode()


def _problem(code: str, message: str) -> tuple[str, bytes]:
    return "application/json", json.dumps({"error_code": code, "message": message}).encode()
