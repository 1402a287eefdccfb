"""The refund manager: its workers, its API and its pages, wired together."""

from typing import Any

from caspers.agents.deliveries import Deliveries
from caspers.agents.model_endpoint import CallLimits, ModelEndpoint
from caspers.agents.order_facts import FactsReader, function_tools
from caspers.agents.run_log import RunLog
from caspers.clients.lakebase import refund_database
from caspers.clients.volume import Volume
from caspers.review.api import evidence
from caspers.review.case_facts import CaseFacts
from caspers.review.console import Filling, Platform, Running, console_app, open_platform
from caspers.review.order_events import OrderEvent
from caspers.settings import Settings
from caspers.worker.loop import WorkerLoop
from fastapi import APIRouter, FastAPI

from refund_manager import pages, recommender
from refund_manager.api import agent, cases, decisions, evaluation, history, policy, queue, upstream
from refund_manager.desk import Desk, open_desk
from refund_manager.evidence import evidence_room
from refund_manager.history import refund_history
from refund_manager.recommendations import LINE, RecommendationStore
from refund_manager.schema import TABLES, apply_schema

CASES_WORKER = "refund_cases"


def build_app(settings: Settings) -> FastAPI:
    """The app, not yet running: its workers start and stop with it."""
    platform = open_platform(settings, "caspers-refund-manager", refund_database)
    desk = open_desk(platform.database, platform.clock)
    filling = Filling(lambda: apply_schema(platform.database), desk.intake.step)
    workers = (
        WorkerLoop(recommender.WORKER, _recommender(platform).step, platform.control, platform.clock),
        WorkerLoop(CASES_WORKER, filling.step, platform.control, platform.clock),
    )
    agent_model = ModelEndpoint(platform.workspace, settings.llm_model, platform.clock)

    running = Running(filling, workers, agent_model.close)
    app = console_app("Casper's refunds", pages.LOOK, platform, running)
    for router in (*_reviewing(platform, desk), *_asking(platform, agent_model)):
        app.include_router(router)
    return app


def _recommender(platform: Platform) -> recommender.Recommender:
    names, clock = platform.settings.names, platform.clock
    checkpoints = Volume(platform.workspace, names.recommender_checkpoints_path)

    def open_model(name: str, limits: CallLimits) -> ModelEndpoint:
        return ModelEndpoint(platform.workspace, name, clock, limits)

    desk = recommender.Desk(
        Deliveries(platform.warehouse(), checkpoints, names, LINE),
        FactsReader(platform.warehouse(), names, clock),
        RecommendationStore(platform.warehouse(), names),
        open_model,
        clock,
    )
    return recommender.Recommender(desk)


def _reviewing(platform: Platform, desk: Desk) -> list[APIRouter]:
    """What reviewers work with: cases and their evidence, decisions, what came of them, and the pages of it all."""
    names, clock, database = platform.settings.names, platform.clock, platform.database
    facts = CaseFacts(platform.reading, names, clock)
    room = evidence_room(facts, platform.reading, database)
    past = refund_history(database)
    return [
        queue.router(desk),
        cases.router(desk),
        decisions.router(desk),
        policy.router(desk),
        history.router(desk, past),
        pages.router(desk, past),
        *evidence.routers(room, TABLES.key),
        upstream.router(desk, lambda order_id: [_plain(event) for event in room.events(order_id)]),
    ]


def _asking(platform: Platform, model: ModelEndpoint) -> list[APIRouter]:
    """The agent for programs."""
    names = platform.settings.names
    tools = function_tools(platform.warehouse(), names)
    desk = agent.AgentDesk(model, tools, RunLog(platform.warehouse(), names), platform.clock)
    return [agent.router(desk), evaluation.router(model, platform.clock)]


def _plain(event: OrderEvent) -> dict[str, Any]:
    return {
        "event_type": event.kind,
        "ts": event.at.isoformat(),
        "sequence": event.sequence,
        "body": dict(event.body),
    }
