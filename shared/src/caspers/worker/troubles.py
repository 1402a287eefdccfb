"""Troubles of a worker with what it stands on: said when they begin, when they change and when they end, not in between."""

import structlog

_log = structlog.get_logger(__name__)


class Troubles:
    """What is wrong at the moment, by subject: "orders", "lease", "report"."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._current: dict[str, str] = {}

    def begin(self, subject: str, error: Exception) -> None:
        """Note that something went wrong; says so unless it was the same before."""
        said = str(error)
        if self._current.get(subject) != said:
            self._current[subject] = said
            _log.warning("worker has trouble", worker=self._worker, subject=subject, error=said)

    def end(self, subject: str) -> None:
        """Note that it went well."""
        if self._current.pop(subject, None) is not None:
            _log.info("worker is out of trouble", worker=self._worker, subject=subject)
