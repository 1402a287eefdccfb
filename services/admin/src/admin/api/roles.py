"""Who may do what."""

from typing import Annotated

from caspers.review.texts import ShortText
from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from admin.api import examples
from admin.api.access import Asking
from admin.desk import Desk
from admin.shapes import Me, Role, RoleGrant

Principal = Annotated[
    Annotated[ShortText, Field(min_length=1)],
    Path(description="a person's e-mail, or a service principal's id"),
]


class RoleWish(BaseModel):
    """The role to give."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"role": "operator"}]})

    role: Role


def router(desk: Desk) -> APIRouter:
    """The addresses of people and roles."""
    api = APIRouter(tags=["people"])

    @api.get("/me", summary="Who I am here", responses=examples.ME)
    def get_me(actor: Asking) -> Me:
        """The caller, their role, and all that it allows."""
        return Me(actor.who, actor.role, actor.allowed)

    @api.get("/roles", summary="Who has which role", responses=examples.ROLES)
    def get_roles() -> list[RoleGrant]:
        """Everybody else who can open the app is a viewer; whoever deployed it owns it."""
        return list(desk.roles.grants())

    @api.put("/roles/{principal}", summary="Give a role", responses=examples.ROLE)
    def give_role(principal: Principal, wish: RoleWish, actor: Asking) -> RoleGrant:
        """Instead of the one they had."""
        desk.activity.demand(actor, "role.grant", principal)
        grant = desk.roles.grant(principal, wish.role, by=actor.who)
        desk.activity.record(actor, "role.grant", principal, {"role": wish.role})
        return grant

    @api.delete("/roles/{principal}", status_code=204, summary="Take a role away")
    def take_role(principal: Principal, actor: Asking) -> None:
        """They are a viewer from then on."""
        desk.activity.demand(actor, "role.revoke", principal)
        desk.roles.revoke(principal)
        desk.activity.record(actor, "role.revoke", principal)

    return api
