"""All that people and programs can see and do here, in one place for the API and the pages."""

from dataclasses import dataclass

from caspers.web.turns import SlowLane

from admin.activity import Activity
from admin.control_plane import ControlPlane
from admin.overview.overview import Overview
from admin.overview.status import StatusReader
from admin.replay_clock import ReplayClock
from admin.roles import Roles
from admin.runs.running import Runs
from admin.workers import Workers


@dataclass(frozen=True)
class Desk:
    """What `api` and `pages` are made from."""

    plane: ControlPlane
    overview: Overview
    runs: Runs
    workers: Workers
    replay: ReplayClock
    activity: Activity
    roles: Roles
    status: StatusReader
    slow: SlowLane
    """Threads for what asks the platform and may take seconds."""
