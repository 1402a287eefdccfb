"""The kinds of objects that have permissions, and their levels."""

from dataclasses import dataclass

from local_workspace.errors import InvalidParameterValue

OWNER = "IS_OWNER"
WORKSPACE_LEVELS = ("CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE")


@dataclass(frozen=True)
class ObjectKind:
    """A kind of object.

    Attributes:
        name: what answers call it; requests call it by its key in KINDS.
        prefix: what an object's id begins with in answers.
        levels: weakest first; each includes the ones before it.
    """

    name: str
    prefix: str
    levels: tuple[str, ...]

    def includes(self, held: str, wanted: str) -> bool:
        """Whether who holds one level may do what another allows."""
        return self.levels.index(held) >= self.levels.index(wanted)


KINDS = {
    "apps": ObjectKind("apps", "/apps/", ("CAN_USE", "CAN_MANAGE")),
    "database-projects": ObjectKind("database-projects", "/database-projects/", ("CAN_USE", "CAN_MANAGE")),
    "directories": ObjectKind("directory", "/directories/", WORKSPACE_LEVELS),
    "files": ObjectKind("file", "/files/", WORKSPACE_LEVELS),
    "jobs": ObjectKind("job", "/jobs/", ("CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE", OWNER)),
    "notebooks": ObjectKind("notebook", "/notebooks/", WORKSPACE_LEVELS),
    "pipelines": ObjectKind("pipelines", "/pipelines/", ("CAN_VIEW", "CAN_RUN", "CAN_MANAGE", OWNER)),
    "serving-endpoints": ObjectKind(
        "serving-endpoint", "/serving-endpoints/", ("CAN_VIEW", "CAN_QUERY", "CAN_MANAGE")
    ),
    "warehouses": ObjectKind(
        "warehouses", "/sql/warehouses/", ("CAN_VIEW", "CAN_USE", "CAN_MONITOR", "CAN_MANAGE", OWNER)
    ),
}
DESCRIPTIONS = {
    "CAN_VIEW": "Can view",
    "CAN_USE": "Can use",
    "CAN_MONITOR": "Can use, and view what others do",
    "CAN_QUERY": "Can query",
    "CAN_READ": "Can read",
    "CAN_RUN": "Can run",
    "CAN_MANAGE_RUN": "Can manage runs",
    "CAN_EDIT": "Can edit",
    "CAN_MANAGE": "Can manage, and change permissions",
    OWNER: "Is the owner",
}


def kind_of(object_type: str) -> ObjectKind:
    """The kind that a request means.

    Raises:
        InvalidParameterValue: objects of this type have no permissions here.
    """
    try:
        return KINDS[object_type]
    except KeyError:
        raise InvalidParameterValue(
            f"{object_type!r} is no object type with permissions here; there are {', '.join(KINDS)}."
        ) from None
