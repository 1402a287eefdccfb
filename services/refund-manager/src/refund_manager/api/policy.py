"""The policy of deciding as JSON: the version in force, the ones before it, a new one, and the switch to turn it off."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal

from caspers.review.queue_query import Usd
from caspers.review.texts import Note
from caspers.web.identity import Caller
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from refund_manager.approval_policy import Limits, PolicyVersion
from refund_manager.approval_rules import REASONS, RefundClass
from refund_manager.desk import Desk

Explanation = Annotated[Note, Field(min_length=5)]


class NewPolicy(BaseModel):
    """The limits to put in force, and why."""

    model_config = ConfigDict(extra="forbid")

    explanation: Explanation = Field(description="why it is like this; people read it later")
    enabled: bool = Field(False, description="whether cases are approved without a person at all")
    approve_below_usd: Usd = Field(description="smaller refunds may be approved without a person")
    approve_classes: tuple[RefundClass, ...] = Field((), max_length=3)
    approve_origins: tuple[Literal["model", "rules"], ...] = Field(("model", "rules"), max_length=2)
    second_person_above_usd: Usd = Field(description="larger refunds need a second person")


class PolicyAnswer(BaseModel):
    """A version of the policy."""

    version: int
    valid_from: datetime
    created_by: str
    explanation: str
    enabled: bool
    approve_below_usd: float
    approve_classes: tuple[RefundClass, ...]
    approve_origins: tuple[str, ...]
    second_person_above_usd: float


class PoliciesAnswer(BaseModel):
    """The policy in force, the versions before it (newest first), and the list of reason codes."""

    current: PolicyAnswer
    versions: list[PolicyAnswer]
    reasons: dict[str, str]


class KillWish(BaseModel):
    """Why approving is switched off."""

    explanation: Note = ""


def router(desk: Desk) -> APIRouter:
    """The addresses of the policy."""
    api = APIRouter(prefix="/api/policy", tags=["policy"])

    @api.get("", summary="The policy in force, and its history")
    def policy() -> PoliciesAnswer:
        """Newest version first."""
        versions = [_answer(version) for version in desk.policy.versions()]
        return PoliciesAnswer(current=versions[0], versions=versions, reasons={**REASONS})

    @api.post("", summary="Put a new version in force", status_code=201)
    def follow_with(body: NewPolicy, caller: Caller) -> PolicyAnswer:
        """Older versions stay in the record; decisions name the version they were made under."""
        return _answer(desk.policy.follow_with(Limits(**dict(body)), caller.label))

    @api.post("/kill", summary="Switch off approving without a person")
    def kill(caller: Caller, body: KillWish | None = None) -> PolicyAnswer:
        """When this answers, no further case is approved by the policy."""
        return _answer(desk.policy.kill(caller.label, body.explanation if body else ""))

    return api


def _answer(version: PolicyVersion) -> PolicyAnswer:
    values = asdict(version)
    return PolicyAnswer.model_validate(values | values.pop("limits"))
