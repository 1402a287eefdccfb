"""Specifications that several stages write down in the same way."""

from typing import Any

from admin.declarations import Output, Resource
from admin.stages.demo import Demo

CONTROL_DATABASE = "control"


def control() -> dict[str, Any]:
    """Where the control database is."""
    return {"endpoint": Output("control project", "endpoint"), "database": CONTROL_DATABASE}


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
