"""What a change of a parameter touches: found by declaring the stages with another value and comparing. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from caspers.errors import Invalid
from caspers.settings import Parameters, parameters_from

from admin.declarations import Resource, Stage
from admin.engine.consequences import consequence

Declare = Callable[[Parameters], Sequence[Stage]]

NOT_OURS = {"catalog": ("everything: another catalog is another demo, with an admin of its own",)}
"""What does not change within one demo."""


def effects(current: Parameters, declare: Declare) -> dict[str, tuple[str, ...]]:
    """By parameter the titles of the stages that a change touches, each with its consequence."""
    before = declare(current)
    return {
        name: NOT_OURS.get(name) or _effects_of(name, current, before, declare)
        for name in Parameters.model_fields
    }


def _effects_of(name: str, current: Parameters, before: Sequence[Stage], declare: Declare) -> tuple[str, ...]:
    after = {stage.name: stage for stage in declare(_with_another(name, current))}
    touched = {stage.title: _differences(stage, after[stage.name]) for stage in before}
    return tuple(f"{title}: {', '.join(said)}" for title, said in touched.items() if said)


def _differences(before: Stage, after: Stage) -> list[str]:
    one, other = _by_key(before), _by_key(after)
    said = [_said(other.get(key), one.get(key)) for key in {**one, **other} if one.get(key) != other.get(key)]
    return list(dict.fromkeys(said))


def _said(resource: Resource | None, before: Resource | None) -> str:
    if resource is None or before is None:
        there = resource or before
        assert there is not None
        return f"{_words(there.kind)} is {'made' if before is None else 'removed'}"
    return consequence(resource.kind, "update") or f"{_words(resource.kind)} changes"


def _with_another(name: str, current: Parameters) -> Parameters:
    """The same parameters with another value of this one."""
    values = current.model_dump()
    for value in _others(values[name]):
        try:
            return parameters_from({**values, name: value})
        except Invalid:
            continue
    raise Invalid(f"no other value of {name} is known")


def _others(value: Any) -> tuple[Any, ...]:
    if isinstance(value, str):
        return (f"{value}_other",)
    # A switch between nothing and something tells most; then anything that is allowed.
    return (1, 2) if not value else (0, value / 2, value + 1, 1)


def _by_key(stage: Stage) -> Mapping[str, Resource]:
    return {resource.key: resource for resource in stage.resources}


def _words(kind: str) -> str:
    return f"a {kind.removeprefix('uc_').replace('_', ' ')}"
