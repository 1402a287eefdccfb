"""Statements over the tables of a demo: written with {lakeflow}.all_events, run with the schema's full name."""

from typing import LiteralString

from caspers.names import Names, quoted

_SCHEMAS: dict[LiteralString, str] = {
    "{ai}": "ai",
    "{complaints}": "complaints",
    "{lakeflow}": "lakeflow",
    "{recommender}": "recommender",
}


def with_schemas(statement: LiteralString, names: Names) -> LiteralString:
    """The statement with the full, quoted names of its schemas in place of {ai}, {lakeflow} and so on."""
    for place, schema in _SCHEMAS.items():
        statement = statement.replace(place, quoted(names.schema(schema)))
    return statement.replace("{simulator}", quoted(names.schema(names.simulator_schema)))
