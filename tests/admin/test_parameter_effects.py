"""A parameter tells truly what a change of it touches."""

import pytest
from admin.functions import definitions
from admin.overview.parameter_effects import effects
from admin.sources import BUNDLES
from admin.stages import Demo, all_stages
from caspers.settings import Parameters


@pytest.fixture(scope="module")
def touched() -> dict[str, tuple[str, ...]]:
    digests = dict.fromkeys(BUNDLES, "x")
    return effects(Parameters(), lambda parameters: all_stages(Demo(parameters, digests, definitions())))


def test_every_parameter_touches_something(touched: dict[str, tuple[str, ...]]):
    assert set(touched) == set(Parameters.model_fields)
    assert not [name for name, said in touched.items() if not said]


def test_another_speed_gives_the_replay_new_orders_and_nothing_else(touched: dict[str, tuple[str, ...]]):
    assert touched["speed_multiplier"] == ("Medallion pipeline: the worker takes new orders",)


def test_another_catalog_is_another_demo(touched: dict[str, tuple[str, ...]]):
    assert "another demo" in touched["catalog"][0]
