"""The parameters as people see them: type, meaning, default, present value. Pure."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

from caspers.settings import Parameters

from admin.shapes import ParameterView


def parameter_views(current: Parameters, effects: Mapping[str, tuple[str, ...]]) -> list[ParameterView]:
    """Every parameter, in the order in which people read them."""
    return [
        ParameterView(
            name=name,
            type=_type(field.annotation),
            meaning=field.description or "",
            default=field.default,
            current=getattr(current, name),
            affects=effects.get(name, ()),
        )
        for name, field in Parameters.model_fields.items()
    ]


def _type(annotation: Any) -> Literal["string", "integer", "number"]:
    plain = next((each for each in get_args(annotation) if each is not type(None)), annotation)
    while get_args(plain):
        plain = get_args(plain)[0]
    return "integer" if plain is int else "number" if plain is float else "string"
