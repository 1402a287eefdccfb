"""The complaint console: its workers, its API and its pages, wired together."""

from caspers.agents.deliveries import Deliveries
from caspers.agents.model_endpoint import CallLimits, ModelEndpoint
from caspers.agents.order_facts import FactsReader
from caspers.agents.run_log import RunLog
from caspers.clients.lakebase import complaint_database
from caspers.clients.volume import Volume
from caspers.review.api import evidence
from caspers.review.case_facts import CaseFacts
from caspers.review.console import Filling, Platform, Running, console_app, open_platform
from caspers.settings import Settings
from caspers.worker.loop import WorkerLoop
from fastapi import APIRouter, FastAPI

from complaint_console import generator, pages, raw_complaints, triage
from complaint_console.api import agent, cases, evaluation, history, queue, reviews
from complaint_console.complaint_facts import RecordsReader, function_tools
from complaint_console.desk import Desk, open_desk
from complaint_console.evidence import evidence_room
from complaint_console.history import review_history
from complaint_console.raw_complaints import RawComplaints
from complaint_console.responses import ResponseStore
from complaint_console.schema import TABLES, apply_schema

CASES_WORKER = "complaint_cases"


def build_app(settings: Settings) -> FastAPI:
    """The app, not yet running: its workers start and stop with it."""
    platform = open_platform(settings, "caspers-complaint-console", complaint_database)
    desk = open_desk(platform.database, platform.clock)
    filling = Filling(lambda: apply_schema(platform.database), desk.intake.step)
    steps = {
        generator.WORKER: _generator(platform).step,
        triage.WORKER: _triage(platform).step,
        CASES_WORKER: filling.step,
    }
    workers = [WorkerLoop(name, step, platform.control, platform.clock) for name, step in steps.items()]
    agent_model = ModelEndpoint(platform.workspace, settings.llm_model, platform.clock)

    running = Running(filling, workers, agent_model.close)
    app = console_app("Casper's complaints", pages.LOOK, platform, running)
    for router in (*_reviewing(platform, desk), *_asking(platform, agent_model)):
        app.include_router(router)
    return app


def _generator(platform: Platform) -> generator.Generator:
    names, clock = platform.settings.names, platform.clock
    checkpoints = Volume(platform.workspace, names.complaint_checkpoints_path)
    desk = generator.Desk(
        Deliveries(platform.warehouse(), checkpoints, names, raw_complaints.LINE),
        FactsReader(platform.warehouse(), names, clock),
        RawComplaints(platform.warehouse(), names),
        _opening(platform),
        clock,
    )
    return generator.Generator(desk)


def _triage(platform: Platform) -> triage.Triage:
    names, clock = platform.settings.names, platform.clock
    desk = triage.Desk(
        triage.Complaints(platform.warehouse(), names),
        RecordsReader(platform.warehouse(), names, clock),
        ResponseStore(platform.warehouse(), names),
        _opening(platform),
        clock,
    )
    return triage.Triage(desk)


def _opening(platform: Platform) -> "generator.OpenModel":
    def open_model(name: str, limits: CallLimits) -> ModelEndpoint:
        return ModelEndpoint(platform.workspace, name, platform.clock, limits)

    return open_model


def _reviewing(platform: Platform, desk: Desk) -> list[APIRouter]:
    """What reviewers work with: complaints and their evidence, reviews, what came of them, and the pages of it all."""
    facts = CaseFacts(platform.reading, platform.settings.names, platform.clock)
    room = evidence_room(facts, platform.reading, platform.database)
    past = review_history(platform.database)
    return [
        queue.router(desk),
        cases.router(desk),
        reviews.router(desk),
        history.router(desk, past),
        pages.router(desk, past),
        *evidence.routers(room, TABLES.key),
    ]


def _asking(platform: Platform, model: ModelEndpoint) -> list[APIRouter]:
    """The agent for programs."""
    names = platform.settings.names
    tools = function_tools(platform.warehouse(), names)
    desk = agent.AgentDesk(model, tools, RunLog(platform.warehouse(), names), platform.clock)
    return [agent.router(desk), evaluation.router(model, platform.clock)]
