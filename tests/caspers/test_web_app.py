"""The base of every app, over HTTP: health, metrics, request ids, pages, protection."""

import re
import threading
from collections.abc import Iterator

import pytest
from caspers.errors import Unavailable
from caspers.web.app import base_app
from fastapi import FastAPI

from tests.caspers.serving import PERSON, Served, serving, settings


def demo_app(**checks: object) -> FastAPI:
    app = base_app("Demo", settings(catalog="mycatalog"), checks=checks)  # pyright: ignore[reportArgumentType]  any callable

    @app.get("/api/orders/{order}")
    def order(order: str) -> str:
        """An order's state."""
        return order

    return app


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(demo_app(warehouse=lambda: None)) as served:
        yield served


def test_an_app_that_has_what_it_needs_is_alive_and_ready(served: Served):
    assert served.client.get("/healthz").json() == {"status": "alive", "ok": True}
    assert served.client.get("/readyz").json() == {"status": "ready", "checks": {"warehouse": "ok"}}


def test_an_app_that_misses_something_says_what_and_lives_on():
    def away() -> None:
        raise Unavailable("the warehouse does not answer")

    def broken() -> None:
        raise KeyError("endpoint")

    with serving(demo_app(warehouse=away, settings=broken)) as served:
        answer = served.client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["checks"] == {
            "warehouse": "the warehouse does not answer",
            "settings": "'endpoint'",
        }
        assert served.client.get("/healthz").status_code == 200


def test_a_request_keeps_the_id_it_came_with_unless_it_is_odd(served: Served):
    def answered(request_id: str) -> str:
        return served.client.get("/healthz", headers={"X-Request-Id": request_id}).headers["x-request-id"]

    assert answered("4f0c2b1e-aaaa-4bbb-8ccc-000000000001") == "4f0c2b1e-aaaa-4bbb-8ccc-000000000001"
    assert answered('"} injected') != '"} injected'
    assert len(answered("a" * 500)) == 36


def test_metrics_count_requests_by_route_not_by_address(served: Served):
    for order in ("a", "b"):
        served.client.get(f"/api/orders/{order}")
    metrics = served.client.get("/metrics").text
    assert 'caspers_http_requests_total{method="GET",route="/api/orders/{order}",status="200"} 2.0' in metrics
    assert "/api/orders/a" not in metrics


def test_every_answer_carries_the_protecting_headers(served: Served):
    for address in ("/patterns", "/nowhere", "/static/caspers/live.js"):
        headers = served.client.get(address).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'self'" in headers["content-security-policy"]


def test_pages_need_nothing_from_the_internet(served: Served):
    for address in ("/patterns", "/docs", "/static/caspers/caspers.css", "/static/caspers/live.js"):
        assert not re.search(r"https?://", served.client.get(address).text)


def test_the_patterns_page_shows_the_frame_and_who_is_asking(served: Served):
    page = served.client.get("/patterns", headers=PERSON).text
    assert "ada@example.com" in page
    assert "mycatalog" in page
    assert 'href="#content"' in page
    assert 'role="alert"' in page


def test_the_name_of_a_visitor_is_text_and_never_markup(served: Served):
    page = served.client.get("/patterns", headers={"X-Forwarded-Email": "<script>alert(1)</script>"}).text
    assert "<script>alert(1)" not in page


def test_the_api_page_lists_the_operations_of_the_app(served: Served):
    page = served.client.get("/docs").text
    assert "/api/orders/{order}" in page
    assert "Order" in page


def test_many_requests_at_once_are_all_answered(served: Served):
    answers: list[int] = []

    def ask() -> None:
        answers.append(served.client.get("/api/orders/x").status_code)

    threads = [threading.Thread(target=ask) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert answers == [200] * 40
