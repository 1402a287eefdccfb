"""What the page before a run is asked for in its address: what to do, to which stages, with which parameters. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from admin.shapes import Action, ParameterView

PREFIX = "p."
"""Parameters of the demo carry this before their names in the address."""

Asked = Literal["provision", "stop", "teardown", "repair"]
OnTopOf = Literal["last_run", "defaults"]
ACTION: Mapping[Asked, Action] = {
    "provision": "provision",
    "repair": "provision",
    "stop": "stop",
    "teardown": "teardown",
}


@dataclass(frozen=True)
class Field:
    """A parameter as the form shows it."""

    view: ParameterView
    base: str
    """What it is when the form says nothing."""
    shown: str
    wrong: str = ""

    @property
    def given(self) -> bool:
        """Whether it differs from what it would be anyway."""
        return self.shown != self.base


@dataclass(frozen=True)
class Form:
    """The parameters of a form, and what of them goes into the request."""

    fields: tuple[Field, ...]
    values: Mapping[str, Any]

    @property
    def changed(self) -> list[str]:
        """Names of those that are not as they would be anyway."""
        return [field.view.name for field in self.fields if field.given]

    @property
    def sound(self) -> bool:
        """Whether every value could be read."""
        return not any(field.wrong for field in self.fields)


def read_form(views: Sequence[ParameterView], query: Mapping[str, str], base: Mapping[str, Any]) -> Form:
    """The parameters in an address; `base` are those that hold where it says nothing."""
    fields: list[Field] = []
    values: dict[str, Any] = {}
    for view in views:
        usual = as_text(base.get(view.name, view.default))
        shown = query.get(PREFIX + view.name, usual).strip()
        field = Field(view, usual, shown)
        if field.given:
            try:
                values[view.name] = _value(view, shown)
            except ValueError as error:
                field = Field(view, usual, shown, str(error))
        fields.append(field)
    return Form(tuple(fields), values)


def with_complaints(form: Form, message: str) -> tuple[Form, str]:
    """Each complaint put beside its parameter, and what is left of the message."""
    names = [field.view.name for field in form.fields]
    parts = re.split(rf"(?:^|; )({'|'.join(map(re.escape, names))}): ", message) if names else [message]
    said = dict(zip(parts[1::2], parts[2::2], strict=True))
    fields = [
        Field(field.view, field.base, field.shown, said.get(field.view.name, field.wrong))
        for field in form.fields
    ]
    return Form(tuple(fields), form.values), parts[0]


def as_text(value: Any) -> str:
    """A parameter's value as a form field has it."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _value(view: ParameterView, text: str) -> Any:
    if text == "":
        return view.default if view.type == "string" else None
    if view.type == "string":
        return text
    try:
        return int(text) if view.type == "integer" else float(text)
    except ValueError:
        kind = "whole number" if view.type == "integer" else "number"
        raise ValueError(f"“{text}” is not a {kind}") from None
