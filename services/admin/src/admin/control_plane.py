"""What the API, the pages and (through the API) the command line do: plan and start runs, repair and cancel them."""

from collections.abc import Mapping
from typing import Any

from caspers.errors import Conflict
from caspers.names import Names

from admin.activity import Activity
from admin.overview.overview import Overview
from admin.roles import Actor
from admin.runs.run import GOING_ON
from admin.runs.running import Request, Runs
from admin.shapes import Action, RunDetail, RunPlan, RunSummary
from admin.undertaking import Undertaking, Undertakings, Wish

ACTIVITY: Mapping[Action, str] = {"provision": "run.start", "stop": "run.stop", "teardown": "run.teardown"}


class NotConfirmed(Conflict):
    """Something would be deleted, and the word was not given."""


class PlanChanged(Conflict):
    """What would be done is no longer what was seen."""

    def __init__(self, digest: str) -> None:
        super().__init__(
            "by now the run would do something else than the plan that was seen",
            what_now="Look at the new plan, then start it with its digest.",
        )
        self.members = {"digest": digest}


class ControlPlane:
    """The demo of one catalog, under control."""

    def __init__(
        self, undertakings: Undertakings, runs: Runs, overview: Overview, activity: Activity
    ) -> None:
        self._undertakings = undertakings
        self._activity = activity
        self.runs = runs
        self.overview = overview

    @property
    def names(self) -> Names:
        return self._undertakings.names

    def plan(self, wish: Wish) -> RunPlan:
        """What a run would do; nothing is done. Raises `Invalid`."""
        return self._undertakings.plan(self._undertakings.of(wish))

    def plan_repair(self, run_id: str, parameters: Mapping[str, Any]) -> RunPlan:
        """What repairing a run would do. Raises `NotFound`, `Invalid`, `Conflict`."""
        return self._undertakings.plan(self._undertakings.repair(self._over(run_id), parameters))

    def start(
        self,
        wish: Wish,
        actor: Actor,
        *,
        confirm: str = "",
        digest: str = "",
        request: Request | None = None,
    ) -> tuple[RunSummary, bool]:
        """Start a run; whether it is new (the same idempotency key again is answered with the run it began).

        Raises:
            Invalid: what is asked for makes no sense, a name is unknown, or a parameter is refused.
            MayNot: the actor's role does not suffice.
            NotConfirmed, PlanChanged, AlreadyRunning, KeyUsed
        """
        self._activity.demand(actor, ACTIVITY[wish.action], wish.object)
        if request is not None and (before := self.runs.begun_by(request)) is not None:
            return before, False
        undertaking = self._undertakings.of(wish)
        if confirm != undertaking.confirm:
            raise NotConfirmed(
                f"this deletes {wish.object}, and `confirm` does not say so",
                what_now=f"Look at the plan, then give `confirm` the value {undertaking.confirm!r}.",
            )
        self.runs.refuse_second()
        if digest and (now := self._undertakings.plan(undertaking).digest) != digest:
            raise PlanChanged(now)
        return self._begin(undertaking, actor, request)

    def repair(
        self, run_id: str, parameters: Mapping[str, Any], actor: Actor, request: Request | None = None
    ) -> tuple[RunSummary, bool]:
        """Do again what failed, was skipped or cancelled in a run, and what follows from it, as a run of its own."""
        self._activity.demand(actor, "run.repair", run_id)
        if request is not None and (before := self.runs.begun_by(request)) is not None:
            return before, False
        return self._begin(self._undertakings.repair(self._over(run_id), parameters), actor, request)

    def cancel(self, run_id: str, actor: Actor) -> RunSummary:
        """Begin nothing more; what is under way ends, then the run is `cancelled`. Raises `NotFound`, `MayNot`."""
        self._activity.demand(actor, "run.cancel", run_id)
        before = self.runs.detail(run_id).state
        run = self.runs.cancel(run_id, actor.who)
        if before == "running":
            self._activity.record(actor, "run.cancel", run_id)
        return run

    def _over(self, run_id: str) -> RunDetail:
        run = self.runs.detail(run_id)
        if run.state in GOING_ON:
            raise Conflict(f"the run {run_id} still goes on", what_now="Wait for its end, or cancel it.")
        return run

    def _begin(
        self, undertaking: Undertaking, actor: Actor, request: Request | None
    ) -> tuple[RunSummary, bool]:
        """Start it, and put its start and its end on record."""
        order = undertaking.order(actor.who)

        def on_end(run: RunSummary) -> None:
            self.overview.forget()
            self._activity.record(actor, "run.end", run.run_id, {"state": run.state, "error": run.error})

        run, new = self.runs.start(order, undertaking.work, request=request, on_end=on_end)
        if new:
            action = "run.repair" if order.repairs else ACTIVITY[order.action]
            detail = {"target": order.target, "stages": list(order.stages), "repairs": order.repairs}
            self._activity.record(actor, action, run.run_id, detail)
        return run, new
