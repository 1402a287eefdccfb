"""Whatever is asked of the control plane's API, it answers: well, or with a problem document, but never by failing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from tests.support.admin import Admin, admin_cluster, give_orders, person, report
from tests.support.workspace import LocalWorkspace

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance]
#: Requests of each kind for each address.
EXAMPLES = 8


@pytest.fixture(scope="module")
def api(
    tmp_path_factory: pytest.TempPathFactory, workspace: LocalWorkspace
) -> Iterator[schemathesis.BaseSchema]:
    with admin_cluster() as cluster:
        control = cluster.open(cluster.new_database())
        give_orders(control, "replay", speed_multiplier=60.0)
        report(control, "replay", "running", events_written=5)
        admin = Admin(_folder(tmp_path_factory), workspace, control)
        admin.run()
        with admin.serve() as served:
            schema = schemathesis.openapi.from_url(f"{served.client.base_url}/openapi.json")
            yield schema.exclude(path_regex="/events$")  # a stream does not end
        admin.close()
        control.close()


@pytest.mark.slow
def test_no_request_makes_the_api_fail_or_break_its_own_description(api: schemathesis.BaseSchema):
    operations = [found.ok() for found in api.get_all_operations()]
    assert len(operations) > 25
    for operation in operations:
        _ask_anything(operation)


def _ask_anything(operation: Any) -> None:
    """What the description allows, and what it does not; by somebody who may do it all."""

    @given(case=operation.as_strategy() | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def asked(case: schemathesis.Case) -> None:
        if "wait" in case.query:
            case.query["wait"] = 0
        case.call_and_validate(headers=person("ada"), checks=CHECKS)

    asked()


def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")
