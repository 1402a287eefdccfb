"""A driver's way on the streets around it, from latitude and longitude to a picture of bounded size. Pure.

Nobody ships a street map with the events. The streets are those that drivers drove: the distinct pieces of the
planned routes of many orders, without the last one of each, which ends at a customer's door and is no street.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

T = TypeVar("T")

#: Size of the picture, in its own units.
WIDTH = 800
HEIGHT = 520
#: Part of the way's extent that is left free around it, and the least extent that is shown.
MARGIN = 0.12
LEAST_EXTENT_M = 1_500.0
METRES_PER_DEGREE = 111_320.0
#: A picture shows at most this many pieces of street (the most driven ones), points of a way and reported positions:
#: less than 60 KB of SVG.
MOST_PIECES = 2_500
MOST_POINTS = 600
MOST_PINGS = 100
#: Pieces driven at least this often, as a share of the routes, are drawn stronger.
MAIN_STREET_SHARE = 0.04
#: Decimals of a degree by which two corners are the same: about a metre.
SAME_CORNER = 5
SCALE_METRES = (100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000)

#: Latitude and longitude in degrees.
Place = tuple[float, float]
#: A piece of street between two corners, the smaller corner first.
Piece = tuple[Place, Place]


@dataclass(frozen=True)
class Streets:
    """Pieces of street with how often they were driven, out of how many routes."""

    driven: Mapping[Piece, int]
    routes: int


@dataclass(frozen=True)
class Ping:
    """A position that the driver reported on the way, at `progress_pct` of it."""

    place: Place
    progress_pct: float


@dataclass(frozen=True)
class Drive:
    """The planned way from the kitchen to the door, the reported positions, and where it was handed over."""

    planned: tuple[Place, ...]
    pings: tuple[Ping, ...] = ()
    delivered: Place | None = None


@dataclass(frozen=True)
class Dot:
    """A point of the picture."""

    x: int
    y: int
    label: str


@dataclass(frozen=True)
class RouteMap:
    """A picture in SVG's terms: path data and points inside `width` × `height`; `metres` is the length of the way."""

    width: int
    height: int
    side_streets: str
    main_streets: str
    way: str
    pings: tuple[Dot, ...]
    kitchen: Dot
    door: Dot
    scale_metres: int
    scale_width: int
    metres: float

    @property
    def summary(self) -> str:
        """The picture in a sentence."""
        return (
            f"The driver's way from the kitchen to the customer, {self.metres / 1000:.1f} km, "
            f"with {len(self.pings)} reported positions, on the streets that drivers use here."
        )


def streets_of(routes: Iterable[Sequence[Place]]) -> Streets:
    """The streets that appear in planned routes."""
    driven: Counter[Piece] = Counter()
    number = 0
    for route in routes:
        number += 1
        corners = [(round(lat, SAME_CORNER), round(lon, SAME_CORNER)) for lat, lon in route[:-1]]
        driven.update((min(a, b), max(a, b)) for a, b in pairwise(corners) if a != b)
    return Streets(driven, number)


def route_map(drive: Drive, streets: Streets) -> RouteMap | None:
    """The picture of a drive; None when there is no way to show."""
    if len(drive.planned) < 2:
        return None
    door = drive.delivered or drive.planned[-1]
    view = _view([*drive.planned, *(ping.place for ping in drive.pings), door])
    side, main = _street_paths(streets, view)
    scale = _scale(view)
    return RouteMap(
        width=WIDTH,
        height=HEIGHT,
        side_streets=side,
        main_streets=main,
        way=_path([[view.point(place) for place in _thinned(drive.planned, MOST_POINTS)]]),
        pings=tuple(
            _dot(view, ping.place, f"{ping.progress_pct:.0f} %") for ping in _thinned(drive.pings, MOST_PINGS)
        ),
        kitchen=_dot(view, drive.planned[0], "Kitchen"),
        door=_dot(view, door, "Customer"),
        scale_metres=scale,
        scale_width=round(scale * view.units_per_metre),
        metres=sum(_metres(a, b) for a, b in pairwise(drive.planned)),
    )


