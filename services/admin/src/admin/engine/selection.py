"""Which stages come along, and which resources are meant, when part of the demo is stopped, torn down or repaired. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from caspers.errors import Invalid

from admin.declarations import Entry, Stage
from admin.shapes import StepState

TO_REPAIR: Collection[StepState] = ("failed", "skipped", "cancelled")


def declaring(stages: Iterable[Stage]) -> dict[str, set[str]]:
    """By the key of every declared resource the names of the stages that declare it."""
    found: dict[str, set[str]] = {}
    for stage in stages:
        for resource in stage.resources:
            found.setdefault(resource.key, set()).add(stage.name)
    return found


def present(stages: Sequence[Stage], entries: Mapping[str, Entry]) -> list[str]:
    """The stages of which something is registered that no other stage has, in their order."""
    declared = declaring(stages)
    there: set[str] = set()
    for key, entry in entries.items():
        owners = declared.get(key) or {entry.stage}
        if len(owners) == 1:
            there |= owners
    return [stage.name for stage in stages if stage.name in there]


def with_dependents(
    stages: Sequence[Stage], asked: Iterable[str], *, among: Collection[str] | None = None
) -> list[str]:
    """The stages asked for and all (among those given) that need them, in their order.

    Raises:
        Invalid: a name is not a stage's.
    """
    wanted = chosen = set(asked)
    if unknown := wanted - {stage.name for stage in stages}:
        raise Invalid(
            f"there is no stage {', '.join(sorted(unknown))}",
            what_now=f"The stages are {', '.join(stage.name for stage in stages)}.",
        )
    for stage in stages:  # they come in an order that respects their needs
        if wanted & set(stage.needs):
            wanted = wanted | {stage.name}
    return [
        stage.name
        for stage in stages
        if stage.name in wanted and (among is None or stage.name in among or stage.name in chosen)
    ]


def free_of_others(stages: Sequence[Stage], asked: Iterable[str], there: Iterable[str]) -> list[str]:
    """Of the stages asked for those that no present stage outside of them needs, not even indirectly."""
    wanted = set(asked)
    needs = {stage.name: stage.needs for stage in stages}
    pending = [name for name in there if name not in wanted]
    held: set[str] = set()
    while pending:
        for need in needs.get(pending.pop(), ()):
            if need not in held:
                held.add(need)
                pending.append(need)
    return [stage.name for stage in stages if stage.name in wanted - held]


def entries_of(stages: Sequence[Stage], entries: Mapping[str, Entry], going: Collection[str]) -> list[Entry]:
    """The registered resources that go when these stages go.

    One that several present stages declare goes with the last of them; one that no stage declares any more goes with
    the stage that it was recorded for.
    """
    staying = set(present(stages, entries)) - set(going)
    declared = declaring(stages)
    return [
        entry
        for key, entry in entries.items()
        if (
            not declared[key] & staying and declared[key] & set(going)
            if key in declared
            else entry.stage in going
        )
    ]


def to_repair(stages: Sequence[Stage], ended: Mapping[str, StepState]) -> list[str]:
    """The stages of a run that failed, were skipped or cancelled, and those of its stages that need them."""
    broken = [name for name, state in ended.items() if state in TO_REPAIR]
    return with_dependents(stages, broken, among=ended.keys())
