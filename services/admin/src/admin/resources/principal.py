"""Who we are on the platform: what we make carries this name."""

from threading import Lock

from databricks.sdk import WorkspaceClient


class OwnPrincipal:
    """The user name of this process's identity, an application id where it is a service principal's; asked once."""

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._workspace = workspace
        self._lock = Lock()
        self._name = ""

    def __call__(self) -> str:
        with self._lock:
            if not self._name:
                self._name = self._workspace.current_user.me().user_name or ""
            return self._name