@dataclass(frozen=True)
class _View:
    """The part of the world that the picture shows, its middle in the middle; north is up."""

    middle: Place
    units_per_metre: float

    def point(self, place: Place) -> tuple[int, int]:
        north_m = (place[0] - self.middle[0]) * METRES_PER_DEGREE
        east_m = _east(place[1] - self.middle[1], self.middle[0])
        return (
            round(WIDTH / 2 + east_m * self.units_per_metre),
            round(HEIGHT / 2 - north_m * self.units_per_metre),
        )


def _view(places: Sequence[Place]) -> _View:
    lats, lons = [lat for lat, _ in places], [lon for _, lon in places]
    middle = ((min(lats) + max(lats)) / 2, (min(lons) + max(lons)) / 2)
    high_m = max((max(lats) - min(lats)) * METRES_PER_DEGREE, LEAST_EXTENT_M * HEIGHT / WIDTH)
    wide_m = max(_east(max(lons) - min(lons), middle[0]), LEAST_EXTENT_M)
    free = 1 - 2 * MARGIN
    return _View(middle, min(HEIGHT * free / high_m, WIDTH * free / wide_m))


def _street_paths(streets: Streets, view: _View) -> tuple[str, str]:
    """Path data of the side streets and of the main streets within the view."""
    seen: list[tuple[int, tuple[int, int], tuple[int, int]]] = []
    for (a, b), times in streets.driven.items():
        start, end = view.point(a), view.point(b)
        if start != end and _touches(start, end):
            seen.append((times, start, end))
    seen.sort(reverse=True)
    often = max(2.0, streets.routes * MAIN_STREET_SHARE)
    shown = seen[:MOST_PIECES]
    side = [(start, end) for times, start, end in shown if times < often]
    main = [(start, end) for times, start, end in shown if times >= often]
    return _path(_chained(side)), _path(_chained(main))


def _touches(start: tuple[int, int], end: tuple[int, int]) -> bool:
    """Whether the box around a piece overlaps the picture."""
    (x1, y1), (x2, y2) = start, end
    return max(x1, x2) >= 0 and min(x1, x2) <= WIDTH and max(y1, y2) >= 0 and min(y1, y2) <= HEIGHT


def _chained(pieces: Iterable[tuple[tuple[int, int], tuple[int, int]]]) -> list[list[tuple[int, int]]]:
    """The pieces as long lines, so that a corner is written once; ends of streets are good places to begin."""
    neighbours: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for start, end in pieces:
        neighbours.setdefault(start, []).append(end)
        neighbours.setdefault(end, []).append(start)
    lines: list[list[tuple[int, int]]] = []
    for corner in sorted(neighbours, key=lambda corner: (len(neighbours[corner]) % 2 == 0, corner)):
        while neighbours[corner]:
            line = [corner]
            while neighbours[line[-1]]:
                following = neighbours[line[-1]].pop()
                neighbours[following].remove(line[-1])
                line.append(following)
            lines.append(line)
    return lines


def _path(lines: Iterable[Sequence[tuple[int, int]]]) -> str:
    """SVG path data: each line begins somewhere and goes on relative to the corner before."""
    return "".join(_line(line) for line in lines if len(line) > 1)


def _line(line: Sequence[tuple[int, int]]) -> str:
    steps = [f"{x2 - x1},{y2 - y1}" for (x1, y1), (x2, y2) in pairwise(line)]
    return f"M{line[0][0]},{line[0][1]}l{' '.join(steps)}"


def _thinned(points: Sequence[T], most: int) -> Sequence[T]:
    """At most that many of the points, evenly chosen, the first and the last among them."""
    if len(points) <= most:
        return points
    step = (len(points) - 1) / (most - 1)
    return [points[round(number * step)] for number in range(most)]


def _dot(view: _View, place: Place, label: str) -> Dot:
    return Dot(*view.point(place), label)


def _scale(view: _View) -> int:
    """The longest round distance that takes at most a quarter of the picture."""
    fitting = [metres for metres in SCALE_METRES if metres * view.units_per_metre <= WIDTH / 4]
    return fitting[-1] if fitting else SCALE_METRES[0]


def _metres(a: Place, b: Place) -> float:
    return math.hypot((a[0] - b[0]) * METRES_PER_DEGREE, _east(a[1] - b[1], a[0]))


def _east(degrees: float, at_latitude: float) -> float:
    """Metres of a difference in longitude at a latitude."""
    return degrees * METRES_PER_DEGREE * math.cos(math.radians(at_latitude))
