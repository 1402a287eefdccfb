"""Spark Connect plans, looked at and changed as messages.

Three questions are answered here. Which keys does a stream drop duplicates by? Is a query one aggregation over rows
of one table, each row on its own, so that only the groups of new rows can change? And then: which groups are touched,
and what is the query over these groups only? Everything is decided from the message; nothing is executed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from google.protobuf.message import Message
from pyspark.sql.connect.proto import Aggregate, Deduplicate, Expression, Join, Project, Relation

KEY = "__key_{}"
"""Column names of a group's keys in the relations made here."""

ROW_BY_ROW = {"project", "filter", "with_columns", "with_columns_renamed", "drop", "subquery_alias", "hint"}
"""Relations whose output rows each come from one input row."""

NOT_REPEATABLE = {
    "current_timestamp", "now", "current_date", "curdate", "localtimestamp", "rand", "random", "randn", "uuid",
    "monotonically_increasing_id", "input_file_name", "spark_partition_id", "shuffle",
}  # fmt: skip
"""Functions whose value is another one next time, so old and new groups would not fit together."""

GENERATORS = {"explode", "explode_outer", "posexplode", "posexplode_outer", "inline", "inline_outer", "stack"}
WHOLE_UNITS = {"year", "month", "day", "hour", "minute", "second"}


@dataclass(frozen=True)
class Key:
    """One grouping expression.

    Attributes:
        output: the result's column that holds it.
        source: the source's column it grows with, None when it is something else.
        unit: what that column is cut down to: a unit of date_trunc, or "date" for to_date; None when it is taken as is.
    """

    output: str
    source: str | None
    unit: str | None


@dataclass(frozen=True)
class Grouping:
    """A query that can be refreshed group by group."""

    keys: tuple[Key, ...]


@dataclass(frozen=True)
class NotIncremental:
    """Why a query cannot be refreshed group by group, in words."""

    reason: str


def without_watermarks(relation: Relation) -> Relation:
    """The same plan; a watermark says nothing about a batch."""
    copy = Relation()
    copy.CopyFrom(relation)
    for part in _relations(copy):
        while part.WhichOneof("rel_type") == "with_watermark":
            inner = Relation()
            inner.CopyFrom(part.with_watermark.input)
            part.CopyFrom(inner)
    return copy


def fingerprint(relation: Relation) -> str:
    """A short text that is the same for the same query, wherever it stands in its file."""
    copy = Relation()
    copy.CopyFrom(relation)
    for part in _parts(copy):
        if isinstance(part, Relation | Expression):
            part.ClearField("common")
        if isinstance(part, Expression.UnresolvedAttribute):
            part.ClearField("plan_id")
    return sha256(copy.SerializeToString(deterministic=True)).hexdigest()[:12]


def deduplication(relation: Relation) -> tuple[Relation, tuple[str, ...]]:
    """The plan below a final dropDuplicates and its columns; the plan itself and () where there is none."""
    if relation.WhichOneof("rel_type") != "deduplicate":
        return relation, ()
    deduplicate = relation.deduplicate
    return deduplicate.input, tuple(deduplicate.column_names)


def has_deduplication(relation: Relation) -> bool:
    """True when rows are deduplicated anywhere in the plan."""
    return any(part.WhichOneof("rel_type") == "deduplicate" for part in _relations(relation))


def grouping(relation: Relation, source_plan: int) -> Grouping | NotIncremental:
    """How the query can be refreshed group by group when rows are added to its one source.

    Args:
        relation: the query.
        source_plan: the plan id of the relation that reads the source.
    """
    above, aggregate = _down_to_aggregate(relation)
    below = _chain(aggregate.input, source_plan) if aggregate is not None else None
    if aggregate is None or below is None:
        return NotIncremental("it is not one aggregation over row by row work on one table")
    fault = _unfit_groups(aggregate) or _unfit_expressions(relation, above)
    if fault:
        return NotIncremental(fault)
    keys: list[Key] = []
    for expression in aggregate.grouping_expressions:
        output = _renamed(_name(expression), above)
        if output is None:
            return NotIncremental("a grouping expression is not a column of the result")
        keys.append(Key(output, *_growing_with(expression, below)))
    return Grouping(tuple(keys))


