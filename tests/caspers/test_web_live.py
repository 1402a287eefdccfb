"""Live streams: what changed and nothing else, resumed where it was left, ended when it is time."""

import json
import threading
from collections.abc import Iterator
from itertools import pairwise

import httpx
from caspers.clock import SystemClock
from caspers.errors import Unavailable
from caspers.web.app import base_app
from caspers.web.live import Feed, Life, stream
from fastapi import FastAPI, Request
from starlette.responses import StreamingResponse

from tests.caspers.serving import Served, serving, settings
from tests.support.waiting import wait_for

EVERY_S = 0.1


class Source:
    """What a live page shows; counts how often it is read."""

    def __init__(self) -> None:
        self.value = 1
        self.read_at_s: list[float] = []
        self.away = False

    @property
    def reads(self) -> int:
        return len(self.read_at_s)

    def __call__(self) -> dict[str, int]:
        self.read_at_s.append(SystemClock().monotonic())
        if self.away:
            raise Unavailable("the warehouse does not answer")
        return {"value": self.value}


def live_app(source: Source, life: Life | None = None) -> FastAPI:
    app = base_app("Live", settings())
    feed = Feed(source, every_s=EVERY_S)

    @app.get("/live")
    async def live(request: Request) -> StreamingResponse:
        return stream(request, feed, life=life)

    return app


def events(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    event: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            event[name] = value
        elif event:
            yield event
            event = {}


def updates(response: httpx.Response) -> Iterator[dict[str, str]]:
    return (event for event in events(response.iter_lines()) if "event" in event)


def test_a_stream_tells_the_content_and_then_only_changes():
    source = Source()
    with serving(live_app(source)) as served, served.client.stream("GET", "/live") as response:
        heard = updates(response)
        first = next(heard)
        wait_for(lambda: source.reads > 3, what="the unchanged content was read some times")
        source.value = 2
        second = next(heard)
    assert [json.loads(event["data"])["value"] for event in (first, second)] == [1, 2]
    assert first["id"] != second["id"]


def test_a_reconnect_is_not_told_what_it_knows():
    source = Source()
    with serving(live_app(source)) as served:
        with served.client.stream("GET", "/live") as response:
            known = next(updates(response))["id"]
        with served.client.stream("GET", "/live", headers={"Last-Event-ID": known}) as response:
            wait_for(lambda: source.reads > 3, what="the known content was read some times")
            source.value = 7
            assert json.loads(next(updates(response))["data"]) == {"value": 7}


def test_trouble_behind_a_stream_is_told_and_survived():
    source = Source()
    source.away = True
    with serving(live_app(source)) as served, served.client.stream("GET", "/live") as response:
        heard = updates(response)
        assert json.loads(next(heard)["data"]) == {"detail": "the warehouse does not answer"}
        source.away = False
        assert next(event for event in heard if event["event"] == "update")["data"] == '{"value": 1}'


def test_fifty_open_pages_read_no_more_than_one_and_end_at_shutdown():
    source = Source()
    opened: list[bool] = []
    ended: list[bool] = []

    def watch(served: Served) -> None:
        with httpx.stream("GET", f"{served.client.base_url}/live", timeout=30) as response:
            lines = response.iter_lines()
            next(lines)
            opened.append(True)
            for _ in lines:
                pass
        ended.append(True)

    with serving(live_app(source)) as served:
        threads = [threading.Thread(target=watch, args=(served,), daemon=True) for _ in range(50)]
        for thread in threads:
            thread.start()
        wait_for(lambda: len(opened) == 50, what="every page heard its first event")
        before = source.reads
        wait_for(lambda: source.reads >= before + 10, what="the open pages were looked after for a second")
        served.terminate()
        served.thread.join(5)
        assert not served.thread.is_alive()
        wait_for(lambda: len(ended) == 50, seconds=2, what="every page saw its stream end")
    assert all(later - earlier >= EVERY_S for earlier, later in pairwise(source.read_at_s))


def test_a_silent_stream_beats_and_ends_by_itself():
    life = Life(heartbeat_s=0.2, longest_s=1)
    with serving(live_app(Source(), life)) as served, served.client.stream("GET", "/live") as response:
        heard = [event["event"] for event in updates(response)]
    assert heard[0] == "update"
    assert 2 <= heard.count("heartbeat") <= 5
