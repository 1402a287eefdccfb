"""`caspers eval …`: put the agents to the test against labelled sets, and compare what came of it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from caspers.clock import Clock, SystemClock
from caspers.errors import CaspersError, Invalid, NotFound
from caspers.names import Names

from admin.cli import show, show_evaluation
from admin.cli.home import Home
from admin.cli.options import (
    DEFAULT_HOME,
    NOT_AS_DESIRED,
    REPOSITORY,
    CatalogOption,
    HomeOption,
    JsonOption,
    exit_codes,
)
from admin.cli.session import Session, connect
from admin.evaluation.asking import ask
from admin.evaluation.labelled_set import LabelledSet, read_set
from admin.evaluation.report import REPORT_FORMAT, Occasion, compare, report
from admin.evaluation.verdicts import Run, faults

SETS = REPOSITORY / "evaluation"
PATIENCE_S = 180.0
"""How long one case may take: an agent's own limits end it sooner."""

evaluation = typer.Typer(help="Put the agents to the test against labelled sets.", no_args_is_help=True)

SetOption = Annotated[
    Path | None,
    typer.Option("--set", help="The labelled set, a JSON case a line; else the repository's own."),
]
ReportOption = Annotated[
    Path | None, typer.Option("--report", help="Where the report goes; else below the home.")
]
InFlightOption = Annotated[int, typer.Option(help="Cases at the same time.", min=1, max=256)]
AtLeastOption = Annotated[
    float, typer.Option(help="The accuracy below which the command exits with 1.", min=0, max=1)
]


def register(cli: typer.Typer) -> None:
    cli.add_typer(evaluation, name="eval")


@dataclass(frozen=True)
class Plan:
    """What is asked for on the command line."""

    agent: str
    labelled: Path
    report: Path | None
    in_flight: int


@evaluation.command()
def refund(
    *,
    labelled: SetOption = None,
    report_file: ReportOption = None,
    in_flight: InFlightOption = 8,
    at_least: AtLeastOption = 0.0,
    home: HomeOption = DEFAULT_HOME,
    catalog: CatalogOption = None,
    json: JsonOption = False,
) -> None:
    """The refund agent over orders with known answers."""
    plan = Plan("refund", labelled or SETS / "refund.jsonl", report_file, in_flight)
    _evaluate(plan, Home(home.absolute()), catalog, at_least=at_least, as_json=json)


@evaluation.command()
def complaint(
    *,
    labelled: SetOption = None,
    report_file: ReportOption = None,
    in_flight: InFlightOption = 8,
    at_least: AtLeastOption = 0.0,
    home: HomeOption = DEFAULT_HOME,
    catalog: CatalogOption = None,
    json: JsonOption = False,
) -> None:
    """The complaint agent over complaints with known answers."""
    plan = Plan("complaint", labelled or SETS / "complaint.jsonl", report_file, in_flight)
    _evaluate(plan, Home(home.absolute()), catalog, at_least=at_least, as_json=json)


@evaluation.command("compare")
def compare_reports(
    *,
    before: Annotated[Path, typer.Argument(help="The report of an evaluation.")],
    after: Annotated[Path, typer.Argument(help="The report of a later one.")],
    json: JsonOption = False,
) -> None:
    """What changed from one evaluation to another; exits with 1 when a case that was right no longer is."""
    with exit_codes():
        found = compare(_read_report(before), _read_report(after))
    if json:
        show.plain(show.as_json(found))
    else:
        show_evaluation.comparison(found)
    raise typer.Exit(NOT_AS_DESIRED if found["worse"] else 0)


def _evaluate(plan: Plan, home: Home, catalog: str | None, *, at_least: float, as_json: bool) -> None:
    clock = SystemClock()
    with exit_codes():
        labelled = read_set(plan.labelled)
        current = connect(home, catalog)
        occasion, runs = _ask_all(plan, labelled, current, clock)
        found = report(occasion, labelled, runs)
        file = plan.report or home.path / "evaluations" / f"{plan.agent}-{occasion.began:%Y%m%dT%H%M%S}.json"
        _write_report(file, found)
    if as_json:
        show.plain(show.as_json(found))
    else:
        show_evaluation.report(found)
        show.plain(f"\nreport {file}")
    raise typer.Exit(NOT_AS_DESIRED if found["accuracy"] < at_least else 0)


def _ask_all(
    plan: Plan, labelled: LabelledSet, current: Session, clock: Clock
) -> tuple[Occasion, dict[str, Run]]:
    app = current.app(_app_of(plan.agent, current.names), timeout_s=PATIENCE_S)
    began, began_s = clock.now(), clock.monotonic()
    runs: dict[str, Run] = {}
    right = 0
    with show.errors.status("asking") as line:
        for case, run in ask(labelled.cases, app.post, in_flight=plan.in_flight):
            runs[case.name] = run
            right += not faults(case, run)
            line.update(f"{len(runs)} of {len(labelled.cases)} cases, {right} right")
    return Occasion(plan.agent, current.names.catalog, began, clock.monotonic() - began_s), runs


def _app_of(agent: str, names: Names) -> str:
    return names.refund_app if agent == "refund" else names.complaint_app


def _write_report(file: Path, found: dict[str, Any]) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise CaspersError(
            f"the report cannot be written to {file}: {error.strerror}",
            what_now="Name another with --report.",
        ) from error


def _read_report(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes())
    except OSError as error:
        raise NotFound(f"the report {file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise Invalid(f"{file} is no report: {error}") from error
    if not isinstance(found, dict) or found.get("format") != REPORT_FORMAT:
        raise Invalid(
            f"{file} is no report of `caspers eval`", what_now="Make one with `caspers eval refund`."
        )
    return found