def keys_of(relation: Relation) -> Relation:
    """The distinct group keys of the query's input, as columns __key_0, __key_1 and so on."""
    aggregate = _aggregate(relation)
    project = Project(input=aggregate.input)
    for number, expression in enumerate(aggregate.grouping_expressions):
        project.expressions.append(_named(_bare(expression), KEY.format(number)))
    return Relation(deduplicate=Deduplicate(input=Relation(project=project), all_columns_as_keys=True))


def only_groups(relation: Relation, keys: Relation) -> Relation:
    """The query over the groups that `keys` (columns __key_0, …) lists, and no others."""
    copy = Relation()
    copy.CopyFrom(relation)
    aggregate = _aggregate(copy)
    expressions = [_bare(expression) for expression in aggregate.grouping_expressions]
    aggregate.input.CopyFrom(_semi_join(aggregate.input, keys, expressions, Join.JOIN_TYPE_LEFT_SEMI))
    return copy


def without_groups(relation: Relation, columns: list[str], keys: Relation) -> Relation:
    """The rows of `relation` whose `columns` are in none of the groups of `keys`."""
    return _semi_join(relation, keys, [_column(name) for name in columns], Join.JOIN_TYPE_LEFT_ANTI)


def _semi_join(
    left: Relation, keys: Relation, expressions: list[Expression], kind: Join.JoinType.ValueType
) -> Relation:
    conditions = [
        _call("<=>", expression, _column(KEY.format(number))) for number, expression in enumerate(expressions)
    ]
    condition = conditions[0]
    for further in conditions[1:]:
        condition = _call("and", condition, further)
    return Relation(join=Join(left=left, right=keys, join_condition=condition, join_type=kind))


def _relations(relation: Relation) -> Iterator[Relation]:
    """The relation and those it reads; not those in subqueries of expressions."""
    yield relation
    kind = relation.WhichOneof("rel_type")
    for _, value in getattr(relation, kind).ListFields() if kind else ():
        if isinstance(value, Relation):
            yield from _relations(value)


def _parts(message: Message) -> Iterator[Message]:
    """All messages within one, but for what only says where in its file it stands."""
    yield message
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None or descriptor.name == "common":
            continue
        for part in [value] if isinstance(value, Message) else value:
            if isinstance(part, Message):
                yield from _parts(part)


def _input(relation: Relation) -> Relation | None:
    kind = relation.WhichOneof("rel_type") or ""
    return getattr(relation, kind).input if kind in ROW_BY_ROW else None


def _down_to_aggregate(relation: Relation) -> tuple[list[Relation], Aggregate | None]:
    above: list[Relation] = []
    current: Relation | None = relation
    while current is not None and current.WhichOneof("rel_type") != "aggregate":
        above.append(current)
        current = _input(current)
    return above, current.aggregate if current is not None else None


def _aggregate(relation: Relation) -> Aggregate:
    aggregate = _down_to_aggregate(relation)[1]
    if aggregate is None:
        raise ValueError("the query is no aggregation; ask grouping() first")
    return aggregate


def _chain(relation: Relation, source_plan: int) -> list[Relation] | None:
    """The row by row relations down to the source, or None when something else lies between."""
    chain: list[Relation] = []
    current: Relation | None = relation
    while current is not None:
        if current.common.plan_id == source_plan:
            return chain
        chain.append(current)
        current = _input(current)
    return None


def _unfit_groups(aggregate: Aggregate) -> str | None:
    if aggregate.group_type != Aggregate.GROUP_TYPE_GROUPBY:
        return "it groups by cube, rollup, pivot or grouping sets"
    return None if aggregate.grouping_expressions else "it has one group over everything"


def _unfit_expressions(relation: Relation, above: list[Relation]) -> str | None:
    for part in _parts(relation):
        if not isinstance(part, Expression):
            continue
        kind = part.WhichOneof("expr_type")
        if kind in {"window", "subquery_expression"}:
            return "it uses a window function or a subquery"
        if kind == "unresolved_function" and part.unresolved_function.function_name.lower() in NOT_REPEATABLE:
            return f"{part.unresolved_function.function_name} has another value each time"
    generated = any(
        isinstance(part, Expression) and part.unresolved_function.function_name.lower() in GENERATORS
        for step in above
        for part in _own_expressions(step)
    )
    return "rows are multiplied after the aggregation" if generated else None


