"""What can be run: targets, stages, parameters, and what a run would do."""

from fastapi import APIRouter, Response

from admin.api import examples
from admin.api.answers import writer_of
from admin.api.requests import PlanRequest
from admin.desk import Desk
from admin.shapes import ParameterView, RunPlan, StageDetail, StageView, TargetView


def router(desk: Desk) -> APIRouter:
    """The addresses of stages and plans."""
    api = APIRouter()
    write_targets, write_stages = writer_of(list[TargetView]), writer_of(list[StageView])
    write_parameters = writer_of(list[ParameterView])

    @api.get(
        "/targets",
        tags=["stages"],
        summary="Named sets of stages",
        response_model=list[TargetView],
        responses=examples.TARGETS,
    )
    def get_targets() -> Response:
        """Every target with its stages, the parameters it sets, and how much of it is there."""
        return write_targets(desk.overview.targets())

    @api.get(
        "/stages",
        tags=["stages"],
        summary="All stages",
        response_model=list[StageView],
        responses=examples.STAGES,
    )
    def get_stages() -> Response:
        """Whether each is there and well, and, apart from that, how its last run ended."""
        return write_stages(desk.overview.stages())

    @api.get("/stages/{name}", tags=["stages"], summary="One stage", responses=examples.STAGE)
    def get_stage(name: str) -> StageDetail:
        """A stage with its resources."""
        return desk.overview.stage(name)

    @api.get(
        "/parameters",
        tags=["stages"],
        summary="All parameters",
        response_model=list[ParameterView],
        responses=examples.PARAMETERS,
    )
    def get_parameters() -> Response:
        """What each means, its default, its value in the last successful run, and what a change restarts."""
        return write_parameters(desk.overview.parameters())

    @api.post("/plans", tags=["stages"], summary="What a run would do", responses=examples.PLAN)
    async def make_plan(request: PlanRequest) -> RunPlan:
        """What would be created, changed, kept or removed, in order; nothing is done. Its digest starts just that."""
        return await desk.slow.run(desk.plane.plan, request.wish())

    return api
