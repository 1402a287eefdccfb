"""The address of a list as it is asked for, with some of its filters changed: what tabs and links of a page point to."""

from urllib.parse import urlencode

from fastapi import Request


class Addresses:
    """The address of the page as it is asked for, with some of its filters changed."""

    def __init__(self, request: Request) -> None:
        self._path = request.url.path
        self._asked = {name: value for name, value in request.query_params.items() if value}

    def __call__(self, path: str = "", **changes: str | None) -> str:
        """The same filters with `changes`; None drops one. Places in the list are forgotten."""
        wanted = self._asked | {"after": None, "limit": None} | changes
        query = urlencode({name: value for name, value in wanted.items() if value is not None})
        return f"{path or self._path}{'?' if query else ''}{query}"
