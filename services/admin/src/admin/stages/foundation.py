"""The foundation: what has to be there before anything else can be made and noted down."""

from admin.declarations import REGISTRY_COLUMNS, REGISTRY_KEY, Resource
from admin.stages.demo import Demo


def foundation(demo: Demo) -> tuple[Resource, ...]:
    """The warehouse, the catalog, and the registry in it."""
    names = demo.names
    return (
        Resource("warehouse", "warehouse", "caspers", {"id": demo.warehouse_id}),
        Resource("catalog", "catalog", names.catalog),
        Resource("schema _internal_state", "uc_schema", names.schema("_internal_state"), needs=("catalog",)),
        Resource(
            REGISTRY_KEY,
            "text_table",
            names.resources_table,
            {"columns": list(REGISTRY_COLUMNS)},
            needs=("schema _internal_state", "warehouse"),
        ),
    )
