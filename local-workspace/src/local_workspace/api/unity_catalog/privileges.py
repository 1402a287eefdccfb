"""Which privileges exist, what they can be granted on, and what follows from a set of grants. No I/O."""

from collections.abc import Iterable

ALL_PRIVILEGES = "ALL_PRIVILEGES"
MANAGE = "MANAGE"
EVERYONE = "account users"

_ANY = {ALL_PRIVILEGES, MANAGE, "BROWSE", "APPLY_TAG"}
_TABLE = {"SELECT", "MODIFY", "REFRESH"}
_VOLUME = {"READ_VOLUME", "WRITE_VOLUME"}
_FUNCTION = {"EXECUTE"}
_CREATE_INSIDE_SCHEMA = {
    "CREATE_TABLE",
    "CREATE_VIEW",
    "CREATE_MATERIALIZED_VIEW",
    "CREATE_VOLUME",
    "CREATE_FUNCTION",
    "CREATE_MODEL",
}
_SCHEMA = {"USE_SCHEMA", "EXTERNAL_USE_SCHEMA"} | _CREATE_INSIDE_SCHEMA
_CATALOG = {"USE_CATALOG", "CREATE_SCHEMA"}

OWN: dict[str, set[str]] = {
    "metastore": {"CREATE_CATALOG", "CREATE_EXTERNAL_LOCATION", MANAGE},
    "catalog": _ANY | _CATALOG,
    "schema": _ANY | _SCHEMA,
    "table": _ANY | _TABLE,
    "volume": _ANY | _VOLUME,
    "function": _ANY | _FUNCTION,
}
"""The privileges that say something about a securable of this kind itself."""

GRANTABLE: dict[str, set[str]] = OWN | {
    "catalog": _ANY | _CATALOG | _SCHEMA | _TABLE | _VOLUME | _FUNCTION,
    "schema": _ANY | _SCHEMA | _TABLE | _VOLUME | _FUNCTION,
}
"""What can be granted on a kind: its own privileges and those that what it holds inherits."""


def normal(privilege: str) -> str:
    """`use catalog` and USE_CATALOG are the same privilege."""
    return privilege.strip().replace(" ", "_").upper()


def spoken(privilege: str) -> str:
    """As it is written in SQL and in messages: USE CATALOG."""
    return privilege.replace("_", " ")


def lineage(kind: str, full_name: str) -> list[tuple[str, str]]:
    """A securable and all that hold it, itself first: table, schema, catalog."""
    if kind == "metastore":
        return [(kind, full_name)]
    parts = full_name.split(".")
    holders = [("catalog", parts[0]), ("schema", ".".join(parts[:2]))][: len(parts) - 1]
    return [(kind, full_name), *reversed(holders)]


def satisfied(privilege: str, held: Iterable[str]) -> bool:
    """True when a holder of the privileges `held` has `privilege`; ALL PRIVILEGES does not include MANAGE."""
    held = set(held)
    return privilege in held or (ALL_PRIVILEGES in held and privilege != MANAGE)


def needed(privilege: str, kind: str, full_name: str) -> list[tuple[str, str, str]]:
    """All (privilege, kind, full name) that must hold for `privilege`: USE on every holder, outermost first."""
    holders = reversed(lineage(kind, full_name)[1:])
    return [(f"USE_{holder.upper()}", holder, name) for holder, name in holders] + [
        (privilege, kind, full_name)
    ]