def _own_expressions(step: Relation) -> Iterator[Message]:
    if step.WhichOneof("rel_type") == "project":
        for expression in step.project.expressions:
            yield from _parts(expression)


def _renamed(name: str | None, above: list[Relation]) -> str | None:
    """What the aggregation's column is called in the result, None when it is not there unchanged."""
    for step in reversed(above):
        if name is None:
            return None
        name = _passed_on(name, step)
    return name


def _passed_on(name: str, step: Relation) -> str | None:
    kind = step.WhichOneof("rel_type")
    if kind == "project":
        return next(
            (_name(e) for e in step.project.expressions if _is_column(_bare(e), name)), _if_star(name, step)
        )
    if kind == "with_columns":
        return None if any(alias.name[0] == name for alias in step.with_columns.aliases) else name
    if kind == "with_columns_renamed":
        renames = {rename.col_name: rename.new_col_name for rename in step.with_columns_renamed.renames}
        return renames.get(name, name)
    if kind == "drop":
        dropped = (
            any(_is_column(column, name) for column in step.drop.columns) or name in step.drop.column_names
        )
        return None if dropped else name
    return name


def _growing_with(expression: Expression, below: list[Relation]) -> tuple[str | None, str | None]:
    """The source column that the expression never falls with, and the unit it is cut down to."""
    column, unit = _cut_down(_bare(expression))
    for step in below:
        if column is None:
            return None, None
        column = _taken_from(column, step)
    return column, unit


def _taken_from(name: str, step: Relation) -> str | None:
    """The input column that a step passes on, unchanged, under `name`."""
    kind = step.WhichOneof("rel_type")
    if kind == "project":
        origin = next((_column_name(_bare(e)) for e in step.project.expressions if _name(e) == name), None)
        return origin or _if_star(name, step)
    if kind == "with_columns":
        return None if any(alias.name[0] == name for alias in step.with_columns.aliases) else name
    if kind == "with_columns_renamed":
        renames = {rename.new_col_name: rename.col_name for rename in step.with_columns_renamed.renames}
        return renames.get(name, name)
    return name


def _cut_down(expression: Expression) -> tuple[str | None, str | None]:
    name = _column_name(expression)
    if name is not None:
        return name, None
    call = expression.unresolved_function
    arguments = list(call.arguments)
    if call.function_name.lower() in {"to_date", "date"} and len(arguments) == 1:
        return _column_name(arguments[0]), "date"
    if call.function_name.lower() == "date_trunc" and len(arguments) == 2:
        unit = arguments[0].literal.string.lower()
        return (_column_name(arguments[1]), unit) if unit in WHOLE_UNITS else (None, None)
    return None, None


def _if_star(name: str, step: Relation) -> str | None:
    stars = any(
        expression.WhichOneof("expr_type") == "unresolved_star" for expression in step.project.expressions
    )
    return name if stars else None


def _bare(expression: Expression) -> Expression:
    return expression.alias.expr if expression.WhichOneof("expr_type") == "alias" else expression


def _name(expression: Expression) -> str | None:
    if expression.WhichOneof("expr_type") == "alias":
        return expression.alias.name[0]
    return _column_name(expression)


def _column_name(expression: Expression) -> str | None:
    if expression.WhichOneof("expr_type") != "unresolved_attribute":
        return None
    identifier = expression.unresolved_attribute.unparsed_identifier
    return None if "." in identifier else identifier.strip("`")


def _is_column(expression: Expression, name: str) -> bool:
    return _column_name(expression) == name


def _column(name: str) -> Expression:
    attribute = Expression.UnresolvedAttribute(unparsed_identifier=f"`{name}`")
    return Expression(unresolved_attribute=attribute)


def _call(function: str, *arguments: Expression) -> Expression:
    return Expression(
        unresolved_function=Expression.UnresolvedFunction(function_name=function, arguments=list(arguments))
    )


def _named(expression: Expression, name: str) -> Expression:
    return Expression(alias=Expression.Alias(expr=expression, name=[name]))
