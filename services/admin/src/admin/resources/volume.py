"""A managed Unity Catalog volume."""

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import NotFound
from databricks.sdk.service.catalog import VolumeType

from admin.resources.kind import Declared, Found


class Volume:
    """Named "catalog.schema.volume"; no specification. Offers `path`."""

    patience_s = 60.0
    parents = ()

    def __init__(self, workspace: WorkspaceClient) -> None:
        self._workspace = workspace

    def read(self, wanted: Declared) -> Found | None:
        try:
            volume = self._workspace.volumes.read(wanted.name)
        except NotFound:
            return None
        return Found(
            volume.volume_id or wanted.name,
            outputs={"path": "/Volumes/" + wanted.name.replace(".", "/")},
            maker=volume.created_by or "",
        )

    def create(self, wanted: Declared) -> str:
        catalog, schema, volume = wanted.name.split(".")
        created = self._workspace.volumes.create(catalog, schema, volume, VolumeType.MANAGED)
        return created.volume_id or wanted.name

    def update(self, wanted: Declared) -> None:
        """A volume has no settings of ours."""

    def delete(self, wanted: Declared) -> None:
        self._workspace.volumes.delete(wanted.name)
