"""How long an order takes in the kitchen: a queue with a fixed number of stations, so a busy kitchen really is slower."""

from dataclasses import dataclass
from heapq import heapify, heapreplace

import numpy as np

#: Seconds from the order to the moment a free station would begin.
ACCEPT_S = (30, 150)
#: Spread of cooking times (sigma of the log), and seconds of packing.
COOKING_SIGMA = 0.22
PACKING_S = (45, 200)
#: Every additional line of an order adds this share to its cooking time.
EXTRA_LINE_SHARE = 0.06
#: Drivers are called when cooking begins; their way takes 3 to 28 minutes, mostly near 9.
DRIVER_MIN_S, DRIVER_MAX_S = 180, 1_680
DRIVER_BETA = (2.2, 5.5)
HANDOVER_S = (20, 120)


@dataclass(frozen=True)
class Service:
    """The moments of each order in seconds since the dataset's first, rising from left to right except `arrived`."""

    started: np.ndarray
    finished: np.ndarray
    ready: np.ndarray
    arrived: np.ndarray
    picked_up: np.ndarray


def serve(
    created_s: np.ndarray, prep_min: np.ndarray, lines: np.ndarray, capacity: int, rng: np.random.Generator
) -> Service:
    """Cook the orders first come, first served, at most `capacity` at a time."""
    n = created_s.size
    cooking = prep_min * 60 * rng.lognormal(0.0, COOKING_SIGMA, n) * (1 + EXTRA_LINE_SHARE * (lines - 1))
    cooking = np.maximum(cooking, 60).astype(np.int64)
    started = _queue(created_s + rng.integers(*ACCEPT_S, n), cooking, capacity)
    finished = started + cooking
    ready = finished + rng.integers(*PACKING_S, n)
    way = DRIVER_MIN_S + (DRIVER_MAX_S - DRIVER_MIN_S) * rng.beta(*DRIVER_BETA, n)
    arrived = started + way.astype(np.int64)
    picked_up = np.maximum(arrived, ready) + rng.integers(*HANDOVER_S, n)
    return Service(started, finished, ready, arrived, picked_up)


def _queue(wanted: np.ndarray, cooking: np.ndarray, capacity: int) -> np.ndarray:
    """When each order gets a station. A loop over plain numbers: each start depends on all before it."""
    free_at = [0] * capacity
    heapify(free_at)
    started: list[int] = []
    for want, cook in zip(wanted.tolist(), cooking.tolist(), strict=True):
        start = max(want, free_at[0])
        heapreplace(free_at, start + cook)
        started.append(start)
    return np.asarray(started, dtype=np.int64)
