"""Whatever is asked of the complaint console's API, it answers: well, or with a problem document, never by failing."""

from collections.abc import Iterator

import pytest
import schemathesis

from tests.refund_manager.test_api_fuzz import ask_anything
from tests.support.complaints import arrive, complaint_cluster, console, responses, take_in


@pytest.fixture(scope="module")
def api() -> Iterator[schemathesis.BaseSchema]:
    cluster = complaint_cluster()
    database = cluster.open(cluster.new_database())
    arrive(database, responses(40, seed=11))
    take_in(database)
    with console(database) as served:
        schema = schemathesis.openapi.from_url(f"{served.client.base_url}/openapi.json")
        yield schema.exclude(path_regex="/api/live")  # a stream does not end
    database.close()
    cluster.remove()


@pytest.mark.slow
def test_no_request_makes_the_api_fail_or_break_its_own_description(api: schemathesis.BaseSchema):
    operations = [found.ok() for found in api.get_all_operations()]
    assert len(operations) > 15
    for operation in operations:
        ask_anything(operation)
