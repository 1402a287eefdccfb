"""Who works on requests: a few threads in turn for what is quick, others for what waits on something slow.

Sixteen requests that share one interpreter finish sooner one after the other than all at once, and none of them much
later than the rest.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread

T = TypeVar("T")
P = ParamSpec("P")

#: Threads for the routes of an app: each takes the next request in line.
QUICK = 4
#: Threads for what may wait for seconds.
SLOW = 8


def share_few_threads() -> None:
    """Let the routes of the running event loop take turns on a few threads."""
    to_thread.current_default_thread_limiter().total_tokens = QUICK


class SlowLane:
    """Threads beside those of the routes, so that a slow answer never keeps a quick one waiting."""

    def __init__(self, threads: int = SLOW) -> None:
        self._threads = threads
        self._limiter: CapacityLimiter | None = None

    async def run(self, work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        """The result of blocking work, as soon as a thread is free. Raises what it raises."""
        if self._limiter is None:
            self._limiter = CapacityLimiter(self._threads)
        return await to_thread.run_sync(lambda: work(*arguments, **options), limiter=self._limiter)
