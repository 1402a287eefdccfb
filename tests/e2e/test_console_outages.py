"""The console while its login expires and its database restarts: a pause at worst, and nobody's decision is lost."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.product import Product
from tests.support.waiting import wait_for

TOKEN_LIFE_S = 12
CLUSTER = "caspersdevrefundmanager"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The refund line with cases to decide, in a workspace whose tokens live for seconds."""
    home = tmp_path_factory.mktemp("outages")
    product = Product(home, environment={"LOCAL_WORKSPACE_TOKEN_LIFE_S": str(TOKEN_LIFE_S)})
    quick = ("--days", "3", "--start-day", "1", "--speed", "600", "--schedule-minutes", "0.01")
    product.up("--target", "default", *quick, "-p", "refund_history_share=1", "--port", "0")
    with product.console() as console:
        wait_for(lambda: _pending(console) > 100, seconds=90, what="there are cases to decide")
    yield product
    product.down()


@pytest.fixture
def console(product: Product) -> Iterator[httpx.Client]:
    with product.console() as client:
        yield client


def _pending(console: httpx.Client) -> int:
    answer = console.get("/api/queue/counts")
    return answer.json()["by_status"].get("pending", 0) if answer.status_code == 200 else 0


def _decide_next(console: httpx.Client) -> httpx.Response:
    case = console.get("/api/queue", params={"status": "pending", "limit": 1}).json()["cases"][0]
    wanted = {"order_id": case["order_id"], "version": case["version"], "action": "accept"}
    return console.post("/api/decisions", json=wanted, headers={"Idempotency-Key": case["order_id"]})


def _newest(console: httpx.Client) -> str:
    return console.get("/api/queue", params={"sort": "newest", "limit": 1}).json()["cases"][0][
        "recommended_at"
    ]


@pytest.mark.slow
def test_decisions_and_recommendations_go_on_while_tokens_expire(console: httpx.Client, product: Product):
    answers: list[int] = []
    began = product.replay_status()["virtual_time"]

    def through_two_lives() -> bool:
        answers.append(_decide_next(console).status_code)
        return len(answers) >= 2 * TOKEN_LIFE_S

    before = _newest(console)
    wait_for(through_two_lives, seconds=120, what="two lives of a token went by", every=1)
    assert set(answers) == {201}
    assert product.replay_status()["virtual_time"] > began
    wait_for(lambda: _newest(console) > before, what="recommendations still arrive")


@pytest.mark.slow
def test_a_restarted_postgres_is_a_pause_and_not_an_error(console: httpx.Client, product: Product):
    assert _decide_next(console).status_code == 201
    decided = console.get("/api/queue/counts").json()["by_status"]["decided"]
    product.kill(CLUSTER)
    seen: list[int] = []

    def back() -> bool:
        seen.append(console.get("/api/queue").status_code)
        return seen[-1] == 200

    wait_for(back, seconds=60, what="the console answers again", every=0.2)
    assert set(seen) <= {200, 503}
    assert console.get("/api/queue/counts").json()["by_status"]["decided"] == decided
    assert _decide_next(console).status_code == 201
    before = _newest(console)
    wait_for(lambda: _newest(console) > before, seconds=60, what="new cases come in again")


@pytest.mark.slow
def test_the_agent_explains_an_order_to_a_program(console: httpx.Client):
    order_id = console.get("/api/queue", params={"limit": 1}).json()["cases"][0]["order_id"]
    question = {"messages": [{"role": "user", "content": f"What about order {order_id}?"}]}
    answer = console.post("/api/agent/invocations", json=question).json()
    assert answer["run"]["outcome"] == "answered"
    assert {step["tool"] for step in answer["run"]["steps"]} >= {"get_order_details", "get_location_timings"}


@pytest.mark.slow
def test_the_evidence_of_a_case_is_complete(console: httpx.Client):
    order_id = console.get("/api/queue", params={"limit": 1}).json()["cases"][0]["order_id"]
    evidence: dict[str, Any] = console.get(f"/api/cases/{order_id}/evidence").json()
    assert evidence["items"]
    assert evidence["agent_run"]["steps"]
    assert next(event["kind"] for event in evidence["events"]) == "order_created"
