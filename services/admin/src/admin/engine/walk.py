"""Walking a graph of work: independent parts side by side, what depends on a failure left out."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Event
from typing import Literal

Outcome = Literal["done", "failed", "skipped"]


def walk(
    graph: Mapping[str, frozenset[str]], act: Callable[[str], bool], *, parallel: int, stop: Event
) -> dict[str, Outcome]:
    """Call `act(key)` for every key once all it waits for are done; `act` answers whether it succeeded.

    A key behind a failed one is skipped. After `stop` is set nothing new begins; what runs is waited for.
    """
    outcomes: dict[str, Outcome] = {}
    running: dict[Future[bool], str] = {}
    with ThreadPoolExecutor(parallel, thread_name_prefix="walk") as pool:
        while True:
            for key in _startable(graph, outcomes, running.values(), stopped=stop.is_set()):
                running[pool.submit(act, key)] = key
            if not running:
                return {key: outcomes.get(key, "skipped") for key in graph}
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                outcomes[running.pop(future)] = "done" if future.result() else "failed"


def _startable(
    graph: Mapping[str, frozenset[str]],
    outcomes: Mapping[str, Outcome],
    running: Iterable[str],
    *,
    stopped: bool,
) -> list[str]:
    if stopped:
        return []
    begun = {*outcomes, *running}
    return [
        key
        for key, first in graph.items()
        if key not in begun and all(outcomes.get(need) == "done" for need in first)
    ]
