"""The stages of this admin's catalog, as its sources and any parameters declare them."""

import json
from collections.abc import Mapping
from threading import Lock
from typing import Any

from caspers.errors import Invalid
from caspers.names import Names
from caspers.settings import Parameters, Settings, parameters_from

from admin.declarations import Stage
from admin.functions import definitions
from admin.overview.parameter_effects import effects
from admin.shapes import RunSummary
from admin.sources import BUNDLES, Sources
from admin.stages import Demo, all_stages

OWN_SETTINGS = set(Parameters.model_fields)

MOST_KEPT = 64
"""Declarations are kept for so many different parameters."""


class DemoStages:
    """Declares stages; the same parameters are worked out once. Safe between threads."""

    def __init__(self, settings: Settings, sources: Sources) -> None:
        self._settings = settings
        self._sources = sources
        self._lock = Lock()
        self._effects: dict[str, dict[str, tuple[str, ...]]] = {}
        self._kept: dict[str, list[Stage]] = {}
        self._digests: dict[str, str] | None = None

    @property
    def names(self) -> Names:
        return self._settings.names

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

    def declared(self, parameters: Parameters) -> list[Stage]:
        """Every stage, in an order that respects their needs."""
        key = _key(parameters)
        with self._lock:
            if key not in self._kept:
                while len(self._kept) >= MOST_KEPT:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[key] = self._declare(parameters)
            return self._kept[key]

    def as_in(self, run: RunSummary | None) -> list[Stage]:
        """Every stage as a run declared it; None: as this process's own parameters do."""
        return self.declared(self.parameters_of(run))

    def parameters_of(self, run: RunSummary | None) -> Parameters:
        """The parameters of a run; None: this process's own."""
        return self.parameters(remembered(run))

    def effects(self, parameters: Parameters) -> dict[str, tuple[str, ...]]:
        """What a change of each parameter touches."""
        key = _key(parameters)
        with self._lock:
            known = self._effects.get(key)
        if known is None:
            known = effects(parameters, self.declared)
            with self._lock:
                self._effects = {key: known}
        return known

    def workers(self) -> dict[str, str]:
        """The stage that gives each worker its orders, by the worker's name."""
        return {
            resource.name: stage.name
            for stage in self.declared(self.parameters())
            for resource in stage.resources
            if resource.kind == "worker_orders"
        }

    def _declare(self, parameters: Parameters) -> list[Stage]:
        if self._digests is None:
            self._digests = {bundle: self._sources.digest(bundle) for bundle in BUNDLES}
        return all_stages(Demo(parameters, self._digests, definitions(), self._settings.warehouse_id))


def remembered(run: RunSummary | None) -> dict[str, Any]:
    """The parameters that a past run had and that still exist."""
    return (
        {} if run is None else {name: run.parameters[name] for name in run.parameters if name in OWN_SETTINGS}
    )


def _key(parameters: Parameters) -> str:
    return json.dumps(parameters.model_dump(mode="json"), sort_keys=True)
