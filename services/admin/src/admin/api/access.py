"""Who asks, and in which role: a parameter `actor: Asking` of a route."""

from typing import Annotated

from caspers.web.identity import Caller
from fastapi import Depends, Request

from admin.roles import Actor, Roles


def asking(request: Request, caller: Caller) -> Actor:
    """The caller in their role. Raises `NobodyAsks`."""
    roles: Roles = request.app.state.roles
    return roles.actor(caller)


Asking = Annotated[Actor, Depends(asking)]
