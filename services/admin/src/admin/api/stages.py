"""What can be run: targets, stages, parameters, and what a run would do."""

from fastapi import APIRouter

from admin.api import examples
from admin.api.requests import PlanRequest
from admin.desk import Desk
from admin.shapes import ParameterView, RunPlan, StageDetail, StageView, TargetView


def router(desk: Desk) -> APIRouter:
    """The addresses of stages and plans."""
    api = APIRouter()

    @api.get("/targets", tags=["stages"], summary="Named sets of stages", responses=examples.TARGETS)
    def get_targets() -> list[TargetView]:
        """Every target with its stages, the parameters it sets, and how much of it is there."""
        return desk.overview.targets()

    @api.get("/stages", tags=["stages"], summary="All stages", responses=examples.STAGES)
    def get_stages() -> list[StageView]:
        """Whether each is there and well, and, apart from that, how its last run ended."""
        return desk.overview.stages()

    @api.get("/stages/{name}", tags=["stages"], summary="One stage", responses=examples.STAGE)
    def get_stage(name: str) -> StageDetail:
        """A stage with its resources."""
        return desk.overview.stage(name)

    @api.get("/parameters", tags=["stages"], summary="All parameters", responses=examples.PARAMETERS)
    def get_parameters() -> list[ParameterView]:
        """What each means, its default, its value in the last successful run, and what a change restarts."""
        return desk.overview.parameters()

    @api.post("/plans", tags=["stages"], summary="What a run would do", responses=examples.PLAN)
    async def make_plan(request: PlanRequest) -> RunPlan:
        """What would be created, changed, kept or removed, in order; nothing is done. Its digest starts just that."""
        return await desk.slow.run(desk.plane.plan, request.wish())

    return api
