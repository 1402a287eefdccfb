"""The coverage in one document, for people: the page's twin."""

from local_workspace.coverage.calls import FULL, OWN, PARTIAL, REFUSED, Call, Family, tally

HEAD = """\
# What the local workspace can do

<!-- Written by tools/workspace_coverage.py from local_workspace/coverage; a running workspace shows the same at /coverage. -->

Every call of the REST API that the local workspace answers, how far it is like the platform's, and a contract test that
exercises it through a real client. *Full* is as the platform does it as far as we know; *partial* says what is missing;
*refused* calls, and all that are not named here, are answered 501 `NOT_IMPLEMENTED`; *own* calls are the local workspace's.
"""
LIKENESSES = (FULL, PARTIAL, REFUSED, OWN)
NOT_SHOWN = "no contract test is recorded for it"


def as_markdown(families: tuple[Family, ...], shown: dict[str, str]) -> str:
    """The document."""
    parts = [HEAD, _summary(families, shown)]
    for family in families:
        rows = "\n".join(_row(call, shown) for call in family.calls)
        parts.append(
            f"## {family.name}\n\n| call | SDK | likeness | contract test |\n|---|---|---|---|\n{rows}\n"
        )
    return "\n".join(parts)


def shown_by(call: Call, shown: dict[str, str]) -> str:
    """The contract test of a call, or that there is none; nothing for calls that are refused."""
    return "" if call.likeness == REFUSED else shown.get(str(call), NOT_SHOWN)


def _summary(families: tuple[Family, ...], shown: dict[str, str]) -> str:
    head = (
        f"| family | calls | {' | '.join(LIKENESSES)} | exercised |\n|---|{'---:|' * (len(LIKENESSES) + 2)}"
    )
    rows: list[str] = []
    for family in families:
        counted = tally(family.calls, shown)
        numbers = " | ".join(str(counted.by_likeness.get(likeness, 0)) for likeness in LIKENESSES)
        rows.append(f"| {family.name} | {counted.calls} | {numbers} | {counted.exercised} |")
    return "\n".join([head, *rows]) + "\n"


def _row(call: Call, shown: dict[str, str]) -> str:
    likeness = f"{call.likeness}: {call.missing}" if call.missing else call.likeness
    test = shown_by(call, shown)
    named = f"`{test.removeprefix('tests/contract/')}`" if "::" in test else test
    sdk = f"`{call.sdk}`" if call.sdk else ""
    return f"| `{call}` | {sdk} | {likeness} | {named} |"
