"""The picture of the stages: needs run from left to right, nothing covers anything, the same stages give the same picture."""

from itertools import combinations

from admin.functions import definitions
from admin.pages.stage_graph import NODE_HEIGHT, NODE_WIDTH, Graph, graph
from admin.sources import BUNDLES
from admin.stages import Demo, all_stages
from caspers.settings import Parameters
from hypothesis import given
from hypothesis import strategies as st

NAMES = "abcdefghij"


def _demo() -> dict[str, tuple[str, ...]]:
    demo = Demo(Parameters(), dict.fromkeys(BUNDLES, "x"), definitions(), "")
    return {stage.name: stage.needs for stage in all_stages(demo)}


@st.composite
def _needs(draw: st.DrawFn) -> dict[str, list[str]]:
    """Stages in an order in which each needs only some of those before it."""
    count = draw(st.integers(1, len(NAMES)))
    return {
        name: draw(st.lists(st.sampled_from(NAMES[:number]), unique=True)) if number else []
        for number, name in enumerate(NAMES[:count])
    }


def _overlaps(drawn: Graph) -> list[tuple[str, str]]:
    return [
        (one.name, other.name)
        for one, other in combinations(drawn.nodes, 2)
        if abs(one.x - other.x) < NODE_WIDTH and abs(one.y - other.y) < NODE_HEIGHT
    ]


@given(_needs())
def test_no_stage_covers_another_and_needs_stand_to_the_left(needs: dict[str, list[str]]):
    drawn = graph(needs)
    column = {node.name: node.column for node in drawn.nodes}
    assert sorted(column) == sorted(needs)
    assert not _overlaps(drawn)
    assert all(column[need] < column[name] for name, of in needs.items() for need in of)


@given(_needs())
def test_everything_lies_on_the_canvas(needs: dict[str, list[str]]):
    drawn = graph(needs)
    assert all(node.x >= 0 and node.x + NODE_WIDTH <= drawn.width for node in drawn.nodes)
    assert all(node.y >= 0 and node.y + NODE_HEIGHT <= drawn.height for node in drawn.nodes)


def test_each_need_is_one_line_and_strangers_are_not_drawn():
    drawn = graph({"a": (), "b": ("a", "elsewhere"), "c": ("a", "b")})
    assert [(edge.source, edge.target) for edge in drawn.edges] == [("a", "b"), ("a", "c"), ("b", "c")]


def test_a_line_over_a_layer_keeps_clear_of_its_stages():
    drawn = graph({"a": (), "b": ("a",), "c": ("a", "b")})
    b = next(node for node in drawn.nodes if node.name == "b")
    long = next(edge for edge in drawn.edges if (edge.source, edge.target) == ("a", "c"))
    level = float(long.path.split("L")[1].split()[1])
    assert not b.y <= level <= b.y + NODE_HEIGHT


def test_a_chain_is_a_straight_line():
    drawn = graph({"a": (), "b": ("a",), "c": ("b",)})
    assert len({node.y for node in drawn.nodes}) == 1


def test_the_demo_fits_a_projector_and_is_drawn_alike_each_time():
    drawn = graph(_demo())
    assert drawn.width <= 1280
    assert drawn.height <= 420
    assert drawn == graph(_demo())


def test_nothing_to_draw_is_an_empty_picture():
    assert graph({}).nodes == ()
