"""From what the control plane stands on to all that it can show and do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from caspers.clock import Clock
from caspers.ids import IdSource
from caspers.settings import Settings
from caspers.web.turns import SlowLane
from databricks.sdk import WorkspaceClient

from admin.activity import Activity
from admin.connections import Connections
from admin.control_plane import ControlPlane
from admin.control_tables import ControlTables
from admin.demo_stages import DemoStages
from admin.desk import Desk
from admin.engine.engine import Engine
from admin.engine.registry import Registry
from admin.overview.agent_lines import COMPLAINTS, REFUNDS, LineReader
from admin.overview.data_flow import FlowReader
from admin.overview.inspection import Inspection
from admin.overview.overview import Overview
from admin.overview.status import StatusReader
from admin.overview.verifier import Verifier
from admin.replay_clock import ReplayClock
from admin.resources.kind import Kind
from admin.roles import Roles
from admin.runs.running import Runs
from admin.runs.store import RunStore
from admin.undertaking import Undertakings
from admin.workers import Workers


@dataclass(frozen=True)
class Ground:
    """What the control plane stands on."""

    settings: Settings
    workspace: WorkspaceClient
    connections: Connections
    tables: ControlTables
    registry: Registry
    kinds: Mapping[str, Kind]
    whoami: Callable[[], str]
    """Our own name on the platform."""
    stages: DemoStages
    clock: Clock
    new_id: IdSource


def assemble(ground: Ground) -> Desk:
    """All that people and programs can see and do, wired together."""
    tables, registry, stages, clock = ground.tables, ground.registry, ground.stages, ground.clock
    engine = Engine(ground.kinds, registry, clock, ground.whoami)
    activity = Activity(tables, clock)
    runs = Runs(RunStore(tables), tables, clock, ground.new_id)
    workers = Workers(tables, activity, clock, stages.workers())
    status = _status(ground, workers)
    inspection = Inspection(ground.kinds, ground.workspace.config.host or "")
    flow = FlowReader(ground.connections.warehouse, stages.names)
    verifier = Verifier(engine, registry, inspection, status, workers, flow=flow, clock=clock)
    overview = Overview(stages, registry, inspection, verifier, runs, workers=workers, clock=clock)
    return Desk(
        plane=ControlPlane(Undertakings(stages, engine, registry, runs), runs, overview, activity),
        overview=overview,
        runs=runs,
        workers=workers,
        replay=ReplayClock(ground.workspace, stages.names.replayer_app, activity),
        activity=activity,
        roles=Roles(tables, ground.settings.admin_owner, clock),
        status=status,
        slow=SlowLane(),
    )


def _status(ground: Ground, workers: Workers) -> StatusReader:
    connections, names = ground.connections, ground.stages.names
    lines = [
        LineReader(line, ground.workspace, connections.warehouse, database, names)
        for line, database in ((REFUNDS, connections.refunds), (COMPLAINTS, connections.complaints))
    ]
    return StatusReader(ground.workspace, connections.warehouse, names, ground.registry, workers, lines=lines)
