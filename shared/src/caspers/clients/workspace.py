"""The workspace client: the one place where a `WorkspaceClient` is built, with time limits that suit an app.

Host and credentials come from the environment as the SDK reads it (DATABRICKS_HOST with DATABRICKS_CLIENT_ID and
_SECRET, or DATABRICKS_TOKEN), unless they are given.
"""

from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config

#: Seconds one HTTP request may take.
REQUEST_TIMEOUT_S = 30
#: Seconds the SDK may spend on one call including its own retries.
RETRY_TIMEOUT_S = 60


def workspace_client(
    *, host: str | None = None, token: str | None = None, product: str = "caspers"
) -> WorkspaceClient:
    """A client for the workspace of the environment, or for `host` with a personal `token`.

    `product` names this process in the user agent of every call.
    """
    config = Config(
        host=host,
        token=token,
        # Inside an app the environment already carries an OAuth pair; naming the kind keeps the two apart.
        auth_type="pat" if token else None,
        http_timeout_seconds=REQUEST_TIMEOUT_S,
        retry_timeout_seconds=RETRY_TIMEOUT_S,
        product=product,
        product_version="0.1.0",
    )
    return WorkspaceClient(config=config)
