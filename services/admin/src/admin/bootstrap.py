"""How the admin app itself comes to be: the one stage that a person's own credentials carry out. Pure."""

from collections.abc import Mapping

from caspers.names import Names

from admin.declarations import Output, Resource, Stage
from admin.sources import ADMIN
from admin.stages.specifications import grants

STAGE = "Admin"
RELEASE = "admin release"


def admin_stage(names: Names, digest: str, metastore_id: str, environment: Mapping[str, str]) -> Stage:
    """The admin app with the right to make catalogs; from there on it works by itself.

    `environment` is what the app is told beyond the catalog.
    """
    app = names.admin_app
    principal = Output("admin app", "principal")
    return Stage(
        STAGE,
        "Control plane",
        (),
        (
            Resource(
                "admin sources",
                "workspace_folder",
                f"{names.workspace_folder}/admin",
                {"source": ADMIN, "digest": digest},
            ),
            Resource(
                "admin app",
                "databricks_app",
                app,
                {"description": "Starts, watches and removes the demo", "resources": []},
            ),
            Resource(
                "admin may create catalogs",
                "grants",
                f"{app} in the metastore",
                grants("metastore", metastore_id, principal, "CREATE_CATALOG"),
            ),
            Resource("admin compute", "app_compute", app, needs=("admin app",)),
            Resource(
                RELEASE,
                "app_release",
                app,
                {
                    "source_path": Output("admin sources", "path"),
                    "digest": digest,
                    "resources": [],
                    "env": [
                        {"name": name, "value": value}
                        for name, value in {"CATALOG": names.catalog, **environment}.items()
                    ],
                },
                needs=("admin compute", "admin may create catalogs"),
            ),
        ),
    )
