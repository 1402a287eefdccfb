"""The event log of pipelines: what an update reports, as events; and the filters people put on events."""

import re
from datetime import UTC, datetime
from typing import Any

from local_workspace import ids
from local_workspace.api.pipelines.rows import Pipeline
from local_workspace.errors import InvalidParameterValue

CONDITION = re.compile(
    r"""\s*(?:
        level\s*(?:=\s*'(?P<level>\w+)'|in\s*\((?P<levels>[^)]*)\))
      | timestamp\s*(?P<operator>>=|<=|>|<|=)\s*'(?P<moment>[^']+)'
    )\s*""",
    re.VERBOSE | re.IGNORECASE,
)
COMPARE = {
    ">": lambda left, right: left > right,
    "<": lambda left, right: left < right,
    ">=": lambda left, right: left >= right,
    "<=": lambda left, right: left <= right,
    "=": lambda left, right: left == right,
}


def event(
    pipeline: Pipeline, update_id: str, now: datetime, kind: str, message: str, **more: Any
) -> dict[str, Any]:
    """An event; `more` may hold level, details, error, and origin fields (flow_name, dataset_name)."""
    origin = {"pipeline_id": pipeline.pipeline_id, "pipeline_name": pipeline.name, "update_id": update_id}
    origin |= {name: more.pop(name) for name in ("flow_name", "dataset_name") if name in more}
    return {
        "id": ids.new_uuid(),
        "origin": origin,
        "timestamp": now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": "INFO",
        "event_type": kind,
        "maturity_level": "STABLE",
        "message": message,
        **more,
    }


def flow_event(pipeline: Pipeline, update_id: str, now: datetime, facts: dict[str, Any]) -> dict[str, Any]:
    """The event of one step of a flow."""
    done = f"{facts['rows']:,} rows in {facts['seconds']:.2f} s"
    left_out = f"; {facts['duplicates']:,} duplicates left out" if facts["duplicates"] else ""
    how = f" (refresh: {facts['how']})" if facts["how"] else ""
    return event(
        pipeline,
        update_id,
        now,
        "flow_progress",
        f"Flow '{facts['flow']}' wrote {done}{left_out}{how}.",
        flow_name=facts["flow"],
        dataset_name=facts["dataset"],
        details={
            "flow_progress": {
                "status": "COMPLETED",
                "metrics": {
                    "num_output_rows": facts["rows"],
                    "num_dropped_duplicates": facts["duplicates"],
                    "duration_ms": round(facts["seconds"] * 1000),
                    "table_version": facts["version"],
                },
            }
        },
    )


def matching(events: list[dict[str, Any]], text: str | None) -> list[dict[str, Any]]:
    """The events that a filter such as "level in ('ERROR') AND timestamp > '2026-01-01T00:00:00Z'" leaves.

    Raises:
        InvalidParameterValue: the filter is not understood.
    """
    for part in re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE) if text else []:
        condition = CONDITION.fullmatch(part)
        if condition is None:
            raise InvalidParameterValue(
                f"The filter {part!r} is not understood; use level = '…', level in (…) and timestamp > '…'."
            )
        if condition["operator"]:
            compare, moment = COMPARE[condition["operator"]], _moment(condition["moment"])
            events = [entry for entry in events if compare(_moment(entry["timestamp"]), moment)]
        else:
            levels = re.findall(r"\w+", condition["levels"] or condition["level"])
            events = [entry for entry in events if entry["level"] in {level.upper() for level in levels}]
    return events


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidParameterValue(f"{text!r} is no ISO 8601 time.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
