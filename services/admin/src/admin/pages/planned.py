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
    "keep": "stay as they are",
    "leave": "are left alone",
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
    """The plan by stages, in the order of the run."""
    found: dict[str, list[PlannedAction]] = {}
    for action in plan.actions:
        found.setdefault(action.stage, []).append(action)
    return [_group(stage, titles.get(stage, stage), actions) for stage, actions in found.items()]


def sums(plan: RunPlan) -> list[tuple[str, int]]:
    """How many of each verb; nothing at all when nothing changes."""
    count = Counter(action.verb for action in plan.actions)
    if not set(count) - QUIET:
        return []
    return [(verb, count[verb]) for verb in VERBS if count[verb]]


def consequences(plan: RunPlan) -> list[str]:
    """What people notice of it, each once."""
    said = [
        f"{action.name}: {action.consequence}"
        for action in plan.actions
        if action.consequence and action.verb not in QUIET
    ]
    return list(dict.fromkeys(said))


def _group(stage: str, title: str, actions: Sequence[PlannedAction]) -> Group:
    count = Counter(action.verb for action in actions)
    words = ", ".join(f"{count[verb]} {SAYS[verb]}" for verb in VERBS if count[verb])
    changes = bool(set(count) - QUIET)
    ordered = sorted(actions, key=lambda action: action.verb in QUIET)
    if not changes and not count["leave"]:
        words = f"{plural(len(actions), 'resource')}, unchanged"
    return Group(stage, title, words, changes, tuple(ordered))
