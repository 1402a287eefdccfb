"""Which calls a rule of bad days hits."""

from typing import Any

import pytest
from local_workspace.bad_day_rules import Arrival, Rule, Standing, changes_something
from pydantic import ValidationError


def _hits(rule: dict[str, Any], *calls: tuple[str, str]) -> list[bool]:
    standing = Standing(Rule(fault="lose", **rule))
    return [
        standing.hits(Arrival(method, path, "", "me", changes_something(method, path, None), (method, path)))
        for method, path in calls
    ]


CREATE, OTHER, READ = ("POST", "/api/2.0/apps"), ("DELETE", "/api/2.0/apps/a"), ("GET", "/api/2.0/apps")


def test_a_rule_hits_the_first_call_that_changes_something():
    assert _hits({}, READ, CREATE, OTHER) == [False, True, False]


def test_a_rule_lets_as_many_calls_pass_as_it_says():
    assert _hits({"skip": 2, "times": 1}, CREATE, OTHER, READ, CREATE, OTHER) == [
        False,
        False,
        False,
        True,
        False,
    ]


def test_a_rule_without_a_number_hits_from_its_first_call_on():
    assert _hits({"skip": 1, "times": None}, CREATE, OTHER, CREATE) == [False, True, True]


def test_a_rule_for_each_call_hits_every_distinct_one_once():
    assert _hits({"each": True, "calls": "all"}, CREATE, CREATE, READ, OTHER, READ) == [
        True,
        False,
        True,
        True,
        False,
    ]


def test_a_rule_hits_only_its_method_and_path():
    assert _hits({"method": "DELETE", "path": "^/api/2.0/apps/"}, CREATE, OTHER) == [False, True]


@pytest.mark.parametrize(
    ("method", "path", "statement", "changing"),
    [
        ("GET", "/api/2.0/apps", None, False),
        ("PUT", "/api/2.0/fs/files/Volumes/a/b/c/d", None, True),
        ("POST", "/oidc/v1/token", None, False),
        ("POST", "/api/2.0/sql/sessions", None, False),
        ("POST", "/api/2.0/postgres/credentials", None, False),
        ("POST", "/serving-endpoints/m/invocations", None, False),
        ("POST", "/api/2.0/sql/statements", " SELECT 1", False),
        ("POST", "/api/2.0/sql/statements", "SELECTED", True),
        ("POST", "/api/2.0/sql/statements", "MERGE INTO t", True),
        ("DELETE", "/api/2.0/sql/statements/id", None, False),
    ],
)
def test_calls_that_leave_everything_as_it_is_do_not_count(
    method: str, path: str, statement: str | None, *, changing: bool
):
    assert changes_something(method, path, statement) is changing


@pytest.mark.parametrize("rule", [{"path": "("}, {"times": 0}, {"status": 200}, {"tims": 1}])
def test_a_rule_that_cannot_be_meant_is_refused(rule: dict[str, Any]):
    with pytest.raises(ValidationError):
        Rule(fault="answer", **rule)
