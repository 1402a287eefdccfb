"""Settings: one model, the environment read in one place, refusals that say what to do."""

import os
import subprocess
import sys

import pytest
from caspers.settings import InvalidParameters, Parameters, Settings, describe, parameters_from


def read_in_a_process(**environment: str) -> str:
    program = "from caspers.settings import read_settings; print(read_settings().model_dump_json())"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_the_defaults_are_those_of_the_demo():
    parameters = Parameters()
    assert (parameters.catalog, parameters.start_day, parameters.speed_multiplier) == ("caspersdev", 70, 60.0)
    assert (parameters.schedule_minutes, parameters.complaint_rate, parameters.days) == (3.0, 0.15, 90)


def test_a_process_reads_its_environment_under_the_platforms_names():
    said = read_in_a_process(
        CATALOG="mine", DATABRICKS_APP_PORT="9123", DATABRICKS_WAREHOUSE_ID="w1", START_DAY="3"
    )
    settings = Settings.model_validate_json(said)
    assert (settings.catalog, settings.app_port, settings.warehouse_id, settings.start_day) == (
        "mine",
        9123,
        "w1",
        3,
    )


def test_an_empty_variable_means_the_default():
    settings = Settings.model_validate_json(read_in_a_process(CATALOG="", EVENTS_PER_FILE="", PGPORT=""))
    assert (settings.catalog, settings.events_per_file, settings.postgres_port) == ("caspersdev", None, None)


def test_a_bad_environment_is_refused_in_a_sentence():
    said = read_in_a_process(SPEED_MULTIPLIER="0")
    assert "speed_multiplier: 0 is not positive; use a number above 0" in said


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"catalog": "My-Catalog"}, "catalog: 'My-Catalog' cannot name the catalog"),
        ({"catalog": "a" * 20}, "cannot name the catalog"),
        ({"simulator_schema": "x;drop"}, "simulator_schema: 'x;drop' is not a plain identifier"),
        ({"start_day": -1}, "start_day: -1 is negative; use 0 or more"),
        ({"start_day": 1.5}, "start_day: Input should be a valid integer"),
        ({"speed_multiplier": float("inf")}, "speed_multiplier: Input should be a finite number"),
        ({"schedule_minutes": 0}, "schedule_minutes: 0 is not positive"),
        ({"complaint_rate": 15}, "complaint_rate: 15 is no share; use a number from 0 to 1"),
        ({"days": 0}, "days: 0 days make no dataset"),
        ({"events_per_file": 0}, "events_per_file: 0 is not positive"),
        ({"speed": 60}, "speed: there is no such parameter"),
    ],
)
def test_each_parameter_is_checked_and_refused_by_name(values: dict[str, object], said: str):
    with pytest.raises(InvalidParameters) as refused:
        parameters_from(values)
    assert said in refused.value.message


def test_all_refusals_are_told_at_once():
    with pytest.raises(InvalidParameters) as refused:
        parameters_from({"start_day": -1, "complaint_rate": 2})
    assert refused.value.message.count(";") >= 2


def test_parameters_survive_json_unchanged():
    parameters = Parameters(catalog="mine", events_per_file=1, seed=-3)
    assert Parameters.model_validate_json(parameters.model_dump_json()) == parameters


def test_every_setting_describes_itself():
    lines = {line.variable: line for line in describe()}
    assert lines["CATALOG"].default == "caspersdev"
    assert lines["DATABRICKS_APP_PORT"].default == "8000"
    assert all(line.meaning for line in lines.values())
