"""The expressions of a procedure: Jinja's, in its sandbox, and so that each costs little and ends.

An expression reads values, compares, calculates and filters them. It calls nothing but the filters below, `~` joins plain
values, arithmetic is for numbers, and the lists written in it hold constants: so what it makes is never much larger than what
it was given. What is not there is null; to a filter of lists null is an empty one.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import Any, cast

from jinja2 import ChainableUndefined, TemplateError, Undefined, meta, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.filters import FILTERS, make_attrgetter
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from local_workspace.api.serving_endpoints import patterns

LONGEST_EXPRESSION = 2_000
"""Characters."""

LONGEST_TEXT = 64 * 1024
"""Characters of a text that an expression may make."""

LONGEST_SEPARATOR = 100
SHOWN = 80
"""Characters of an expression or a value that an error shows."""

LARGEST_NUMBER = 1e15
DIGITS = 15
FILTERS_OF_VALUES = ("int", "float", "lower", "upper", "default")
FILTERS_OF_LISTS = (
    "length", "map", "max", "min", "reject", "rejectattr", "select", "selectattr", "sort", "unique",
)  # fmt: skip
FAILURES: tuple[type[BaseException], ...] = (
    TemplateError,
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RecursionError,
    MemoryError,
)
"""All that data can make of an expression."""

Filter = Callable[..., Any]
_JINJAS = cast("dict[str, Filter]", FILTERS)


class BadExpression(ValueError):
    """The expression is none, or does not fit the values; the message says which and why."""


class Expression:
    """An expression, compiled.

    Attributes:
        needs: the names it reads.

    Raises:
        BadExpression: it cannot be read, or could cost too much.
    """

    def __init__(self, source: str) -> None:
        if len(source) > LONGEST_EXPRESSION:
            raise BadExpression(
                f"An expression has {len(source)} characters; {LONGEST_EXPRESSION} are allowed."
            )
        self._source = source[:SHOWN]
        try:
            self._evaluate = _SANDBOX.compile_expression(source)
            tree = _SANDBOX.parse("{{ " + source + " }}")
            self.needs = frozenset(meta.find_undeclared_variables(tree))
        except (*FAILURES, SyntaxError) as error:
            raise BadExpression(f"{self._source!r} is no expression: {_said(error)}") from None
        for literal in tree.find_all((nodes.List, nodes.Dict, nodes.Tuple)):
            if literal.find(nodes.Name) is not None:
                raise BadExpression(
                    f"{self._source!r}: lists and maps that are written out hold constants only."
                )

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """The expression's value; None for what is not there.

        Raises:
            BadExpression: the values do not fit.
        """
        try:
            return self._evaluate(**values)
        except FAILURES as error:
            raise BadExpression(f"{self._source!r} cannot be computed: {_said(error)}") from None


class _PlainJoins(CodeGenerator):
    """Compiles `~` to a call of the sandbox, which sees what it joins."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802  Jinja's name
        self.write("environment.joined((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


class _Sandbox(SandboxedEnvironment):
    """Jinja without calls, with arithmetic for numbers only."""

    code_generator_class = _PlainJoins

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        for operand in (left, right):
            if not _is_number(operand):
                raise BadExpression(f"{operator} is for numbers, and {_shown(operand)} is none")
        if operator == "**":
            raise BadExpression("there are no powers")
        result = super().call_binop(context, operator, left, right)
        if not abs(result) <= LARGEST_NUMBER:
            raise BadExpression(f"the result of {operator} is too large")
        return result

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """A field or an item of data; of Python's own attributes there are none."""
        if isinstance(obj, Undefined):
            return obj
        try:
            return obj[argument]
        except (LookupError, TypeError):
            return self.undefined(obj=obj, name=argument)

    def call(self, *_arguments: Any, **_named: Any) -> Any:
        raise BadExpression("there are no functions to call, only filters")

    def joined(self, parts: Iterable[Any]) -> str:
        """What `~` gives."""
        return _text("".join(_plain(part) for part in parts))


def _plain(value: Any) -> str:
    if value is None or isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, Undefined):
        return ""
    raise BadExpression(f"only texts and numbers can be joined, not {_shown(value)}")


def _text(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise BadExpression(f"it makes a text of more than {LONGEST_TEXT} characters")
    return text


def _join(values: Iterable[Any] | None, separator: str = "", attribute: str | None = None) -> str:
    if len(separator) > LONGEST_SEPARATOR:
        raise BadExpression(f"a separator has at most {LONGEST_SEPARATOR} characters")
    return separator.join(_plain(value) for value in _picked(values, attribute))


def _sum(values: Iterable[Any] | None, attribute: str | None = None) -> float:
    numbers = [value for value in _picked(values, attribute) if value is not None]
    strange = next((value for value in numbers if not _is_number(value)), None)
    if strange is not None:
        raise BadExpression(f"only numbers have a sum, and {_shown(strange)} is none")
    return sum(numbers)


def _round(value: float, precision: int = 0, method: str = "common") -> float:
    if not _is_number(value) or not 0 <= precision <= DIGITS or not abs(value) <= LARGEST_NUMBER:
        raise BadExpression(f"{_shown(value)} cannot be rounded to {precision} digits")
    if method == "common":
        return round(float(value), precision)
    directed: Callable[[float], int] = {"ceil": math.ceil, "floor": math.floor}[method]
    return directed(value * 10**precision) / 10**precision


def _picked(values: Iterable[Any] | None, attribute: str | None) -> Iterable[Any]:
    if values is None:
        return ()
    return values if attribute is None else map(make_attrgetter(_SANDBOX, attribute), values)


def _of_data(name: str) -> Filter:
    """A filter of Jinja for data: null is an empty list, and lists are made at once."""
    jinjas = _JINJAS[name]
    place = int(hasattr(jinjas, "jinja_pass_arg"))  # what is filtered comes second where Jinja passes its own

    @wraps(jinjas)
    def filtered(*arguments: Any, **named: Any) -> Any:
        before, values, options = arguments[:place], arguments[place], arguments[place + 1 :]
        result = jinjas(*before, () if values is None else values, *options, **named)
        return list(result) if isinstance(result, Iterator) else result

    return filtered


def _matches(value: Any, pattern: str) -> bool:
    patterns.check(pattern)
    return patterns.matches(pattern, _plain(value)) if value is not None else False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    if value is None or isinstance(value, Undefined):
        return "null"
    return repr(value)[:SHOWN] if isinstance(value, str | int | float) else f"a {type(value).__name__}"


def _said(error: BaseException) -> str:
    return str(error)[:300] or type(error).__name__


def _sandbox() -> _Sandbox:
    sandbox = _Sandbox(undefined=ChainableUndefined)
    sandbox.globals.clear()
    sandbox.intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%", "**"))
    filters = cast("dict[str, Filter]", sandbox.filters)
    filters.clear()
    filters |= {name: _JINJAS[name] for name in FILTERS_OF_VALUES}
    filters |= {name: _of_data(name) for name in FILTERS_OF_LISTS}
    filters |= {"join": _join, "sum": _sum, "round": _round, "matches": _matches}
    cast("dict[str, Filter]", sandbox.tests)["matches"] = _matches
    return sandbox


_SANDBOX = _sandbox()
