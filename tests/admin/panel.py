"""The panel in a browser: whose page it is, over an admin of directories."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.caspers.serving import Served
from tests.support.admin import Admin, person
from tests.support.postgres import Cluster
from tests.support.workspace import LocalWorkspace

OWNER = "ada"


@dataclass(frozen=True)
class Panel:
    """An admin with an empty control database, its app, and a browser to look at it with."""

    admin: Admin
    served: Served
    browser: Browser | None = None

    def page(self, path: str = "/", *, name: str = OWNER) -> Page:
        """A page as `name` sees it."""
        assert self.browser is not None
        context = self.browser.new_context(
            extra_http_headers=person(name), viewport={"width": 1280, "height": 800}
        )
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.goto(f"{self.served.client.base_url}{path}")
        return page


@contextmanager
def panel(
    root: Path, workspace: LocalWorkspace, cluster: Cluster, browser: Browser | None = None
) -> Iterator[Panel]:
    """A panel until the end of the block."""
    admin = Admin(root, workspace, cluster.open(cluster.new_database()))
    try:
        with admin.serve() as served:
            yield Panel(admin, served, browser)
    finally:
        admin.close()
