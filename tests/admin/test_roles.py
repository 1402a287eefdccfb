"""Who may do what, and what is remembered of it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from admin.control_tables import ControlTables
from admin.roles import NEEDED, Actor, Roles
from caspers.clients.postgres import Postgres
from caspers.clock import SystemClock
from caspers.web.identity import Identity

from tests.support.admin import OWNER, Admin, give_orders, person

ADA, BOB = person("ada"), person("bob")


@pytest.fixture
def roles(control: Postgres) -> Roles:
    return Roles(ControlTables(lambda: control, SystemClock()), OWNER, SystemClock())


@pytest.fixture
def client(tmp_path: Path, control: Postgres) -> Iterator[httpx.Client]:
    admin = Admin(tmp_path, None, control)
    give_orders(control, "replay", speed_multiplier=60.0)
    with admin.serve() as served:
        served.client.timeout = httpx.Timeout(30)
        yield served.client
    admin.close()


def test_whoever_deployed_the_admin_owns_it(roles: Roles):
    assert roles.actor(Identity("1@7", OWNER.upper())).role == "owner"
    assert roles.actor(Identity("2@7", "eve@example.com")).role == "viewer"


def test_a_display_name_gives_nobody_a_role(roles: Roles):
    assert roles.actor(Identity("2@7", "eve@example.com", name=OWNER)).role == "viewer"


def test_a_service_principal_is_known_by_its_id(roles: Roles):
    roles.grant("4711", "operator", by=OWNER)
    assert roles.actor(Identity("4711@7")).role == "operator"
    assert roles.actor(Identity("9@7", name="4711")).role == "operator"


def test_a_role_may_all_that_a_smaller_one_may():
    allowed = [set(Actor("x", role).allowed) for role in ("viewer", "operator", "owner")]
    assert allowed[0] < allowed[1] < allowed[2] == set(NEEDED)


def test_a_viewer_reads_and_changes_nothing(client: httpx.Client):
    assert client.get("/api/v1/stages", headers=BOB).status_code == 200
    for method, path, body in (
        ("POST", "/runs", {"target": "free"}),
        ("POST", "/runs/x/cancel", None),
        ("POST", "/runs/x/repair", {}),
        ("PATCH", "/workers/replay", {"desired": "stopped"}),
        ("POST", "/workers/replay/tick", None),
        ("POST", "/replay/pause", None),
        ("PUT", "/roles/bob@example.com", {"role": "owner"}),
        ("DELETE", "/roles/bob@example.com", None),
    ):
        refused = client.request(method, f"/api/v1{path}", json=body, headers=BOB)
        assert (path, refused.status_code) == (path, 403)
        assert "viewer" in refused.json()["detail"]


def test_an_operator_runs_and_an_owner_tears_down(client: httpx.Client):
    assert (
        client.put("/api/v1/roles/bob@example.com", json={"role": "operator"}, headers=ADA).status_code == 200
    )
    started = client.post("/api/v1/runs", json={"stages": ["Foundation"]}, headers=BOB)
    assert started.status_code == 202
    client.get(started.headers["Location"], params={"wait": 30}, headers=BOB)
    removal = {"action": "teardown", "confirm": "test_demo"}
    assert client.post("/api/v1/runs", json=removal, headers=BOB).status_code == 403
    assert client.post("/api/v1/runs", json=removal, headers=ADA).status_code == 202


def test_a_role_that_was_taken_away_is_gone_at_once(client: httpx.Client):
    client.put("/api/v1/roles/bob@example.com", json={"role": "operator"}, headers=ADA)
    assert client.get("/api/v1/me", headers=BOB).json()["role"] == "operator"
    assert client.delete("/api/v1/roles/bob@example.com", headers=ADA).status_code == 204
    assert client.get("/api/v1/me", headers=BOB).json() == {
        "who": "bob@example.com",
        "role": "viewer",
        "may": [],
    }


def test_the_owner_cannot_lock_themselves_out(client: httpx.Client):
    demoted = client.put(f"/api/v1/roles/{OWNER}", json={"role": "viewer"}, headers=ADA)
    assert demoted.status_code == 409
    assert client.get("/api/v1/me", headers=ADA).json()["role"] == "owner"
