"""The picture of the stages: layers from left to right by what they need, lines between them that cross little. Pure.

A line that passes a layer keeps a narrow lane of its own there, so that it never runs behind a stage.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

NODE_WIDTH = 152
NODE_HEIGHT = 74
COLUMN_GAP = 28
ROW_GAP = 12
LANE_HEIGHT = 10
MARGIN = 4
SWEEPS = 24

Needs = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Node:
    """A stage's place: its left upper corner, its column from the left, its row in that column from the top."""

    name: str
    x: float
    y: float
    column: int
    row: int


@dataclass(frozen=True)
class Edge:
    """A line from a stage to one that needs it, as an SVG path."""

    source: str
    target: str
    path: str


@dataclass(frozen=True)
class Graph:
    """Nodes and edges on a canvas, in pixels."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    width: float
    height: float


@dataclass
class _Place:
    """A stage, or a line's lane through a layer."""

    key: str
    height: float
    y: float = 0.0


def graph(needs: Needs) -> Graph:
    """The picture of the stages in `needs`; a need that is not among them is not drawn."""
    known = {name: [need for need in of if need in needs] for name, of in needs.items()}
    column = _columns(known)
    chains = [_chain(need, name, column) for name, of in known.items() for need in of]
    layers = _layers(column, chains)
    neighbours = _neighbours(chains)
    _settle(layers, neighbours)
    places = {place.key: place for layer in layers for place in layer}
    nodes = tuple(
        Node(place.key, _left(number), place.y, number, row)
        for number, layer in enumerate(layers)
        for row, place in enumerate(each for each in layer if each.key in known)
    )
    edges = tuple(Edge(chain[0][0], chain[-1][0], _path(chain, places)) for chain in chains)
    lowest = max((place.y + place.height for place in places.values()), default=0.0)
    return Graph(nodes, edges, _left(len(layers)) - COLUMN_GAP + MARGIN, lowest + MARGIN)


def _columns(needs: Needs) -> dict[str, int]:
    """The layer of every stage: one further than the last of what it needs."""
    column: dict[str, int] = {}

    def place(name: str) -> int:
        if name not in column:
            column[name] = 1 + max((place(need) for need in needs[name]), default=-1)
        return column[name]

    for name in needs:
        place(name)
    return column


def _chain(source: str, target: str, column: Mapping[str, int]) -> list[tuple[str, int]]:
    """The keys and columns which a line passes, its ends included."""
    between = range(column[source] + 1, column[target])
    lanes = [(f"{source}→{target}@{number}", number) for number in between]
    return [(source, column[source]), *lanes, (target, column[target])]


def _layers(column: Mapping[str, int], chains: Sequence[Sequence[tuple[str, int]]]) -> list[list[_Place]]:
    layers: list[list[_Place]] = [[] for _ in range(max(column.values(), default=-1) + 1)]
    for name, number in column.items():
        layers[number].append(_Place(name, NODE_HEIGHT))
    for chain in chains:
        for key, number in chain[1:-1]:
            layers[number].append(_Place(key, LANE_HEIGHT))
    return layers


def _neighbours(chains: Sequence[Sequence[tuple[str, int]]]) -> dict[str, list[str]]:
    near: dict[str, list[str]] = {}
    for chain in chains:
        for (left, _), (right, _) in pairwise(chain):
            near.setdefault(left, []).append(right)
            near.setdefault(right, []).append(left)
    return near


def _settle(layers: Sequence[list[_Place]], near: Mapping[str, Sequence[str]]) -> None:
    """Order each layer so that few lines cross, then let every place move towards the middle of its neighbours."""
    seen = _visited(layers, near)
    places = {place.key: place for layer in layers for place in layer}
    for layer in layers:
        layer.sort(key=lambda place: seen[place.key])
        _stack(layer)
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            _stack(layer, {place.key: _middle_of(near.get(place.key, ()), places, place) for place in layer})
    highest = min((place.y for place in places.values()), default=0.0)
    for place in places.values():
        place.y = round(place.y - highest + MARGIN, 1)


def _visited(layers: Sequence[Sequence[_Place]], near: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """When a walk from neighbour to neighbour first comes by; what hangs together is passed together."""
    seen: dict[str, int] = {}

    def visit(key: str) -> None:
        if key not in seen:
            seen[key] = len(seen)
            for other in near.get(key, ()):
                visit(other)

    for layer in layers:
        for place in layer:
            visit(place.key)
    return seen


def _middle_of(keys: Sequence[str], places: Mapping[str, _Place], itself: _Place) -> float:
    if not keys:
        return itself.y + itself.height / 2
    return sum(places[key].y + places[key].height / 2 for key in keys) / len(keys)


def _stack(layer: Sequence[_Place], wish: Mapping[str, float] | None = None) -> None:
    """Place a layer from the top, each as near to its wish as those above allow; then balance the whole of it."""
    if not layer:
        return
    below = float("-inf")
    for number, place in enumerate(layer):
        wanted = (wish[place.key] if wish else number * (NODE_HEIGHT + ROW_GAP)) - place.height / 2
        place.y = max(wanted, below)
        below = place.y + place.height + ROW_GAP
    if wish:
        off = sum(wish[place.key] - place.y - place.height / 2 for place in layer) / len(layer)
        for place in layer:
            place.y += off


def _left(column: int) -> float:
    return MARGIN + column * (NODE_WIDTH + COLUMN_GAP)


def _path(chain: Sequence[tuple[str, int]], places: Mapping[str, _Place]) -> str:
    """From the right edge of the first over the lanes to the left edge of the last."""
    parts: list[str] = []
    for (left, left_column), (right, right_column) in pairwise(chain):
        x0, y0 = _left(left_column) + NODE_WIDTH, _centre(places[left])
        x1, y1 = _left(right_column), _centre(places[right])
        bend = COLUMN_GAP / 2
        begin = f"M{x0:g} {y0:g}" if not parts else f"L{x0:g} {y0:g}"
        parts.append(f"{begin} C{x0 + bend:g} {y0:g} {x1 - bend:g} {y1:g} {x1:g} {y1:g}")
    return " ".join(parts)


def _centre(place: _Place) -> float:
    return round(place.y + place.height / 2, 1)
