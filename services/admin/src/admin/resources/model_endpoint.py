"""A serving endpoint that answers chats: somebody else's, only looked at."""

from caspers.errors import NotFound as NothingThere
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from databricks.sdk.service.serving import EndpointStateConfigUpdate, EndpointStateReady, ServingEndpoint

from admin.resources.kind import Declared, Found

CHAT = "llm/v1/chat"
AGENT = "agent/v1"


class ModelEndpoint:
    """Named as on the platform; no specification. Nothing is ever made or removed."""

    patience_s = 900.0
    parents = ()

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._endpoints = workspace.serving_endpoints

    def read(self, wanted: Declared) -> Found | None:
        try:
            endpoint = self._endpoints.get(wanted.name)
        except NotFound:
            return None
        state = endpoint.state
        ready = (
            state is not None
            and state.ready is EndpointStateReady.READY
            and state.config_update is not EndpointStateConfigUpdate.IN_PROGRESS
        )
        return Found(wanted.name, "ready" if ready else "working", shared=True, message="it is not ready yet")

    def create(self, wanted: Declared) -> str:
        """Raises `NotFound`: a model is chosen, never made."""
        usable = sorted(each.name for each in self._endpoints.list() if each.name and _talks(each))
        raise NothingThere(
            f"there is no serving endpoint {wanted.name}",
            what_now="Choose one with LLM_MODEL (or REFUND_AGENT_ENDPOINT_NAME). "
            f"Those that chat here: {', '.join(usable) or 'none'}.",
        )

    def update(self, wanted: Declared) -> None:
        """It is not ours to change."""

    def delete(self, wanted: Declared) -> None:
        """It is not ours to remove."""


def _talks(endpoint: ServingEndpoint) -> bool:
    return endpoint.task in {None, "", CHAT} or (endpoint.task or "").startswith(AGENT)
