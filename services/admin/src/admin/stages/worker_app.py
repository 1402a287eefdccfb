"""An app with workers in it, as every line of the demo declares one: sources, app, rights, compute, release."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from admin.declarations import Output, Resource
from admin.stages.demo import Demo
from admin.stages.specifications import control, grants, source_folder


@dataclass(frozen=True)
class Right:
    """What an app may do with one securable, beyond what its attached resources bring along."""

    label: str
    on: str
    securable: str
    privileges: tuple[str, ...]
    need: str
    """The key of the securable."""


@dataclass(frozen=True)
class WorkerApp:
    """An app of the demo; the keys of its resources begin with `key`."""

    key: str
    name: str
    bundle: str
    description: str
    attached: list[dict[str, Any]]
    """What the platform attaches to it, as the platform's AppResource."""
    environment: Mapping[str, str]
    values_from: Mapping[str, str]
    """Environment variables whose value is that of an attached resource."""
    rights: tuple[Right, ...] = ()
    needs: tuple[str, ...] = ()
    """What must be there before the app itself is made."""
    release_needs: tuple[str, ...] = ()
    """What must be there before its code runs."""
    after: tuple[str, ...] = ()
    """What the app itself waits for where it is made in the same run."""

    @property
    def release_key(self) -> str:
        return f"{self.key} release"

    def resources(self, demo: Demo) -> tuple[Resource, ...]:
        """Everything that the app consists of."""
        folder = f"{demo.names.workspace_folder}/{self.bundle}"
        rights = (*self._rights(), self._control_access())
        return (
            source_folder(f"{self.key} sources", folder, demo, self.bundle),
            Resource(
                f"{self.key} app",
                "databricks_app",
                self.name,
                {"description": self.description, "resources": self.attached},
                needs=self.needs,
                after=self.after,
            ),
            *rights,
            Resource(f"{self.key} compute", "app_compute", self.name, needs=(f"{self.key} app",)),
            self._release(demo, rights),
        )

    def _rights(self) -> tuple[Resource, ...]:
        principal = Output(f"{self.key} app", "principal")
        return tuple(
            Resource(
                f"{self.key} in {right.label}",
                "grants",
                f"{self.name} in {right.securable}",
                grants(right.on, right.securable, principal, *right.privileges),
                needs=(right.need,),
            )
            for right in self.rights
        )

    def _control_access(self) -> Resource:
        """An attached database lets an app in; the tables of the control database take a grant."""
        return Resource(
            f"{self.key} control access",
            "control_access",
            self.name,
            {**control(), "role": Output(f"{self.key} app", "principal")},
            needs=("control schema",),
        )

    def _release(self, demo: Demo, rights: Iterable[Resource]) -> Resource:
        return Resource(
            self.release_key,
            "app_release",
            self.name,
            {
                "source_path": Output(f"{self.key} sources", "path"),
                "digest": demo.digests[self.bundle],
                "resources": self.attached,
                "env": [
                    *({"name": name, "value": value} for name, value in self.environment.items()),
                    *({"name": name, "value_from": key} for name, key in self.values_from.items()),
                ],
            },
            needs=(f"{self.key} compute", *(right.key for right in rights), *self.release_needs),
        )
