"""Specifications that several stages write down in the same way."""

from typing import Any

from caspers.model.tables import Table

from admin.declarations import Output, Resource
from admin.stages.demo import Demo

CONTROL_DATABASE = "control"


def control() -> dict[str, Any]:
    """Where the control database is."""
    return {"endpoint": Output("control project", "endpoint"), "database": CONTROL_DATABASE}


def delta_table(demo: Demo, table: Table, schema: str, *, change_feed: bool = False) -> Resource:
    """An empty table of ours in the schema of that key; with a change feed, copies can follow it."""
    spec = {
        "columns": [[column.name, column.sql_type] for column in table.columns],
        "key": list(table.key),
        "change_feed": change_feed,
    }
    return Resource(
        f"table {table.short_name}",
        "delta_table",
        demo.names.table(table.name),
        spec,
        needs=(schema, "warehouse"),
    )


def worker_orders(worker: str, release: str, parameters: dict[str, Any]) -> Resource:
    """A worker told to run for good, once the app that runs it is released."""
    spec = {**control(), "desired": "running", "parameters": parameters, "until": "running", "offers": []}
    return Resource(f"orders {worker}", "worker_orders", worker, spec, needs=("control schema", release))


def source_folder(key: str, path: str, demo: Demo, bundle: str) -> Resource:
    """A workspace folder with the files of one bundle."""
    return Resource(key, "workspace_folder", path, {"source": bundle, "digest": demo.digests[bundle]})


def grants(on: str, securable: str, principal: Output, *privileges: str) -> dict[str, Any]:
    """The specification of a `grants` resource."""
    return {"on": on, "securable": securable, "principal": principal, "privileges": list(privileges)}


def lakebase_database(project: str) -> dict[str, Any]:
    """The specification of a database in the project of that key, owned by ourselves."""
    return {"branch": Output(project, "branch"), "owner": Output(project, "owner")}


def attached_volume(name: str, full_name: str) -> dict[str, Any]:
    """A volume as a resource of an app, to read and write."""
    volume = {"securable_full_name": full_name, "securable_type": "VOLUME", "permission": "WRITE_VOLUME"}
    return {"name": name, "uc_securable": volume}


def attached_database(name: str, project: str, database: str) -> dict[str, Any]:
    """A Lakebase database as a resource of an app, given by the keys of project and database."""
    postgres = {
        "branch": Output(project, "branch"),
        "database": Output(database, "path"),
        "permission": "CAN_CONNECT_AND_CREATE",
    }
    return {"name": name, "postgres": postgres}
