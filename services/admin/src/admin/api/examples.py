"""Examples of what the API answers, for its description."""

from typing import Any

Responses = dict[int | str, dict[str, Any]]

_RUN_ID = "0b5e8c2e-6f0f-4f0e-9d5c-0a9f1f2f7f10"
_AT = "2026-03-14T09:41:07.120000Z"


def _answer(example: Any, status: int = 200) -> Responses:
    return {status: {"content": {"application/json": {"example": example}}}}


def _page(*entries: Any) -> dict[str, Any]:
    return {"entries": list(entries), "next": "WyJydW5zIiwiMjAyNi0wMy0xNCIsIjBiNWUiXQ"}


_SUMMARY: dict[str, Any] = {
    "run_id": _RUN_ID,
    "action": "provision",
    "target": "free",
    "stages": ["Foundation", "Canonical_Data", "Spark_Declarative_Pipeline"],
    "parameters": {"catalog": "caspersdev", "start_day": 70, "speed_multiplier": 60.0},
    "by": "ada@example.com",
    "state": "failed",
    "error": "volume events: the platform says no",
    "what_now": "Put it right, then repair the run.",
    "started": _AT,
    "took_s": 12.4,
    "repairs": None,
    "attempt": 1,
    "stage_states": {
        "Foundation": "done",
        "Canonical_Data": "failed",
        "Spark_Declarative_Pipeline": "skipped",
    },
    "counts": {"created": 3, "failed": 1, "skipped": 6},
}
_STEP = {
    "key": "volume events",
    "stage": "Canonical_Data",
    "kind": "volume",
    "name": "caspersdev.simulator.events",
    "state": "failed",
    "verb": "create",
    "message": "the platform says no",
    "what_now": "Run the stage again.",
    "started": _AT,
    "took_s": 0.21,
}
_STARTED = _SUMMARY | {
    "state": "running",
    "error": "",
    "what_now": "",
    "took_s": None,
    "stage_states": dict.fromkeys(_SUMMARY["stages"], "waiting"),
    "counts": {"waiting": 10},
}
_RESOURCE = {
    "key": "volume events",
    "kind": "volume",
    "name": "caspersdev.simulator.events",
    "stage": "Canonical_Data",
    "id": "caspersdev.simulator.events",
    "recorded": "ready",
    "created_at": _AT,
    "changed_at": _AT,
    "needs": ["schema simulator"],
    "url": "https://workspace.example.com/explore/data/volumes/caspersdev/simulator/events",
    "health": "ok",
    "message": "",
}
_STAGE = {
    "name": "Canonical_Data",
    "title": "Canonical data",
    "needs": ["Foundation"],
    "declared": 21,
    "registered": 21,
    "presence": "present",
    "health": "ok",
    "troubles": [],
    "last_run": {
        "run_id": _RUN_ID,
        "action": "provision",
        "state": "done",
        "message": "",
        "ended": _AT,
        "took_s": 9.8,
    },
    "progress": None,
}
_WORKER = {
    "name": "replay",
    "stage": "Spark_Declarative_Pipeline",
    "desired": "running",
    "generation": 3,
    "parameters": {"start_day": 70, "speed_multiplier": 60.0, "schedule_minutes": 3.0},
    "observed": "running",
    "observed_generation": 3,
    "heartbeat_age_s": 0.8,
    "since": _AT,
    "done": 812_345,
    "per_s": 141.2,
    "pending": None,
    "lag_s": 2.5,
    "progress": {"virtual_time": "2024-03-11T12:03:00+00:00", "events_written": 812_345},
    "last_error": None,
    "health": "ok",
    "message": "",
}
_ROLE = {
    "principal": "bob@example.com",
    "role": "operator",
    "granted_by": "ada@example.com",
    "granted_at": _AT,
}

TARGETS = _answer(
    [
        {
            "name": "free",
            "stages": ["Canonical_Data", "Spark_Declarative_Pipeline"],
            "parameters": {"pipeline_schedule_minutes": 3.0},
            "presence": "present",
        }
    ]
)
STAGES = _answer([_STAGE])
STAGE = _answer(_STAGE | {"resources": [_RESOURCE]})
PARAMETERS = _answer(
    [
        {
            "name": "speed_multiplier",
            "type": "number",
            "meaning": "virtual seconds per real second",
            "default": 60.0,
            "current": 120.0,
            "choices": [],
            "affects": ["Medallion pipeline: worker replay takes new orders"],
        }
    ]
)
PLAN = _answer(
    {
        "action": "provision",
        "asked": ["Canonical_Data"],
        "along": ["Foundation"],
        "parameters": {"catalog": "caspersdev"},
        "actions": [
            {
                "key": "volume events",
                "stage": "Canonical_Data",
                "kind": "volume",
                "name": "caspersdev.simulator.events",
                "verb": "create",
                "reason": "it does not exist yet",
                "consequence": "",
            }
        ],
        "confirm": "",
        "digest": "9b2f6c1e8d7a4b30",
    }
)
RUN_STARTED = _answer(_STARTED, 202)
RUN_SUMMARY = _answer(_SUMMARY)
RUNS = _answer(_page(_SUMMARY))
RUN = _answer(_SUMMARY | {"steps": [_STEP], "critical_path": ["catalog", "volume events"]})
LOG = _answer(
    {
        "entries": [
            {
                "seq": 7,
                "at": _AT,
                "stage": "Canonical_Data",
                "key": "volume events",
                "level": "info",
                "text": "creating: it does not exist yet",
            }
        ],
        "next": 7,
        "more": False,
    }
)
COMPARISON = _answer(
    {
        "one": _SUMMARY,
        "other": _STARTED,
        "parameters": [{"what": "start_day", "one": 70, "other": 10}],
        "stages": [{"what": "Canonical_Data", "one": "failed", "other": "done"}],
        "steps": [
            {
                "what": "volume events",
                "one": {"state": "failed", "verb": "create", "took_s": 0.21},
                "other": {"state": "done", "verb": "create", "took_s": 0.34},
            }
        ],
    }
)
WORKERS = _answer([_WORKER])
WORKER = _answer(_WORKER)
REPLAY = _answer({"state": "running", "virtual_time": "2024-03-11T12:03:00Z", "speed": 60.0, "paused": False})
STATUS = _answer(
    {
        "workspace": {"state": "running", "url": "https://workspace.example.com"},
        "apps": {"caspersdev-replayer": {"state": "RUNNING", "url": "https://replayer.example.com"}},
        "pipelines": {},
        "workers": {},
        "tables": {"caspersdev.lakeflow.all_events": {"rows": 812_345, "version": 42}},
        "replay": {"virtual_time": None, "watermark": None, "events_written": 0},
        "refunds": None,
        "complaints": None,
    }
)
RESOURCES = _answer([_RESOURCE])
VERIFICATION = _answer(
    {
        "ok": False,
        "findings": [
            {
                "what": "worker replay",
                "ok": False,
                "said": "it should run, and does not report (last heard 75 s ago)",
                "what_now": "Look at the log of its app.",
                "stage": "Spark_Declarative_Pipeline",
            }
        ],
        "checked_at": _AT,
    }
)
ACTIVITY = _answer(
    _page(
        {
            "seq": 812,
            "at": _AT,
            "who": "ada@example.com",
            "role": "owner",
            "action": "run.start",
            "object": _RUN_ID,
            "outcome": "done",
            "detail": {"target": "free"},
        }
    )
)
ME = _answer({"who": "ada@example.com", "role": "operator", "may": ["run.start", "run.cancel"]})
ROLES = _answer([_ROLE])
ROLE = _answer(_ROLE)
