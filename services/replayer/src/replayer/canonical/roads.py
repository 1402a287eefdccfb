"""A street network for a city and the fastest way from its kitchen to every corner.

The network is synthetic: a jittered grid with avenues that are faster than streets, and blocks, parks and water where
a street is missing. All routes begin at the kitchen, so one shortest-path tree holds them all.
"""

from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np

from replayer.canonical.cities import City

#: Corners along each side of the grid, metres between them, and how far a corner strays from the grid.
SIDE = 41
BLOCK_M = 180.0
JITTER_M = 35.0
#: Every fifth line is an avenue; metres per second on either.
AVENUE_EVERY = 5
AVENUE_M_S = 9.5
STREET_M_S = 6.0
#: Share of streets that are missing.
MISSING = 0.12
METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True)
class Roads:
    """Corners with coordinates and travel time, and the route to each as a run of points in one long array.

    The route to corner `i` is `point[start[i]:start[i + 1]]`; `share` is the part of the travel time gone at each point.
    """

    lat: np.ndarray
    lon: np.ndarray
    travel_s: np.ndarray
    reachable: np.ndarray
    start: np.ndarray
    point: np.ndarray
    share: np.ndarray

    def position(self, corner: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Latitude and longitude after `share` (0–1) of the way to `corner`."""
        legs = np.repeat(np.arange(self.start.size - 1), np.diff(self.start))
        after = np.searchsorted(legs * 2 + self.share, corner * 2 + share, side="right")
        after = np.clip(after, self.start[corner] + 1, self.start[corner + 1] - 1)
        before = after - 1
        step = np.maximum(self.share[after] - self.share[before], 1e-9)
        part = np.clip((share - self.share[before]) / step, 0, 1)
        a, b = self.point[before], self.point[after]
        return self.lat[a] + (self.lat[b] - self.lat[a]) * part, self.lon[a] + (
            self.lon[b] - self.lon[a]
        ) * part


def build_roads(city: City, rng: np.random.Generator) -> Roads:
    """The network around the kitchen of `city`; the kitchen is the middle corner."""
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    middle = SIDE // 2
    north_m = (row - middle) * BLOCK_M + rng.uniform(-JITTER_M, JITTER_M, row.size)
    east_m = (column - middle) * BLOCK_M + rng.uniform(-JITTER_M, JITTER_M, row.size)
    kitchen = middle * SIDE + middle
    north_m[kitchen] = east_m[kitchen] = 0.0
    travel_s, came_from = _fastest(_streets(north_m, east_m, rng), kitchen)
    routes = [_route(came_from, corner) for corner in range(row.size)]
    point = np.concatenate([np.asarray(route) for route in routes])
    ends = np.repeat(travel_s, [len(route) for route in routes])
    return Roads(
        lat=city.lat + north_m / METRES_PER_DEGREE,
        lon=city.lon + east_m / (METRES_PER_DEGREE * np.cos(np.radians(city.lat))),
        travel_s=travel_s,
        reachable=np.flatnonzero(np.isfinite(travel_s) & (travel_s > 0)),
        start=np.concatenate([[0], np.cumsum([len(route) for route in routes])]),
        point=point,
        share=np.divide(
            travel_s[point], ends, out=np.zeros(point.size), where=np.isfinite(ends) & (ends > 0)
        ),
    )


def _streets(
    north_m: np.ndarray, east_m: np.ndarray, rng: np.random.Generator
) -> list[list[tuple[int, float]]]:
    """For every corner its neighbours with the seconds it takes to reach them."""
    neighbours: list[list[tuple[int, float]]] = [[] for _ in range(north_m.size)]
    corner = np.arange(north_m.size)
    row, column = np.divmod(corner, SIDE)
    for step, ahead, line in ((1, column < SIDE - 1, row), (SIDE, row < SIDE - 1, column)):
        a = corner[ahead]
        b = a + step
        avenue = line[ahead] % AVENUE_EVERY == 0
        seconds = np.hypot(north_m[a] - north_m[b], east_m[a] - east_m[b]) / np.where(
            avenue, AVENUE_M_S, STREET_M_S
        )
        open_ = avenue | (rng.random(a.size) >= MISSING)
        for one, other, s in zip(a[open_].tolist(), b[open_].tolist(), seconds[open_].tolist(), strict=True):
            neighbours[one].append((other, s))
            neighbours[other].append((one, s))
    return neighbours


def _fastest(streets: list[list[tuple[int, float]]], kitchen: int) -> tuple[np.ndarray, list[int]]:
    """Dijkstra from the kitchen: seconds to each corner (infinite where no way leads) and the corner before it."""
    seconds = [np.inf] * len(streets)
    came_from = list(range(len(streets)))
    seconds[kitchen] = 0.0
    frontier = [(0.0, kitchen)]
    while frontier:
        so_far, corner = heappop(frontier)
        if so_far > seconds[corner]:
            continue
        for neighbour, s in streets[corner]:
            if so_far + s < seconds[neighbour]:
                seconds[neighbour] = so_far + s
                came_from[neighbour] = corner
                heappush(frontier, (so_far + s, neighbour))
    return np.asarray(seconds), came_from


def _route(came_from: list[int], corner: int) -> list[int]:
    """The corners from the kitchen to `corner`; a corner without a way to it is its own route."""
    route = [corner]
    while came_from[route[-1]] != route[-1]:
        route.append(came_from[route[-1]])
    return route[::-1]
