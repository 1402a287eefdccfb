"""A plan as people read it: by stage, what is done first, what stays folded away. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from admin.pages.looks import plural
from admin.shapes import PlannedAction, RunPlan, Verb

VERBS: Sequence[Verb] = ("create", "replace", "update", "delete", "stop", "keep", "leave")
SAYS: Mapping[str, str] = {
    "create": "to create",
    "replace": "to replace",
    "update": "to change",
    "delete": "to delete",
    "stop": "to stop",
    "keep": "unchanged",
    "leave": "left alone",
}
QUIET = frozenset({"keep", "leave"})


@dataclass(frozen=True)
class Group:
    """What happens to one stage's resources, what changes first."""

    stage: str
    title: str
    words: str
    changes: bool
    actions: tuple[PlannedAction, ...]


def groups(plan: RunPlan, titles: Mapping[str, str]) -> list[Group]:
    """The plan by stages, in their order; what is taken away goes the other way round."""
    found: dict[str, list[PlannedAction]] = {}
    for action in plan.actions:
        found.setdefault(action.stage, []).append(action)
    known = list(titles)
    stages = sorted(found, key=lambda stage: known.index(stage) if stage in titles else len(known))
    if plan.action != "provision":
        stages.reverse()
    return [_group(stage, titles.get(stage, stage), found[stage]) for stage in stages]


def sums(plan: RunPlan) -> list[tuple[str, int]]:
    """How many of each verb; nothing at all when nothing changes."""
    count = Counter(action.verb for action in plan.actions)
    if not set(count) - QUIET:
        return []
    return [(verb, count[verb]) for verb in VERBS if count[verb]]


def consequences(plan: RunPlan) -> list[tuple[str, list[str]]]:
    """What people notice of it, each with the names of what it happens to."""
    said: dict[str, set[str]] = {}
    for action in plan.actions:
        if action.consequence and action.verb not in QUIET:
            said.setdefault(action.consequence, set()).add(action.name)
    return [(sentence, sorted(names)) for sentence, names in sorted(said.items())]


def _group(stage: str, title: str, actions: Sequence[PlannedAction]) -> Group:
    count = Counter(action.verb for action in actions)
    words = ", ".join(f"{count[verb]} {SAYS[verb]}" for verb in VERBS if count[verb])
    changes = bool(set(count) - QUIET)
    ordered = sorted(actions, key=lambda action: action.verb in QUIET)
    if not changes and not count["leave"]:
        words = f"{plural(len(actions), 'resource')}, unchanged"
    return Group(stage, title, words, changes, tuple(ordered))
