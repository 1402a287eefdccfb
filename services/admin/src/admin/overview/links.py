"""Where a resource has its page in the workspace. Pure."""

from collections.abc import Callable, Mapping

from admin.declarations import Entry


def _data(entry: Entry) -> str:
    return "explore/data/" + entry.name.replace(".", "/")


def _volume(entry: Entry) -> str:
    return "explore/data/volumes/" + entry.name.replace(".", "/")


def _function(entry: Entry) -> str:
    return "explore/data/functions/" + entry.name.replace(".", "/")


def _app(entry: Entry) -> str:
    return f"apps/{entry.name}"


def _by_id(where: str) -> Callable[[Entry], str]:
    return lambda entry: f"{where}/{entry.id}" if entry.id else ""


def _update(entry: Entry) -> str:
    pipeline = entry.spec.get("pipeline_id", "")
    return f"pipelines/{pipeline}" if pipeline else ""


_PAGES: Mapping[str, Callable[[Entry], str]] = {
    "app_compute": _app,
    "app_release": _app,
    "catalog": _data,
    "databricks_app": _app,
    "delta_table": _data,
    "lakebase_catalog": _data,
    "lakebase_project": lambda entry: f"lakebase/projects/{entry.name}",
    "model_endpoint": lambda entry: f"ml/endpoints/{entry.name}",
    "parquet_table": _data,
    "pipeline": _by_id("pipelines"),
    "pipeline_job": _by_id("jobs"),
    "pipeline_table": _data,
    "pipeline_update": _update,
    "sql_function": _function,
    "synced_table": _data,
    "text_table": _data,
    "uc_schema": _data,
    "volume": _volume,
    "warehouse": _by_id("sql/warehouses"),
    "workspace_folder": lambda entry: "#workspace" + entry.name.removeprefix("/Workspace"),
}
"""Kinds without a page of their own are left out: what they are is seen on the page of what they belong to."""


def link(host: str, entry: Entry) -> str:
    """The address of its page; empty for what has none."""
    page = _PAGES.get(entry.kind)
    path = page(entry) if page else ""
    return f"{host.rstrip('/')}/{path}" if path else ""
