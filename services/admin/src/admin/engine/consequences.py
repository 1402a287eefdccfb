"""What people notice when a resource is changed, stopped or removed: a sentence by its kind. Pure."""

from collections.abc import Mapping

from admin.shapes import Verb

_SENTENCES: Mapping[tuple[str, Verb], str] = {
    ("app_compute", "update"): "the app starts",
    ("app_compute", "stop"): "nobody can open the app, and its workers rest, until it is run again",
    ("app_release", "create"): "the app restarts if it runs",
    ("app_release", "update"): "the app restarts",
    ("app_release", "replace"): "the app restarts",
    ("databricks_app", "update"): "what the app may use changes; it restarts",
    ("databricks_app", "replace"): "the app is made anew; nobody can open it meanwhile",
    ("databricks_app", "delete"): "nobody can open the app any more",
    ("catalog", "delete"): "all that is in it goes: schemas, tables, files",
    ("delta_table", "delete"): "its rows go",
    ("parquet_table", "update"): "its rows are loaded again",
    ("parquet_table", "delete"): "its rows go",
    ("grants", "update"): "what the app may do changes",
    ("lakebase_project", "delete"): "its databases go, with all that people decided",
    ("pipeline", "update"): "the pipeline restarts",
    ("pipeline", "replace"): "the pipeline is made anew, and its tables with it",
    ("pipeline", "delete"): "its tables go with it",
    ("pipeline_job", "update"): "the pipeline is triggered by the new schedule",
    ("pipeline_job", "stop"): "no update is triggered until it is run again",
    ("pipeline_update", "update"): "the pipeline starts again",
    ("pipeline_update", "stop"): "events wait unrefined until it is run again",
    ("synced_table", "update"): "its copy is made anew; the console shows nothing new meanwhile",
    ("synced_table", "delete"): "its copy goes, too; the console shows no cases any more",
    ("volume", "delete"): "its files go",
    ("worker_orders", "update"): "the worker takes new orders",
    ("worker_orders", "stop"): "the worker ends what it is doing and rests until it is run again",
}


def consequence(kind: str, verb: Verb) -> str:
    """Empty where nothing is interrupted and nothing is lost that could not be made again."""
    return _SENTENCES.get((kind, verb), "")
