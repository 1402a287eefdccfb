"""An app in which agents propose and people decide: what every line of that shape declares in the same way."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from admin.declarations import Output, Resource
from admin.stages.agent_ground import RUNS_KEY, function_key
from admin.stages.demo import Demo
from admin.stages.lakebase_copy import LakebaseCopy
from admin.stages.specifications import attached_database, attached_volume
from admin.stages.worker_app import Right, WorkerApp

FOUNDATION_MODELS = "databricks-"
"""How the names of the platform's own model endpoints begin."""


@dataclass(frozen=True)
class AgentConsole:
    """The app of one line; the keys of its resources begin with `key`."""

    key: str
    name: str
    bundle: str
    description: str
    schema: str
    """The schema of its Delta tables, with the volume of its checkpoints."""
    copy: LakebaseCopy
    copy_variable: str
    """The environment variable with the Lakebase endpoint of the copy."""
    models: Mapping[str, str]
    """The serving endpoints that it calls, by the keys of their resources."""
    functions: tuple[str, ...]
    """The SQL functions that its agent calls."""
    environment: Mapping[str, str]
    """Its own settings beyond what every such app is told; empty ones are left out."""
    after: tuple[str, ...] = ()

    @property
    def release_key(self) -> str:
        return f"{self.key} release"

    def resources(self, demo: Demo) -> tuple[Resource, ...]:
        """The app and its right to read the copies."""
        return (*self._app(demo).resources(demo), *self.copy.access(self.key, self.name))

    def _app(self, demo: Demo) -> WorkerApp:
        return WorkerApp(
            key=self.key,
            name=self.name,
            bundle=self.bundle,
            description=self.description,
            attached=self._attached(demo),
            environment=self._environment(demo),
            values_from={
                "LAKEBASE_ENDPOINT": "control",
                self.copy_variable: "postgres",
                "DATABRICKS_WAREHOUSE_ID": "sql-warehouse",
            },
            rights=self._rights(demo),
            # Making an app makes a role in each attached branch, and a branch takes one operation at a time: not while
            # another app's role is made in the control branch, nor a synced table in our own.
            needs=(
                "replayer app",
                *(copy.key for copy in self.copy.copies),
                *self.models,
                checkpoints_key(self.schema),
            ),
            after=self.after,
            release_needs=(
                *(self.copy.access_key(copy) for copy in self.copy.copies),
                RUNS_KEY,
                *(function_key(name) for name in self.functions),
            ),
        )

    def _attached(self, demo: Demo) -> list[dict[str, Any]]:
        return [
            attached_database("control", "control project", "control database"),
            attached_database("postgres", self.copy.project_key, self.copy.database_key),
            {
                "name": "sql-warehouse",
                "sql_warehouse": {"id": Output("warehouse", "id"), "permission": "CAN_USE"},
            },
            *_attached_endpoints(self.models.values()),
            attached_volume("checkpoints", demo.names.table(f"{self.schema}.checkpoints")),
        ]

    def _environment(self, demo: Demo) -> dict[str, str]:
        parameters = demo.parameters
        settings = {
            "CATALOG": parameters.catalog,
            "SIMULATOR_SCHEMA": parameters.simulator_schema,
            "EVENTS_VOLUME": parameters.events_volume,
            "LLM_MODEL": parameters.llm_model,
            **self.environment,
        }
        return {name: value for name, value in settings.items() if value}

    def _rights(self, demo: Demo) -> tuple[Right, ...]:
        names = demo.names
        simulator = names.schema(demo.parameters.simulator_schema)
        read = ("USE_SCHEMA", "SELECT")
        return (
            Right("catalog", "catalog", names.catalog, ("USE_CATALOG",), "catalog"),
            Right("simulator", "schema", simulator, read, "schema simulator"),
            Right("lakeflow", "schema", names.schema("lakeflow"), read, "schema lakeflow"),
            Right(
                self.schema,
                "schema",
                names.schema(self.schema),
                (*read, "MODIFY", "READ_VOLUME", "WRITE_VOLUME"),
                f"schema {self.schema}",
            ),
            Right("ai", "schema", names.schema("ai"), (*read, "MODIFY", "EXECUTE"), "schema ai"),
        )


def line_schema(demo: Demo, schema: str) -> tuple[Resource, ...]:
    """The schema of a line's Delta tables, and the volume in which its workers remember how far they are."""
    full_name = demo.names.schema(schema)
    return (
        Resource(f"schema {schema}", "uc_schema", full_name, needs=("catalog",)),
        Resource(checkpoints_key(schema), "volume", f"{full_name}.checkpoints", needs=(f"schema {schema}",)),
    )


def checkpoints_key(schema: str) -> str:
    """The key of the volume in which a line's workers remember how far they are."""
    return f"volume {schema} checkpoints"


def model_endpoints(models: Mapping[str, str]) -> tuple[Resource, ...]:
    """The serving endpoints that must be there, by the keys of their resources."""
    return tuple(Resource(key, "model_endpoint", name) for key, name in models.items())


def call_limits(demo: Demo) -> dict[str, int]:
    """How a worker may use a model."""
    return {
        "calls_in_flight": demo.parameters.model_calls_in_flight,
        "calls_per_minute": demo.parameters.model_calls_per_minute,
    }


def _attached_endpoints(names: Iterable[str]) -> list[dict[str, Any]]:
    """Endpoints of somebody's own as resources of the app.

    The platform's own foundation models are everybody's to query and nobody's to manage, and what cannot be managed
    cannot be attached.
    """
    own = [name for name in dict.fromkeys(names) if not name.startswith(FOUNDATION_MODELS)]
    return [
        {
            "name": "serving-endpoint" if number == 1 else f"serving-endpoint-{number}",
            "serving_endpoint": {"name": name, "permission": "CAN_QUERY"},
        }
        for number, name in enumerate(own, 1)
    ]
