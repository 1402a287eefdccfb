"""Asks an app about every case of a labelled set, a few at a time."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

from caspers.errors import CaspersError, Invalid, NotFound, Refused

from admin.evaluation.labelled_set import Case
from admin.evaluation.verdicts import UNAVAILABLE, Run

ADDRESS = "/agent/evaluate"

Post = Callable[[str, dict[str, Any]], Any]


def ask(cases: Sequence[Case], post: Post, *, in_flight: int) -> Iterator[tuple[Case, Run]]:
    """Every case with what came of it, in the order in which they end.

    A case that the app cannot answer now is one that nobody answered; that it does not know the address, refuses us or
    makes no sense of the facts is everybody's trouble: raises `NotFound`, `Refused` or `Invalid`.
    """
    with ThreadPoolExecutor(in_flight, thread_name_prefix="evaluation") as pool:
        asked = {pool.submit(_ask, case, post): case for case in cases}
        try:
            for done in as_completed(asked):
                yield asked[done], done.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _ask(case: Case, post: Post) -> Run:
    try:
        said = post(ADDRESS, case.facts)
    except (NotFound, Refused):
        raise
    except Invalid as error:
        raise Invalid(f"the app makes no sense of the facts of {case.name!r}: {error.message}") from error
    except CaspersError as error:
        return Run(UNAVAILABLE, error=error.message)
    return Run(
        outcome=said["outcome"],
        answer=said["answer"],
        error=said["error"],
        model=said["model"],
        agent_version=said["agent_version"],
        took_ms=said["took_ms"],
        turns=said["turns"],
        prompt_tokens=said["prompt_tokens"],
        completion_tokens=said["completion_tokens"],
    )
