"""What any agent of the demo works with: its tools as functions, and the table of its runs."""

from collections.abc import Iterable

from caspers.model.tables import AGENT_RUNS, ALL_EVENTS, SILVER_ORDER_ITEMS

from admin.declarations import Resource
from admin.stages.demo import Demo
from admin.stages.specifications import delta_table

RUNS_KEY = f"table {AGENT_RUNS.short_name}"
READ_BY_FUNCTIONS = (ALL_EVENTS, SILVER_ORDER_ITEMS)


def agent_ground(demo: Demo, functions: Iterable[str]) -> tuple[Resource, ...]:
    """The schema of agents with these functions and the runs; several agents declare what they share alike."""
    names = demo.names
    return (
        Resource("schema ai", "uc_schema", names.schema("ai"), needs=("catalog",)),
        delta_table(demo, AGENT_RUNS, "schema ai"),
        # A function can only be made once the tables it reads exist, and these two the pipeline makes.
        *(
            Resource(
                f"table {table.short_name}",
                "pipeline_table",
                names.table(table.name),
                needs=("order_items first update",),
            )
            for table in READ_BY_FUNCTIONS
        ),
        *(_function(demo, name) for name in functions),
    )


def function_key(name: str) -> str:
    """The key of a function's resource."""
    return f"function {name}"


def _function(demo: Demo, name: str) -> Resource:
    return Resource(
        function_key(name),
        "sql_function",
        demo.names.table(f"ai.{name}"),
        {
            "definition": demo.functions[name],
            "schemas": {
                "lakeflow": demo.names.schema("lakeflow"),
                "simulator": demo.names.schema(demo.parameters.simulator_schema),
            },
        },
        needs=(
            "schema ai",
            "warehouse",
            "table brands",
            "table locations",
            *(f"table {table.short_name}" for table in READ_BY_FUNCTIONS),
        ),
    )
