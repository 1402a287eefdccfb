"""Bodies and query parameters that several addresses take."""

import hashlib
import json
from typing import Annotated, Any, Literal

from caspers.review.texts import ShortText
from fastapi import Header, Query
from pydantic import BaseModel, ConfigDict, Field

from admin.shapes import Action
from admin.undertaking import Wish

Name = Annotated[ShortText, Field(min_length=1)]

#: How many entries a page has.
Limit = Annotated[int, Query(ge=1, le=200, description="entries on a page")]

#: A cursor of ours: `next` of the page before.
After = Annotated[str | None, Query(max_length=600, description="`next` of the page before")]

#: The same key with the same request is answered with the run it started the first time.
Key = Annotated[
    Annotated[ShortText, Field(min_length=1)] | None,
    Header(alias="Idempotency-Key", description="the same key and body again are answered with the same run"),
]


class PlanRequest(BaseModel):
    """What to do: with a target, with some stages, or (stop and teardown) with everything."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"target": "default"},
                {"stages": ["Refund_Recommender_Stream"], "parameters": {"refund_live_share": 0.5}},
                {"action": "stop", "stages": ["Databricks_App_Refund_Manager"]},
                {"action": "teardown"},
            ]
        },
    )

    action: Action = Field("provision", description="bring about, stop without deleting, or remove")
    target: Name | None = Field(None, description="a target, see GET /api/v1/targets")
    stages: list[Name] | None = Field(
        None,
        max_length=100,
        description="stages, see GET /api/v1/stages; what they need (or what needs them) comes along",
    )
    parameters: dict[str, Any] = Field(default_factory=dict, description="parameters of the demo by name")
    on_top_of: Literal["defaults", "last_run"] = Field(
        "defaults",
        description="where the parameters that are not given come from: the last successful run, if any",
    )

    def wish(self) -> Wish:
        """The same in the domain's words."""
        return Wish(self.action, self.target, tuple(self.stages or ()), self.parameters, self.on_top_of)


class RunRequest(PlanRequest):
    """What to run."""

    confirm: ShortText = Field(
        "", description="for a teardown the word that its plan names: the catalog's, stage's or target's name"
    )
    digest: ShortText = Field(
        "", description="of the plan that was seen: the run is refused if it would do something else by now"
    )


class RepairRequest(BaseModel):
    """What changes when a run is repaired."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{}, {"parameters": {"llm_model": "my-model"}}]}
    )

    parameters: dict[str, Any] = Field(
        default_factory=dict, description="on top of the parameters of the run that is repaired"
    )


def digest_of(*parts: Any) -> str:
    """A digest of what was asked: the same for the same request."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
