"""A small app for the tests: it shows its environment and headers, streams, echoes, crashes on request."""

import io
import json
import secrets
from typing import Any

import httpx
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.apps import App, AppDeployment, ApplicationState, AppResource, EnvVar
from databricks.sdk.service.workspace import ImportFormat

from tests.support.waiting import wait_for

MANIFEST = """
command: [uvicorn, "main:app", "--port", "$DATABRICKS_APP_PORT", "--log-level", "warning"]
env:
  - {name: GREETING, value: hello}
"""
SOURCE = """
import asyncio, json, os, sys

async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await echo_frames(receive, send)
    elif scope["type"] == "http":
        await answer(scope, receive, send)

async def answer(scope, receive, send):
    path = scope["path"].removeprefix("/api")
    if path == "/crash":
        print("I was asked to crash", flush=True)
        os._exit(3)
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message["body"]
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if path == "/stream":
        for number in range(3):
            await send({"type": "http.response.body", "body": b"%d\\n" % number, "more_body": True})
            await asyncio.sleep(0.2)
        await send({"type": "http.response.body", "body": b""})
        return
    shown = {"/env": dict(os.environ), "/headers": headers, "/pid": os.getpid(), "/length": len(body)}
    await send({"type": "http.response.body", "body": json.dumps(shown.get(path)).encode()})

async def echo_frames(receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})
"""


def upload(client: WorkspaceClient, folder: str, **files: str) -> str:
    """Write source files to a workspace folder; names have `_` for the dot. Returns the folder."""
    client.workspace.mkdirs(folder)
    for name, content in files.items():
        path = f"{folder}/{name.replace('_', '.')}"
        client.workspace.upload(path, io.BytesIO(content.encode()), format=ImportFormat.RAW, overwrite=True)
    return folder


class DeployedApp:
    """The small app, deployed under a random name."""

    def __init__(self, client: WorkspaceClient, name: str) -> None:
        self.client = client
        self.name = name

    @property
    def url(self) -> str:
        """Its address."""
        return self.client.apps.get(self.name).url or ""

    @property
    def state(self) -> ApplicationState | None:
        """How it is."""
        status = self.client.apps.get(self.name).app_status
        return status.state if status else None

    def get(self, path: str, **options: Any) -> Any:
        """What it answers to a GET, read as JSON."""
        answer = httpx.get(self.url + path, **options)
        answer.raise_for_status()
        return json.loads(answer.text)

    def wait_until(self, state: ApplicationState) -> None:
        """Return when it has come to this state."""
        wait_for(lambda: self.state == state, what=f"{self.name} is {state.value}")


def deploy(
    client: WorkspaceClient, resources: list[AppResource] | None = None, env_vars: list[EnvVar] | None = None
) -> DeployedApp:
    """The small app, running."""
    name = f"app-{secrets.token_hex(4)}"
    folder = upload(client, f"/Workspace/Shared/{name}", app_yaml=MANIFEST, main_py=SOURCE)
    client.apps.create_and_wait(App(name=name, resources=resources))
    client.apps.deploy_and_wait(name, AppDeployment(source_code_path=folder, env_vars=env_vars))
    app = DeployedApp(client, name)
    app.wait_until(ApplicationState.RUNNING)
    return app


def gone(client: WorkspaceClient, name: str) -> bool:
    """Whether no app of this name is listed."""
    return name not in [app.name for app in client.apps.list()]
