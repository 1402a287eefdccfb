"""Jobs and their runs, as the workspace remembers them."""

import json
from dataclasses import dataclass
from typing import Any

from local_workspace.state import State

SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    job_id INTEGER PRIMARY KEY,
    creator TEXT NOT NULL,
    created_at INTEGER NOT NULL,    -- Unix milliseconds
    settings TEXT NOT NULL          -- JSON
);
CREATE TABLE IF NOT EXISTS job_runs (
    run_id INTEGER PRIMARY KEY,
    job_id INTEGER NOT NULL REFERENCES jobs(job_id) ON DELETE CASCADE,
    trigger TEXT NOT NULL,          -- PERIODIC or ONE_TIME
    started_at INTEGER NOT NULL,    -- Unix milliseconds
    ended_at INTEGER,
    life_cycle_state TEXT NOT NULL,
    result_state TEXT,
    message TEXT NOT NULL,
    tasks TEXT NOT NULL             -- JSON: the state of each task
);
CREATE INDEX IF NOT EXISTS runs_of_job ON job_runs (job_id, started_at);
"""

RUNS_KEPT = 1_000
"""Runs of a job that are kept; older ones go."""


@dataclass(frozen=True)
class Job:
    """A job as it was set up."""

    job_id: int
    creator: str
    created_at: int
    settings: dict[str, Any]


@dataclass(frozen=True)
class JobRun:
    """One run of a job, or one task of it when it has no tasks of its own.

    Attributes:
        tasks: for each task its key, its run id, its states and times, as the API has them.
    """

    run_id: int
    job_id: int
    trigger: str
    started_at: int
    life_cycle_state: str = "PENDING"
    result_state: str | None = None
    message: str = ""
    ended_at: int | None = None
    tasks: tuple[dict[str, Any], ...] = ()


class JobRows:
    """Reads and writes of the two tables."""

    def __init__(self, state: State) -> None:
        self._state = state
        state.define(SCHEMA)

    def save(self, job: Job) -> None:
        """Insert a job or replace its settings."""
        with self._state.transaction() as connection:
            connection.execute(
                "INSERT INTO jobs VALUES (?, ?, ?, ?)"
                " ON CONFLICT (job_id) DO UPDATE SET settings = excluded.settings",
                (job.job_id, job.creator, job.created_at, json.dumps(job.settings)),
            )

    def find(self, job_id: int) -> Job | None:
        """The job of that id."""
        row = self._state.one("SELECT * FROM jobs WHERE job_id = :id", id=job_id)
        return _job(row) if row else None

    def all(self) -> list[Job]:
        """All jobs, newest first."""
        return [_job(row) for row in self._state.all("SELECT * FROM jobs ORDER BY created_at DESC, job_id")]

    def delete(self, job_id: int) -> None:
        """Forget a job and its runs."""
        with self._state.transaction() as connection:
            connection.execute("DELETE FROM jobs WHERE job_id = ?", (job_id,))

    def save_run(self, run: JobRun) -> None:
        """Insert a run or replace it; the oldest runs beyond RUNS_KEPT go."""
        values = (
            run.run_id, run.job_id, run.trigger, run.started_at, run.ended_at,
            run.life_cycle_state, run.result_state, run.message, json.dumps(run.tasks),
        )  # fmt: skip
        with self._state.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO job_runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
            connection.execute(
                "DELETE FROM job_runs WHERE job_id = ?1 AND run_id NOT IN"
                " (SELECT run_id FROM job_runs WHERE job_id = ?1 ORDER BY started_at DESC LIMIT ?2)",
                (run.job_id, RUNS_KEPT),
            )

    def run(self, run_id: int) -> JobRun | None:
        """The run of that id."""
        row = self._state.one("SELECT * FROM job_runs WHERE run_id = :id", id=run_id)
        return _run(row) if row else None

    def runs(self, job_id: int | None = None) -> list[JobRun]:
        """The runs of a job, or of all, newest first."""
        rows = self._state.all(
            "SELECT * FROM job_runs WHERE :id IS NULL OR job_id = :id ORDER BY started_at DESC, run_id",
            id=job_id,
        )
        return [_run(row) for row in rows]


def _job(row: Any) -> Job:
    return Job(row["job_id"], row["creator"], row["created_at"], json.loads(row["settings"]))


def _run(row: Any) -> JobRun:
    return JobRun(
        run_id=row["run_id"],
        job_id=row["job_id"],
        trigger=row["trigger"],
        started_at=row["started_at"],
        life_cycle_state=row["life_cycle_state"],
        result_state=row["result_state"],
        message=row["message"],
        ended_at=row["ended_at"],
        tasks=tuple(json.loads(row["tasks"])),
    )
