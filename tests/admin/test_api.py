"""What the REST API of the control plane answers, asked over HTTP of the real app."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from caspers.clients.postgres import Postgres

from tests.support.admin import Admin, person

ADA, BOB = person("ada"), person("bob")


@pytest.fixture
def admin(tmp_path: Path, control: Postgres) -> Iterator[Admin]:
    running = Admin(tmp_path, None, control)
    yield running
    running.close()


@pytest.fixture
def client(admin: Admin) -> Iterator[httpx.Client]:
    with admin.serve() as served:
        served.client.headers.update(ADA)
        served.client.timeout = httpx.Timeout(30)
        yield served.client


def start(client: httpx.Client, **body: Any) -> dict[str, Any]:
    answer = client.post("/api/v1/runs", json=body)
    assert answer.status_code == 202, answer.text
    return answer.json()


def over(client: httpx.Client, run: dict[str, Any]) -> dict[str, Any]:
    return client.get(f"/api/v1/runs/{run['run_id']}", params={"wait": 30}).json()


def get(client: httpx.Client, path: str, **query: Any) -> Any:
    answer = client.get(f"/api/v1{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_plan_tells_what_comes_along_and_what_is_made(client: httpx.Client):
    plan = client.post("/api/v1/plans", json={"stages": ["Canonical_Data"]}).json()
    assert (plan["asked"], plan["along"]) == (["Canonical_Data"], ["Foundation"])
    assert {action["verb"] for action in plan["actions"]} == {"create"}
    assert plan["confirm"] == ""


def test_waiting_for_a_run_answers_when_it_is_over(client: httpx.Client):
    run = over(client, start(client, target="free"))
    assert run["state"] == "succeeded"
    assert run["counts"] == {"created": 6}
    assert run["stage_states"]["Canonical_Data"] == "done"


def test_the_address_of_a_started_run_leads_to_it(client: httpx.Client):
    answer = client.post("/api/v1/runs", json={"target": "free"})
    found = client.get(answer.headers["Location"])
    assert found.json()["run_id"] == answer.json()["run_id"]


def test_a_second_request_while_a_run_goes_on_gets_its_address(admin: Admin, client: httpx.Client):
    admin.kind.settles_after = 10**6
    first = start(client, target="free")
    refused = client.post("/api/v1/runs", json={"target": "all"})
    assert refused.status_code == 409
    assert refused.json()["run_id"] == first["run_id"]
    assert client.get(refused.json()["href"]).json()["state"] == "running"


def test_two_people_who_start_at_once_start_one_run(admin: Admin, client: httpx.Client):
    admin.kind.settles_after = 10**6
    answers: list[int] = []
    barrier = threading.Barrier(8)

    def ask(name: str) -> None:
        barrier.wait()
        headers = person("ada") | {"X-Request-Id": name}
        url = f"{client.base_url}/api/v1/runs"
        answers.append(httpx.post(url, json={"target": "free"}, headers=headers, timeout=30).status_code)

    threads = [threading.Thread(target=ask, args=(f"r{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [202, *[409] * 7]
    assert len(get(client, "/runs")["entries"]) == 1


def test_the_same_key_and_request_are_answered_with_the_same_run(client: httpx.Client):
    key = {"Idempotency-Key": "once"}
    first = client.post("/api/v1/runs", json={"target": "free"}, headers=key).json()
    over(client, first)
    again = client.post("/api/v1/runs", json={"target": "free"}, headers=key)
    assert (again.status_code, again.json()["run_id"]) == (202, first["run_id"])
    other = client.post("/api/v1/runs", json={"target": "all"}, headers=key)
    assert other.status_code == 409


def test_nothing_is_deleted_without_its_name_being_typed(client: httpx.Client):
    over(client, start(client, target="free"))
    refused = client.post("/api/v1/runs", json={"action": "teardown"})
    assert refused.status_code == 409
    assert "test_demo" in refused.json()["what_now"]
    assert over(client, start(client, action="teardown", confirm="test_demo"))["state"] == "succeeded"
    assert get(client, "/resources") == []


def test_tearing_down_a_stage_takes_along_what_needs_it(client: httpx.Client):
    over(client, start(client, target="free"))
    plan = client.post("/api/v1/plans", json={"action": "teardown", "stages": ["Canonical_Data"]}).json()
    assert (plan["confirm"], plan["along"]) == ("Canonical_Data", ["Spark_Declarative_Pipeline"])
    over(client, start(client, action="teardown", stages=["Canonical_Data"], confirm="Canonical_Data"))
    assert {resource["stage"] for resource in get(client, "/resources")} == {"Foundation"}


def test_a_run_is_refused_when_its_plan_is_no_longer_true(client: httpx.Client):
    plan = client.post("/api/v1/plans", json={"target": "free"}).json()
    over(client, start(client, stages=["Foundation"]))
    refused = client.post("/api/v1/runs", json={"target": "free", "digest": plan["digest"]})
    assert refused.status_code == 409
    start(client, target="free", digest=refused.json()["digest"])


def test_nothing_begins_after_a_run_is_cancelled(admin: Admin, client: httpx.Client):
    admin.kind.settles_after = 10**6
    run = start(client, target="free")
    asked = client.post(f"/api/v1/runs/{run['run_id']}/cancel").json()
    assert asked["state"] in {"cancelling", "cancelled"}
    ended = over(client, run)
    calls = list(admin.kind.calls)
    assert ended["state"] == "cancelled"
    assert ended["stage_states"]["Spark_Declarative_Pipeline"] == "skipped"
    assert admin.kind.calls == calls


def test_a_repair_does_what_failed_and_what_follows_from_it(admin: Admin, client: httpx.Client):
    admin.kind.fails.add("Canonical_Data b")
    failed = over(client, start(client, target="free"))
    assert (failed["state"], failed["stage_states"]["Foundation"]) == ("failed", "done")
    admin.kind.fails.clear()
    repaired = client.post(f"/api/v1/runs/{failed['run_id']}/repair", json={"parameters": {"start_day": 5}})
    ended = over(client, repaired.json())
    assert (ended["state"], ended["repairs"], ended["attempt"]) == ("succeeded", failed["run_id"], 2)
    assert ended["parameters"]["start_day"] == 5
    compared = get(client, "/runs/compare", one=failed["run_id"], other=ended["run_id"])
    assert compared["parameters"] == [{"what": "start_day", "one": 70, "other": 5}]
    assert {each["what"] for each in compared["stages"]} >= {"Canonical_Data", "Spark_Declarative_Pipeline"}


def test_runs_are_listed_page_by_page_and_by_how_they_ended(client: httpx.Client):
    made = [over(client, start(client, target="free"))["run_id"] for _ in range(5)]
    first = get(client, "/runs", limit=3)
    rest = get(client, "/runs", limit=3, after=first["next"])
    assert [run["run_id"] for run in first["entries"] + rest["entries"]] == made[::-1]
    assert get(client, "/runs", state="failed")["entries"] == []
    assert client.get("/api/v1/runs", params={"after": "nonsense"}).status_code == 422


def test_the_log_of_a_run_can_be_read_by_stage_and_onwards(client: httpx.Client):
    run = over(client, start(client, target="free"))
    path = f"/runs/{run['run_id']}/log"
    whole = get(client, path)["entries"]
    assert [line["seq"] for line in whole] == list(range(1, len(whole) + 1))
    assert {line["stage"] for line in get(client, path, stage="Foundation")["entries"]} == {"Foundation"}
    assert get(client, path, after=whole[3]["seq"])["entries"] == whole[4:]


def test_a_stage_tells_apart_what_is_there_and_how_its_run_ended(admin: Admin, client: httpx.Client):
    over(client, start(client, target="free"))
    admin.kind.fails.add("Refund_Recommender_Stream a")
    over(client, start(client, stages=["Refund_Recommender_Stream"]))
    stages = {stage["name"]: stage for stage in get(client, "/stages")}
    assert stages["Canonical_Data"]["presence"] == "present"
    assert stages["Canonical_Data"]["last_run"]["state"] == "unchanged"
    failed = stages["Refund_Recommender_Stream"]
    assert (failed["presence"], failed["last_run"]["state"]) == ("partial", "failed")
    assert "no room" in failed["last_run"]["message"]


def test_a_checked_resource_says_what_the_platform_says(admin: Admin, client: httpx.Client):
    over(client, start(client, target="free"))
    (admin.kind.root / "Foundation a" / "settings.json").unlink()
    health = {each["name"]: each["health"] for each in get(client, "/resources", check=True)}
    assert health["Foundation a"] == "missing"
    assert health["Foundation b"] == "ok"


def test_parameters_tell_their_meaning_and_what_they_were_last(client: httpx.Client):
    over(client, start(client, target="free", parameters={"start_day": 12}))
    start_day = next(each for each in get(client, "/parameters") if each["name"] == "start_day")
    assert (start_day["type"], start_day["default"], start_day["current"]) == ("integer", 70, 12)
    over(client, start(client, target="free", on_top_of="last_run", parameters={"days": 80}))
    assert get(client, "/runs", limit=1)["entries"][0]["parameters"]["start_day"] == 12


def test_a_change_asked_for_by_another_site_is_refused(client: httpx.Client):
    refused = client.post("/api/v1/runs", json={"target": "free"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert refused.status_code == 403
    assert get(client, "/runs")["entries"] == []


def test_who_says_nothing_about_themselves_sees_nothing(client: httpx.Client):
    assert httpx.get(f"{client.base_url}/api/v1/stages").status_code == 403


def test_every_operation_is_described_with_examples(client: httpx.Client):
    paths = client.get("/openapi.json").json()["paths"]
    operations = [each for path, found in paths.items() if "/api/v1" in path for each in found.values()]
    assert len(operations) > 30
    assert all(each["summary"] and each["description"] and each["tags"] for each in operations)
    assert not [each["summary"] for each in operations if not _is_exemplary(each)]


def _is_exemplary(operation: dict[str, Any]) -> bool:
    """Whether its good answers come with examples; streams and empty answers have none."""
    good = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    kinds = [kind for answer in good for kind in answer.get("content", {}).items()]
    return all("example" in kind for name, kind in kinds if name == "application/json")
