"""The pictures of a case: drawn from real numbers, readable without seeing them, small, and never markup from outside."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import caspers.review
import pytest
from caspers.review.route_map import Drive, Ping, RouteMap, route_map, streets_of
from caspers.review.timeline import Timeline, timeline
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tests.caspers.test_review_route_map import KITCHEN
from tests.caspers.test_review_timeline import USUAL, WHOLE, order_events

SVG_MOST_BYTES = 60_000


def picture(name: str, shown: Any) -> str:
    """One of the macros, rendered as an app renders it."""
    folder = Path(caspers.review.__file__).parent / "templates"
    environment = Environment(loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined)
    return str(getattr(environment.get_template("evidence.html").module, name)(shown))


def svg_of(html: str) -> ET.Element:
    return ET.fromstring(html[html.index("<svg") : html.index("</svg>") + len("</svg>")])


def whole() -> Timeline:
    shown = timeline(order_events(WHOLE), USUAL, {"order_created": 1.5, "gk_started": 11.0, "gk_ready": 1.5})
    assert shown
    return shown


def way() -> RouteMap:
    corners = [(KITCHEN[0] + 0.002 * step, KITCHEN[1] - 0.001 * (step % 3)) for step in range(12)]
    shown = route_map(Drive(tuple(corners), (Ping(corners[5], 45.0),)), streets_of([corners, corners[::-1]]))
    assert shown
    return shown


def test_the_timeline_says_in_words_what_it_shows():
    label = svg_of(picture("timeline", whole())).get("aria-label", "")
    assert label.startswith("Delivered after 33.0 minutes: before the kitchen 2.0, kitchen 12.0")
    assert "three quarters within 30.0" in label


def test_the_timeline_draws_phases_percentiles_and_the_end_on_one_scale():
    drawn = svg_of(picture("timeline", whole()))
    bars = [bar for bar in drawn.iter("rect") if "usual" not in (bar.get("class") or "")]
    lines = [line for line in drawn.iter("line") if "percentile" in (line.get("class") or "")]
    per_minute = float(bars[1].get("width", 0)) / 12.0
    assert len(bars) == 4
    assert float(lines[1].get("x1", 0)) - float(bars[0].get("x", 0)) == pytest.approx(
        30 * per_minute, abs=0.3
    )


@pytest.mark.parametrize("minutes", [{"order_created": 0}, {"order_created": 0, "delivered": 9_000}])
def test_an_odd_order_has_a_timeline_as_well(minutes: dict[str, float]):
    shown = timeline(order_events(minutes))
    assert svg_of(picture("timeline", shown)).get("role") == "img"


def test_the_route_names_its_ends_and_its_positions():
    drawn = svg_of(picture("route", way()))
    words = "".join(drawn.itertext())
    assert "Kitchen" in words
    assert "Customer" in words
    assert "45 % of the way" in words
    assert "1 reported position" in picture("route", way())


def test_the_largest_route_that_is_drawn_is_small_enough_to_send():
    pings = tuple(Ping((KITCHEN[0] + step * 1e-5, KITCHEN[1]), step / 30) for step in range(3_000))
    corners = [
        (KITCHEN[0] + 0.0007 * (step % 97), KITCHEN[1] + 0.0009 * (step % 89)) for step in range(30_000)
    ]
    shown = route_map(Drive(tuple(corners), pings), streets_of([corners]))
    assert len(picture("route", shown)) < SVG_MOST_BYTES


def test_a_text_in_a_picture_is_never_markup():
    shown = way()
    html = picture("route", replace(shown, door=replace(shown.door, label="<script>alert(1)</script>")))
    assert "<script>" not in html
