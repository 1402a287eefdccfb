"""Whatever is asked of the console's API, it answers: well, or with a problem document, but never by failing."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from tests.support.refunds import arrive, console, recommendations, refund_cluster, reviewer, take_in

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance]
#: Requests of each kind for each address.
EXAMPLES = 8


@pytest.fixture(scope="module")
def api() -> Iterator[schemathesis.BaseSchema]:
    cluster = refund_cluster()
    database = cluster.open(cluster.new_database())
    arrive(database, recommendations(40, seed=11))
    take_in(database)
    with console(database) as served:
        schema = schemathesis.openapi.from_url(f"{served.client.base_url}/openapi.json")
        yield schema.exclude(path_regex="/api/live")  # a stream does not end
    database.close()
    cluster.remove()


@pytest.mark.slow
def test_no_request_makes_the_api_fail_or_break_its_own_description(api: schemathesis.BaseSchema):
    operations = [found.ok() for found in api.get_all_operations()]
    assert len(operations) > 20
    for operation in operations:
        ask_anything(operation)


def ask_anything(operation: Any) -> None:
    """What the description allows, and what it does not."""

    @given(case=operation.as_strategy() | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def asked(case: schemathesis.Case) -> None:
        case.call_and_validate(headers=reviewer("ada"), checks=CHECKS)

    asked()
