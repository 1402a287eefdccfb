"""A driver's way on the streets around it."""

import re
from random import Random

from caspers.review.order_events import OrderEvent, drive_of, places
from caspers.review.route_map import HEIGHT, MARGIN, WIDTH, Drive, Ping, Place, route_map, streets_of

from tests.caspers.test_review_timeline import START

KITCHEN = (37.77, -122.42)


def _grid_route(chance: Random, corners: int) -> list[Place]:
    """A walk along the corners of a grid, and a door beside its end."""
    north, east = 0, 0
    walk = [KITCHEN]
    for _ in range(corners):
        north, east = chance.choice(
            [(north + 1, east), (north - 1, east), (north, east + 1), (north, east - 1)]
        )
        walk.append((KITCHEN[0] + north * 0.002, KITCHEN[1] + east * 0.0025))
    return [*walk, (walk[-1][0] + 0.0003, walk[-1][1])]


def _numbers(path: str) -> list[int]:
    return [int(number) for number in re.findall(r"-?\d+", path)]


def test_streets_are_the_distinct_pieces_of_routes_without_the_doors():
    there = [KITCHEN, (37.78, -122.42), (37.79, -122.42), (37.7901, -122.4203)]
    back = [(37.79, -122.42), (37.78, -122.42), (37.78, -122.41), (37.7803, -122.41)]
    streets = streets_of([there, back])
    assert streets.routes == 2
    assert sorted(streets.driven.values()) == [1, 1, 2]
    assert (there[2], there[3]) not in streets.driven


def test_the_way_fits_into_the_picture_with_a_margin():
    drive = Drive((KITCHEN, (37.80, -122.40), (37.81, -122.39)), (Ping((37.795, -122.405), 50.0),))
    shown = route_map(drive, streets_of([]))
    assert shown
    for dot in (shown.kitchen, shown.door, *shown.pings):
        assert MARGIN * WIDTH - 1 <= dot.x <= WIDTH * (1 - MARGIN) + 1
        assert MARGIN * HEIGHT - 1 <= dot.y <= HEIGHT * (1 - MARGIN) + 1
    assert shown.kitchen.y > shown.door.y, "north is up"


def test_distances_are_those_of_the_ground():
    degree_north = 1 / 111.32  # a kilometre
    shown = route_map(Drive((KITCHEN, (KITCHEN[0] + degree_north, KITCHEN[1]))), streets_of([]))
    assert shown
    assert abs(shown.metres - 1000) < 1
    drawn = shown.kitchen.y - shown.door.y
    assert abs(drawn / 1000 - shown.scale_width / shown.scale_metres) < 0.01


def test_a_picture_of_very_many_streets_stays_small():
    chance = Random(5)
    routes = [_grid_route(chance, 120) for _ in range(600)]
    shown = route_map(drive=Drive(tuple(_grid_route(chance, 4_000))), streets=streets_of(routes))
    assert shown
    assert len(shown.side_streets) + len(shown.main_streets) + len(shown.way) < 60_000


def test_every_piece_in_view_is_drawn_exactly_once():
    chance = Random(3)
    routes = [_grid_route(chance, 12) for _ in range(20)]
    streets = streets_of(routes)
    everywhere = tuple(place for piece in streets.driven for place in piece)
    shown = route_map(Drive(everywhere), streets)
    assert shown
    steps = sum(
        len(line.split("l")[1].split(" "))
        for path in (shown.side_streets, shown.main_streets)
        for line in path.split("M")[1:]
    )
    assert steps == len(streets.driven)


def test_without_a_way_there_is_no_picture():
    assert route_map(Drive(()), streets_of([])) is None
    assert route_map(Drive((KITCHEN,)), streets_of([])) is None


def test_a_driver_who_never_moved_is_drawn_all_the_same():
    shown = route_map(Drive((KITCHEN, KITCHEN)), streets_of([[KITCHEN, KITCHEN]]))
    assert shown
    assert (shown.kitchen.x, shown.kitchen.y) == (shown.door.x, shown.door.y) == (WIDTH // 2, HEIGHT // 2)


def test_events_with_odd_bodies_leave_out_what_is_no_place():
    bodies = [
        (
            "driver_picked_up",
            {"route_points": [[37.7, -122.4], "here", [1], [None, 2], [999, 0], [37.8, -122.5]]},
        ),
        ("driver_ping", {"loc_lat": "north", "loc_lon": 1}),
        ("driver_ping", {"loc_lat": 37.75, "loc_lon": -122.45, "progress_pct": None}),
        ("delivered", {}),
    ]
    drive = drive_of([OrderEvent(kind, START, number, body) for number, (kind, body) in enumerate(bodies)])
    assert drive == Drive(((37.7, -122.4), (37.8, -122.5)), (Ping((37.75, -122.45), 0.0),))
    assert places({"no": "list"}) == ()
