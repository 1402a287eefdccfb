"""Verifying a demo: the platform, the workers and the tables are asked, and what they say is judged in `verify`."""

from collections.abc import Sequence
from typing import Any, Protocol

from caspers.clock import Clock
from caspers.errors import CaspersError

from admin.declarations import Stage
from admin.engine.engine import Engine
from admin.engine.registry import Registry
from admin.overview import verify
from admin.overview.data_flow import FlowReader
from admin.overview.inspection import Inspection
from admin.overview.status import REPLAY_WORKER, StatusReader
from admin.shapes import Finding, Verification, WorkerView


class SomeWorkers(Protocol):
    """Whoever knows the workers."""

    def all(self) -> list[WorkerView]:
        """Every worker with its orders and its report."""
        ...


class Verifier:
    """Looks at everything, and says what it found."""

    def __init__(
        self,
        engine: Engine,
        registry: Registry,
        inspection: Inspection,
        status: StatusReader,
        workers: SomeWorkers,
        *,
        flow: FlowReader,
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._registry = registry
        self._inspection = inspection
        self._status = status
        self._workers = workers
        self._flow = flow
        self._clock = clock

    def verification(self) -> Verification:
        """What should be there and work, against what does."""
        entries = self._registry.entries()
        if not entries:
            what_now = "Run a target: `caspers run all`."
            return self._verified(
                [Finding("demo", ok=False, said="nothing has been made yet", what_now=what_now)]
            )
        resources = self._inspection.look(entries.values())
        workers = self._workers.all()
        status = self._status.read()
        return self._verified(
            [
                *verify.resource_findings(resources),
                *verify.right_findings(resources),
                *verify.worker_findings(workers),
                *self._flowing(status, workers),
                *verify.line_findings(status),
            ]
        )

    def leftovers(self, stages: Sequence[Stage]) -> Verification:
        """What is left of these stages after everything was torn down: in the workspace, or in the registry."""
        registered = self._registry.entries()
        entries = self._engine.everything(stages)
        health = {view.key: view.health for view in self._inspection.look(entries.values())}
        left = [
            (f"{entry.kind.replace('_', ' ')} {entry.name}", health[key] == "missing")
            for key, entry in entries.items()
            if key in registered or health[key] != "missing"
        ]
        return self._verified(list(verify.left_findings(left)))

    def _flowing(self, status: verify.Status, workers: Sequence[WorkerView]) -> list[Finding]:
        replay: Any = next((each.progress for each in workers if each.name == REPLAY_WORKER), {})
        try:
            flow = self._flow.read(status["tables"].keys())
        except CaspersError as error:
            said = f"could not be read: {error.message}"
            return [
                Finding("data", ok=False, said=said, what_now=error.what_now or "Look again in a moment.")
            ]
        return list(verify.flow_findings(flow, replay))

    def _verified(self, findings: list[Finding]) -> Verification:
        return Verification(all(each.ok for each in findings), tuple(findings), self._clock.now())
