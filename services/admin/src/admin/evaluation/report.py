"""The report of an evaluation as plain JSON: what was right by branch, what was taken for what, cost and time. Pure.

Two reports can be compared, case by case.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from caspers.errors import Invalid

from admin.evaluation.labelled_set import Case, Conditions, Expectation, LabelledSet
from admin.evaluation.verdicts import Run, faults

Report = Mapping[str, Any]

CONFUSED: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "refund": (("refund_class",),),
    "complaint": (("decision", "priority"), ("complaint_category",)),
}
"""By agent, the fields whose values together say what a case was taken for; a table for each."""

REPORT_FORMAT = 1


@dataclass(frozen=True)
class Occasion:
    """When and of what an evaluation was made."""

    agent: str
    catalog: str
    began: datetime
    took_s: float


def report(occasion: Occasion, labelled: LabelledSet, runs: Mapping[str, Run]) -> dict[str, Any]:
    """The report about a set, given what came of each case by its name."""
    results = [_result(case, runs[case.name]) for case in labelled.cases]
    return {
        "format": REPORT_FORMAT,
        "agent": occasion.agent,
        "catalog": occasion.catalog,
        "began": occasion.began.isoformat(),
        "took_s": round(occasion.took_s, 2),
        "set": {"name": labelled.name, "digest": labelled.digest, "cases": len(results)},
        "models": sorted({run.model for run in runs.values() if run.model}),
        "agent_versions": sorted({run.agent_version for run in runs.values() if run.agent_version}),
        "right": sum(result["right"] for result in results),
        "accuracy": _accuracy(results),
        "by_branch": _by_branch(results),
        "confusion": [
            _confusion(labelled.cases, runs, fields) for fields in CONFUSED.get(occasion.agent, ())
        ],
        "cost": _cost(list(runs.values())),
        "results": results,
    }


def compare(before: Report, after: Report) -> dict[str, Any]:
    """What changed from one report to the next, over the cases that both have.

    Raises:
        Invalid: they are about different agents.
    """
    if before["agent"] != after["agent"]:
        raise Invalid(
            f"one report is about the {before['agent']} agent, the other about the {after['agent']} agent",
            what_now="Compare two evaluations of the same agent.",
        )
    was, now = _right_by_name(before), _right_by_name(after)
    both = [name for name in now if name in was]
    return {
        "agent": after["agent"],
        "same_set": before["set"]["digest"] == after["set"]["digest"],
        "cases": len(both),
        "only_one_has": sorted(was.keys() ^ now.keys()),
        "worse": [name for name in both if was[name] and not now[name]],
        "better": [name for name in both if now[name] and not was[name]],
        "accuracy": _pair(before, after, "accuracy"),
        "took_s": _pair(before, after, "took_s"),
        "by_branch": {
            branch: [_share(each["by_branch"].get(branch)) for each in (before, after)]
            for branch in dict.fromkeys([*before["by_branch"], *after["by_branch"]])
        },
        "cost": {name: [before["cost"][name], after["cost"][name]] for name in after["cost"]},
    }


def _result(case: Case, run: Run) -> dict[str, Any]:
    wrong = faults(case, run)
    return {
        "name": case.name,
        "branch": case.branch,
        "right": not wrong,
        "faults": wrong,
        "expected": case.model_dump(mode="json", by_alias=True, exclude_none=True)["expected"],
        **asdict(run),
    }


def _by_branch(results: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    branches = dict.fromkeys(result["branch"] for result in results)
    grouped = {branch: [each for each in results if each["branch"] == branch] for branch in branches}
    return {
        branch: {
            "cases": len(those),
            "right": sum(each["right"] for each in those),
            "accuracy": _accuracy(those),
        }
        for branch, those in grouped.items()
    }


def _confusion(cases: Iterable[Case], runs: Mapping[str, Run], fields: tuple[str, ...]) -> dict[str, Any]:
    """How often what people expect was taken for what; cases that may be several things count as the first."""
    pairs = Counter(
        (_expected_label(case, fields), _label(runs[case.name], fields))
        for case in cases
        if _has(case, fields)
    )
    wanted: dict[str, dict[str, int]] = {}
    for (expected, found), count in sorted(pairs.items()):
        wanted.setdefault(expected, {})[found] = count
    return {"fields": list(fields), "counts": wanted}


def _has(case: Case, fields: tuple[str, ...]) -> bool:
    return "outcome" in case.expected or any(name in case.fields for name in fields)


def _expected_label(case: Case, fields: tuple[str, ...]) -> str:
    if "outcome" in case.expected:
        return case.outcome
    return _joined(_first(case.fields.get(name)) for name in fields)


def _label(run: Run, fields: tuple[str, ...]) -> str:
    answer = run.answer
    return run.outcome if answer is None else _joined(answer.get(name) for name in fields)


def _joined(values: Iterable[Any]) -> str:
    return ", ".join(str(value) for value in values if value is not None)


def _first(wanted: Expectation) -> Any:
    if isinstance(wanted, Conditions):
        return wanted.one_of[0] if wanted.one_of else None
    return wanted


def _cost(runs: Sequence[Run]) -> dict[str, float]:
    times = sorted(run.took_ms for run in runs)
    return {
        "prompt_tokens": sum(run.prompt_tokens for run in runs),
        "completion_tokens": sum(run.completion_tokens for run in runs),
        "turns": sum(run.turns for run in runs),
        "median_ms": times[len(times) // 2],
        "slowest_ms": times[-1],
    }


def _accuracy(results: Sequence[Mapping[str, Any]]) -> float:
    return round(sum(result["right"] for result in results) / len(results), 4)


def _right_by_name(of: Report) -> dict[str, bool]:
    return {result["name"]: result["right"] for result in of["results"]}


def _pair(before: Report, after: Report, name: str) -> list[float]:
    return [before[name], after[name]]


def _share(branch: Mapping[str, Any] | None) -> float | None:
    return None if branch is None else branch["accuracy"]
