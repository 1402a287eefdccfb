"""The verbs of the panel, each with one sentence, and why somebody may not use it just now. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from admin.roles import NEEDED, Actor
from admin.shapes import RunSummary

SENTENCES = {
    "Run": "Makes what is missing and adjusts what differs; what is right stays untouched.",
    "Repair": "Does what failed again, and all that comes after it; parameters may change.",
    "Cancel": "Ends the run that goes on: after “cancelled” nothing more starts, what was made stays.",
    "Stop": "Halts workers, pipelines and apps and deletes nothing; Run lets them go on.",
    "Tear down": "Deletes it and what needs it, after you have seen the list and typed its name.",
}
REPAIRABLE = ("failed", "cancelled", "interrupted")


@dataclass(frozen=True)
class Verb:
    """A button or link: where it leads or what it sends, and why it is off, if it is."""

    label: str
    sentence: str
    href: str = ""
    send: str = ""
    tone: str = ""
    key: str = ""
    why_not: str = ""


def for_choice(
    actor: Actor, *, target: str, stages: Sequence[str], active: RunSummary | None, broken: str | None
) -> list[Verb]:
    """What can be done with what is chosen; `broken` is the run that could be repaired."""
    chosen = _chosen(target, stages)
    return [
        Verb(
            "Run",
            SENTENCES["Run"],
            href=start_address(**(chosen or {"target": "default"})),
            tone="primary",
            key="r",
            why_not=may_not(actor, "run.start"),
        ),
        repair(actor, broken),
        cancel(actor, active),
        Verb(
            "Stop",
            SENTENCES["Stop"],
            href=start_address(action="stop", **chosen),
            why_not=may_not(actor, "run.stop"),
        ),
        Verb(
            "Tear down",
            SENTENCES["Tear down"],
            href=start_address(action="teardown", **chosen),
            tone="danger",
            why_not=may_not(actor, "run.teardown"),
        ),
    ]


def for_run(actor: Actor, run: RunSummary) -> list[Verb]:
    """What can be done with one run."""
    again = _chosen(run.target or "", () if run.target else run.stages)
    broken = run.run_id if run.state in REPAIRABLE and run.action == "provision" else None
    return [
        repair(actor, broken, otherwise="Nothing of this run is left to repair."),
        cancel(actor, run if run.state in {"running", "cancelling"} else None, otherwise="It is over."),
        Verb(
            "Again",
            "Asks for the same once more; you see the plan first.",
            href=start_address(action=run.action, **again),
            why_not=may_not(
                actor,
                {"provision": "run.start", "stop": "run.stop", "teardown": "run.teardown"}[run.action],
            ),
        ),
        Verb(
            "Compare",
            "Shows what differs from another run: parameters, stages, steps.",
            href=f"/runs?one={run.run_id}",
        ),
    ]


def repair(
    actor: Actor, broken: str | None, otherwise: str = "Nothing failed that could be repaired."
) -> Verb:
    """Do the broken part of a run again."""
    return Verb(
        "Repair",
        SENTENCES["Repair"],
        href=start_address(action="repair", run=broken or ""),
        why_not=may_not(actor, "run.repair") or ("" if broken else otherwise),
    )


def cancel(actor: Actor, active: RunSummary | None, otherwise: str = "Nothing is running.") -> Verb:
    """End the run that goes on."""
    why_not = may_not(actor, "run.cancel") or ("" if active else otherwise)
    if active is not None and active.state == "cancelling":
        why_not = "It is being cancelled: what is under way still ends."
    return Verb(
        "Cancel",
        SENTENCES["Cancel"],
        send=f"/api/v1/runs/{active.run_id}/cancel" if active else "",
        why_not=why_not,
    )


def may_not(actor: Actor, action: str) -> str:
    """Why the role does not suffice; empty when it does."""
    if actor.may(action):
        return ""
    needed = NEEDED[action]
    return f"This takes an {needed}; you are {'an' if actor.role[0] in 'aeiou' else 'a'} {actor.role}."


def start_address(**asked: str) -> str:
    """The page that shows the plan of what is asked for."""
    query = urlencode({name: value for name, value in asked.items() if value}, safe=",")
    return f"/start{'?' if query else ''}{query}"


def _chosen(target: str, stages: Sequence[str]) -> dict[str, str]:
    if target:
        return {"target": target}
    return {"stages": ",".join(stages)} if stages else {}
