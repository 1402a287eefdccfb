"""How states look and read: a shape and a tone for each, words for runs and durations. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from admin.shapes import Health, ResourceView, RunSummary, StageView, StateNow, WorkerView

MINUTE_S, HOUR_S = 60, 3_600

Shape = Literal["disc", "ring", "half", "square", "triangle", "turning", "dotted"]
Tone = Literal["good", "calm", "busy", "warn", "bad"]


@dataclass(frozen=True)
class Look:
    """One mark: what it looks like, and the word that it stands for."""

    shape: Shape
    tone: Tone
    word: str


WELL = Look("disc", "good", "well")
ABSENT = Look("ring", "calm", "not there")
PARTLY = Look("half", "warn", "partly there")
NOT_RIGHT = Look("triangle", "bad", "not right")
OF_HEALTH: Mapping[Health, Look] = {
    "ok": WELL,
    "working": Look("turning", "busy", "at work"),
    "stopped": Look("square", "calm", "stopped"),
    "drifted": Look("triangle", "warn", "differs from what is wanted"),
    "missing": Look("triangle", "bad", "missing"),
    "failed": Look("triangle", "bad", "failed"),
    "unknown": Look("dotted", "calm", "not looked at yet"),
}
LEGEND = (WELL, OF_HEALTH["working"], OF_HEALTH["stopped"], PARTLY, NOT_RIGHT, ABSENT)
ACTION_WORDS = {"provision": "Run", "stop": "Stop", "teardown": "Tear down"}


def of_stage(stage: StageView) -> Look:
    """Whether a stage is there and well, in one mark; how its last run ended is another matter."""
    if stage.presence == "absent":
        return ABSENT
    if stage.health in {"failed", "missing", "drifted", "stopped", "working"}:
        return OF_HEALTH[stage.health]
    return PARTLY if stage.presence == "partial" else OF_HEALTH[stage.health]


def of_resource(resource: ResourceView) -> Look:
    """How a resource was when the platform was last asked."""
    return OF_HEALTH[resource.health]


def of_worker(worker: WorkerView) -> Look:
    """Whether a worker does as it is told."""
    return OF_HEALTH[worker.health]


def sentence(state: StateNow) -> tuple[Look, str]:
    """How the whole demo is, in a mark and a sentence."""
    if state.active_run is not None:
        return OF_HEALTH["working"], f"{ACTION_WORDS[state.active_run.action]} goes on."
    there = [stage for stage in state.stages if stage.presence != "absent"]
    if not there:
        return ABSENT, "Nothing of the demo is there."
    troubles = list(dict.fromkeys(trouble for stage in there for trouble in stage.troubles))
    partly = [stage.title for stage in there if stage.presence == "partial"]
    if not troubles and partly:
        return PARTLY, f"Only partly there: {', '.join(partly)}."
    if troubles:
        more = f", and {len(troubles) - 1} more" if len(troubles) > 1 else ""
        return OF_HEALTH[state.health], f"{_sentence(troubles[0])}{more}."
    if state.health == "unknown":
        return OF_HEALTH[
            "unknown"
        ], f"{len(there)} of {len(state.stages)} stages are there; not looked at yet."
    whole = "All" if len(there) == len(state.stages) else f"{len(there)} of {len(state.stages)}"
    return WELL, f"{whole} stages are there and well."


def run_words(run: RunSummary, titles: Mapping[str, str], *, everything: int) -> str:
    """What a run was to do, in a few words; `everything` is how many stages there are."""
    verb = "Repair" if run.repairs else ACTION_WORDS[run.action]
    return f"{verb} {what_words(run.target, run.stages, titles, everything=everything)}"


def what_words(
    target: str | None, stages: Sequence[str], titles: Mapping[str, str], *, everything: int
) -> str:
    """A target, some stages or everything, in a few words."""
    if target:
        return f"target {target}"
    if not stages or len(stages) >= everything:
        return "everything"
    last = titles.get(stages[-1], stages[-1])
    return last if len(stages) == 1 else f"{last} and {len(stages) - 1} more"


def lasted(seconds: float | None) -> str:
    """A duration for people."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < HOUR_S:
        return f"{int(seconds // MINUTE_S)} min {int(seconds % MINUTE_S)} s"
    return f"{int(seconds // HOUR_S)} h {int(seconds % HOUR_S // MINUTE_S)} min"


def iso(moment: datetime | str) -> str:
    """A moment as HTML and JSON have it."""
    return moment if isinstance(moment, str) else moment.isoformat()


def time_of_day(moment: datetime) -> str:
    """Only the time of a moment."""
    return f"{moment:%H:%M:%S}"


def plural(count: int, one: str, many: str = "") -> str:
    """`1 stage`, `2 stages`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def first_in(names: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """Those of `names` that are wanted, in their order."""
    kept = set(wanted)
    return [name for name in names if name in kept]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".")
