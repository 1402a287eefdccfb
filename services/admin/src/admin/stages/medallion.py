"""The medallion: the pipeline that refines events, and the replay that feeds it."""

from caspers.errors import Invalid

from admin.declarations import Output, Resource
from admin.stages.demo import Demo
from admin.stages.specifications import control, source_folder


def medallion(demo: Demo) -> tuple[Resource, ...]:
    """The pipeline, running all the time or triggered by the clock, and the replay's orders."""
    names, parameters = demo.names, demo.parameters
    continuous = parameters.pipeline_schedule_minutes == 0
    return (
        Resource("schema lakeflow", "uc_schema", names.schema("lakeflow"), needs=("catalog",)),
        source_folder("order_items sources", names.order_items_folder, demo, "order_items"),
        Resource(
            "pipeline order_items",
            "pipeline",
            names.order_items_pipeline,
            {
                "catalog": names.catalog,
                "schema": "lakeflow",
                "root_path": Output("order_items sources", "path"),
                "digest": demo.digests["order_items"],
                "continuous": continuous,
                "configuration": {"caspers.events_path": names.events_volume_path},
            },
            needs=("schema lakeflow", "volume events"),
        ),
        Resource(
            "orders replay",
            "worker_orders",
            "replay",
            {
                **control(),
                "desired": "running",
                "parameters": {
                    "dataset": Output("orders canonical_data", "path"),
                    "start_day": parameters.start_day,
                    "speed_multiplier": parameters.speed_multiplier,
                    "schedule_minutes": parameters.schedule_minutes,
                    "events_per_file": parameters.events_per_file,
                },
                "until": "running",
                "offers": [],
                "progress_of": "events_written",
            },
        ),
        Resource(
            "order_items first update",
            "pipeline_update",
            names.order_items_pipeline,
            {"pipeline_id": Output("pipeline order_items", "id")},
            needs=() if continuous else ("orders replay",),
        ),
        *(() if continuous else (_trigger(demo),)),
    )


def _trigger(demo: Demo) -> Resource:
    return Resource(
        "order_items trigger",
        "pipeline_job",
        demo.names.order_items_pipeline,
        {
            "pipeline_id": Output("pipeline order_items", "id"),
            "quartz": quartz_every(demo.parameters.pipeline_schedule_minutes),
        },
        needs=("order_items first update",),
    )


def quartz_every(minutes: float) -> str:
    """The Quartz cron expression that fires every so many minutes (or seconds, below one minute).

    Raises:
        Invalid: cron knows no such rhythm; it starts anew every minute, hour and day.
    """
    seconds = round(minutes * 60)
    if 0 < seconds < 60 and 60 % seconds == 0:
        return f"0/{seconds} * * * * ?"
    if 60 <= seconds < 3600 and 3600 % seconds == 0 and seconds % 60 == 0:
        return f"0 0/{seconds // 60} * * * ?"
    if seconds >= 3600 and 86_400 % seconds == 0 and seconds % 3600 == 0:
        return f"0 0 0/{seconds // 3600} * * ?"
    raise Invalid(
        f"a pipeline cannot be triggered every {minutes:g} minutes",
        what_now="Choose a divisor of an hour (3, 5, 10, 15…) or of a day, or 0 for continuous.",
    )
