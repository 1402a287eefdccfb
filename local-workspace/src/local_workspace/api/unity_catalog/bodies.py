"""Request bodies of the Unity Catalog API; a field that means nothing here is refused rather than ignored."""

from typing import Any

from pydantic import BaseModel

from local_workspace.api.unity_catalog.grants import GrantChange
from local_workspace.errors import NotImplementedHere


class _Body(BaseModel):
    comment: str | None = None

    def refuse(self, *fields: str) -> None:
        """Raises NotImplementedHere when one of the fields is given."""
        given = [field for field in fields if getattr(self, field)]
        if given:
            raise NotImplementedHere(f"The local workspace does not support {', '.join(given)} here.")


class NewCatalog(_Body):
    """POST /catalogs."""

    name: str
    properties: dict[str, str] | None = None
    options: dict[str, str] | None = None
    storage_root: str | None = None
    connection_name: str | None = None
    provider_name: str | None = None
    share_name: str | None = None


class NewSchema(_Body):
    """POST /schemas."""

    name: str
    catalog_name: str
    properties: dict[str, str] | None = None
    storage_root: str | None = None


class NewVolume(_Body):
    """POST /volumes."""

    name: str
    catalog_name: str
    schema_name: str
    volume_type: str = "MANAGED"
    storage_location: str | None = None


class NewColumn(_Body):
    """A column of a new table."""

    name: str
    type_text: str
    type_json: str | None = None
    position: int | None = None
    nullable: bool = True


class NewTable(_Body):
    """POST /tables."""

    name: str
    catalog_name: str
    schema_name: str
    table_type: str
    data_source_format: str | None = None
    storage_location: str
    columns: list[NewColumn] = []
    properties: dict[str, str] = {}


class Update(_Body):
    """PATCH of any securable."""

    owner: str | None = None
    properties: dict[str, str] | None = None
    options: dict[str, str] | None = None
    new_name: str | None = None

    def changes(self, *allowed: str) -> dict[str, Any]:
        """What is given, by field; only what is allowed for the kind counts."""
        self.refuse("new_name", *({"comment", "properties", "options"} - set(allowed)))
        return self.model_dump(include=set(allowed), exclude_none=True)


class GrantChanges(BaseModel):
    """PATCH /permissions."""

    changes: list[GrantChange] = []
