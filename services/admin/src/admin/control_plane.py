"""What the API, the pages and (through the API) the command line do: run stages, tear down, look things up."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from caspers.errors import Invalid
from caspers.names import Names
from caspers.settings import Parameters, Settings, parameters_from

from admin import plan
from admin.declarations import Stage
from admin.engine import Engine
from admin.functions import definitions
from admin.registry import Registry
from admin.runs import Run, RunOrder, Runs
from admin.sources import BUNDLES, Sources
from admin.stages import Demo, all_stages
from admin.stages.targets import TARGETS, Target, target

OWN_SETTINGS = set(Parameters.model_fields)


@dataclass(frozen=True)
class Wish:
    """What somebody wants to run: a target or some stages, and the parameters that differ from their defaults."""

    target: str | None
    stages: tuple[str, ...]
    parameters: Mapping[str, Any]


class ControlPlane:
    """The demo of one catalog, under control."""

    def __init__(
        self, settings: Settings, sources: Sources, engine: Engine, registry: Registry, runs: Runs
    ) -> None:
        self._settings = settings
        self._sources = sources
        self._engine = engine
        self._registry = registry
        self.runs = runs

    @property
    def names(self) -> Names:
        return self._settings.names

    def provision(self, wish: Wish, *, by: str) -> Run:
        """Start bringing about a target or some stages (with what they need).

        Raises:
            Invalid: neither or both are given, a name is unknown, or a parameter is refused.
            Conflict: another run goes on.
        """
        if (wish.target is None) == (not wish.stages):
            raise Invalid("say what to run", what_now="Give either a target or a list of stages.")
        asked = Target(wish.stages, {}) if wish.target is None else target(wish.target)
        chosen = self.parameters(asked.parameters, wish.parameters)
        wanted = plan.with_ancestors(self._stages(chosen), asked.stages)
        order = RunOrder("provision", tuple(stage.name for stage in wanted), chosen.model_dump(), by)
        return self.runs.start(order, lambda run: self._engine.provision(wanted, run))

    def teardown(self, *, by: str) -> Run:
        """Start removing everything that the registry knows. Raises `Conflict` while another run goes on."""
        order = RunOrder("teardown", (), {"catalog": self._settings.catalog}, by)
        return self.runs.start(order, self._engine.teardown)

    def parameters(self, *layers: Mapping[str, Any]) -> Parameters:
        """This process's own parameters with each layer's on top.

        Raises:
            Invalid: a parameter is refused, or names another catalog than this admin's.
        """
        values = self._settings.model_dump(include=OWN_SETTINGS)
        for layer in layers:
            values |= layer
        chosen = parameters_from(values)
        if chosen.catalog != self._settings.catalog:
            raise Invalid(
                f"this admin looks after the catalog {self._settings.catalog}, not {chosen.catalog}",
                what_now=f"Use `caspers up --catalog {chosen.catalog}` for an admin of that catalog.",
            )
        return chosen

    def stages(self) -> list[dict[str, Any]]:
        """Every stage with what it needs and how much of it is there."""
        entries = self._registry.entries()
        return [self._describe(stage, entries) for stage in self._stages(self.parameters())]

    def resources(self) -> list[dict[str, Any]]:
        """Everything the registry knows."""
        return [asdict(entry) for entry in self._registry.entries().values()]

    def targets(self) -> dict[str, Any]:
        """Every target with its stages and the parameters it sets."""
        return {name: asdict(each) for name, each in TARGETS.items()}

    def _stages(self, parameters: Parameters) -> list[Stage]:
        digests = {bundle: self._sources.digest(bundle) for bundle in BUNDLES}
        return all_stages(Demo(parameters, digests, definitions(), self._settings.warehouse_id))

    def _describe(self, stage: Stage, entries: Iterable[str]) -> dict[str, Any]:
        known = set(entries)
        return {
            "name": stage.name,
            "title": stage.title,
            "needs": list(stage.needs),
            "resources": [asdict(resource)["name"] for resource in stage.resources],
            "registered": sum(resource.key in known for resource in stage.resources),
        }
