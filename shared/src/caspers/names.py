"""The name of everything the demo creates, derived from its catalog, so that several demos live side by side.

Identifiers are validated before they are used and quoted before they meet SQL: `quoted` is the only place where
a name becomes part of a statement's text.
"""

import re
from dataclasses import dataclass
from typing import LiteralString, cast

from caspers.errors import Invalid

#: Databricks caps app names at 30 characters; the longest suffix we add is "-complaints".
CATALOG_MAX_LENGTH = 30 - len("-complaints")
IDENTIFIER_MAX_LENGTH = 255

_CATALOG = re.compile(r"[a-z][a-z0-9_]*[a-z0-9]|[a-z]")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Names:
    """Names inside one catalog. Raises `Invalid` when the catalog or a schema cannot carry them."""

    catalog: str
    simulator_schema: str = "simulator"
    events_volume: str = "events"

    def __post_init__(self) -> None:
        catalog_name(self.catalog)
        identifier(self.simulator_schema)
        identifier(self.events_volume)

    def table(self, name: str) -> str:
        """The full name of a table given as "schema.table": `table("lakeflow.all_events")`."""
        return f"{self.catalog}.{name}"

    def schema(self, name: str) -> str:
        return f"{self.catalog}.{name}"

    @property
    def events_volume_path(self) -> str:
        """Where the replay puts event files and the pipeline finds them."""
        return f"/Volumes/{self.catalog}/{self.simulator_schema}/{self.events_volume}"

    @property
    def misc_path(self) -> str:
        """The volume beside the events: canonical datasets and the replay's state."""
        return f"/Volumes/{self.catalog}/{self.simulator_schema}/misc"

    @property
    def canonical_path(self) -> str:
        return f"{self.misc_path}/canonical"

    @property
    def recommender_checkpoints_path(self) -> str:
        """Where the refund recommender remembers how far it is."""
        return f"/Volumes/{self.catalog}/recommender/checkpoints"

    @property
    def complaint_checkpoints_path(self) -> str:
        """Where the workers of the complaint line remember how far they are."""
        return f"/Volumes/{self.catalog}/complaints/checkpoints"

    @property
    def resources_table(self) -> str:
        """The registry of every resource the admin created."""
        return self.table("_internal_state.resources")

    @property
    def control_project(self) -> str:
        """The Lakebase project that holds the workers' orders and reports."""
        return f"{self._dns}control"

    @property
    def refund_project(self) -> str:
        return f"{self._dns}refundmanager"

    @property
    def refund_database_catalog(self) -> str:
        """The Unity Catalog catalog that stands for the refund manager's database: a project's name may hold hyphens."""
        return f"{self.catalog}refundmanager"

    @property
    def complaint_project(self) -> str:
        return f"{self._dns}complaintmanager"

    @property
    def complaint_database_catalog(self) -> str:
        """The Unity Catalog catalog that stands for the complaint console's database."""
        return f"{self.catalog}complaintmanager"

    def app(self, name: str) -> str:
        """The name of an app, unique in the workspace; `name` has at most ten letters."""
        return f"{self._dns}-{name}"

    @property
    def admin_app(self) -> str:
        return self.app("admin")

    @property
    def replayer_app(self) -> str:
        return self.app("replayer")

    @property
    def refund_app(self) -> str:
        return self.app("refunds")

    @property
    def complaint_app(self) -> str:
        return self.app("complaints")

    @property
    def order_items_pipeline(self) -> str:
        return f"{self._dns}-order-items"

    @property
    def workspace_folder(self) -> str:
        """The workspace folder that holds the sources of apps and pipelines."""
        return f"/Workspace/Shared/caspers/{self.catalog}"

    @property
    def order_items_folder(self) -> str:
        return f"{self.workspace_folder}/pipelines/order_items"

    @property
    def _dns(self) -> str:
        """The catalog with hyphens: one to one, because a catalog's name holds no hyphen of its own."""
        return self.catalog.replace("_", "-")


def endpoint_path(project: str) -> str:
    """The path of a Lakebase project's own read-write endpoint, as `w.postgres` and LAKEBASE_ENDPOINT know it."""
    return f"projects/{project}/branches/production/endpoints/primary"


def catalog_name(name: str) -> str:
    """Return `name` if it can be the catalog of a demo; everything else is named after it. Raises `Invalid`."""
    if not _CATALOG.fullmatch(name) or len(name) > CATALOG_MAX_LENGTH:
        raise Invalid(
            f"{name!r} cannot name the catalog",
            what_now=f"Use 1 to {CATALOG_MAX_LENGTH} lower-case letters, digits and underscores, "
            "beginning with a letter and not ending in an underscore.",
        )
    return name


def identifier(name: str) -> str:
    """Return `name` if it is a plain SQL identifier (letters, digits, underscores). Raises `Invalid`."""
    if not _IDENTIFIER.fullmatch(name) or len(name) > IDENTIFIER_MAX_LENGTH:
        raise Invalid(
            f"{name!r} is not a plain identifier",
            what_now="Use letters, digits and underscores, not beginning with a digit.",
        )
    return name


def quoted(name: str) -> LiteralString:
    """`a.b.c` with each part checked and in backticks: safe to stand in a statement's text. Raises `Invalid`."""
    parts = [f"`{identifier(part)}`" for part in name.split(".")]
    # The one promise to the type checker: a checked identifier is as good as a literal.
    return cast("LiteralString", ".".join(parts))
