"""Who is asking: read from the headers that the platform's proxy sets, and from nowhere else."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from caspers.errors import Refused


@dataclass(frozen=True)
class Identity:
    """A person or a service principal; a service principal has no e-mail."""

    user_id: str
    email: str = ""
    name: str = ""

    @property
    def label(self) -> str:
        """What to show and to record: the e-mail of a person, else the best name there is."""
        return self.email or self.name or self.user_id


class NobodyAsks(Refused):
    """The request carries no identity, so it did not come through the platform's proxy."""


def identity_of(request: Request) -> Identity | None:
    """The identity in the forwarded headers, or None when there is none."""
    user_id = request.headers.get("x-forwarded-user", "")
    email = request.headers.get("x-forwarded-email", "")
    name = request.headers.get("x-forwarded-preferred-username", "")
    if not (user_id or email or name):
        return None
    return Identity(user_id or email or name, email, name)


async def caller(request: Request) -> Identity:
    """The identity of the request. Raises `NobodyAsks`."""
    identity = identity_of(request)
    if identity is None:
        raise NobodyAsks(
            "this request says nothing about who is asking",
            what_now="Open the app by its address in the workspace.",
        )
    return identity


class AskedFromElsewhere(Refused):
    """Another site's page made the visitor's browser send this request."""


async def same_site(request: Request) -> None:
    """Refuse changes that another site's page asks for in the visitor's name; scripts and our own pages pass."""
    changes = request.method not in {"GET", "HEAD", "OPTIONS"}
    if changes and request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        raise AskedFromElsewhere("this change was asked for by another site's page")


#: `caller: Caller` in a route's signature says that it needs to know who asks.
Caller = Annotated[Identity, Depends(caller)]
