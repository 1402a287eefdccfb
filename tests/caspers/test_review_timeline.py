"""Where an order's minutes went."""

from datetime import UTC, datetime, timedelta

from caspers.review.order_events import OrderEvent
from caspers.review.timeline import Percentiles, timeline
from hypothesis import given
from hypothesis import strategies as st

START = datetime(2024, 3, 1, 18, 0, tzinfo=UTC)
USUAL = Percentiles(24.0, 30.0, 48.0)
WHOLE = {
    "order_created": 0,
    "gk_started": 2,
    "gk_finished": 12,
    "gk_ready": 14,
    "driver_arrived": 16,
    "driver_picked_up": 20,
    "driver_ping": 25,
    "delivered": 33,
}


def order_events(minutes: dict[str, float]) -> list[OrderEvent]:
    return [
        OrderEvent(kind, START + timedelta(minutes=minute), number, {})
        for number, (kind, minute) in enumerate(minutes.items())
    ]


def test_the_phases_of_an_order_add_up_to_its_minutes():
    shown = timeline(order_events(WHOLE), USUAL)
    assert shown
    assert [(phase.kind, phase.minutes) for phase in shown.phases] == [
        ("before", 2.0),
        ("kitchen", 12.0),
        ("waiting", 6.0),
        ("road", 13.0),
    ]
    assert shown.minutes == 33.0
    assert shown.delivered


def test_an_order_is_judged_by_the_percentiles_of_its_location():
    def band(minutes: float) -> str:
        shown = timeline(order_events({"order_created": 0, "delivered": minutes}), USUAL)
        assert shown
        return shown.band

    assert [band(minutes) for minutes in (20, 30, 31, 48, 49)] == [
        "usual",
        "usual",
        "late",
        "late",
        "very late",
    ]


def test_a_missing_event_gives_its_minutes_to_the_phase_before():
    shown = timeline(
        order_events({kind: WHOLE[kind] for kind in ("order_created", "gk_started", "delivered")})
    )
    assert shown
    assert [(phase.kind, phase.minutes) for phase in shown.phases] == [("before", 2.0), ("kitchen", 31.0)]


def test_an_order_under_way_ends_at_its_last_event():
    shown = timeline(order_events({"order_created": 0, "gk_started": 5}), USUAL)
    assert shown
    assert (shown.delivered, shown.minutes, shown.band) == (False, 5.0, "unknown")
    assert shown.summary.startswith("Not delivered yet; under way for 5.0 minutes")


def test_without_the_order_itself_there_is_no_timeline():
    assert timeline(order_events({"gk_started": 3, "delivered": 9})) is None
    assert timeline([]) is None


def test_a_phase_that_took_much_longer_than_usual_stands_out():
    usual = {"gk_started": 11.0, "gk_ready": 1.5}
    shown = timeline(order_events(WHOLE), USUAL, usual)
    assert shown
    assert [phase.much_longer for phase in shown.phases] == [False, False, True, False]


KINDS = st.dictionaries(st.sampled_from(list(WHOLE)), st.floats(0, 10_000), max_size=8)


@given(KINDS, st.none() | st.just(USUAL))
def test_whatever_the_events_say_the_picture_holds_together(
    minutes: dict[str, float], usual: Percentiles | None
):
    shown = timeline(order_events(minutes), usual)
    assert (shown is None) == ("order_created" not in minutes)
    if shown is None:
        return
    assert all(phase.minutes >= 0 for phase in shown.phases)
    assert all(phase.begins_minute + phase.minutes <= shown.minutes + 1e-6 for phase in shown.phases)
    assert shown.scale_minutes >= max(shown.minutes, usual.p99 if usual else 0)
    assert shown.scale_minutes / shown.tick_minutes <= 12
