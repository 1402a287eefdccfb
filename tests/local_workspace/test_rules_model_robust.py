"""Whatever a chat holds, the rules model answers it or refuses it with a reason; it never fails and never hangs."""

import json
from contextlib import suppress
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from local_workspace.api.serving_endpoints import rules_model

plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
anything = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
atoms = st.sampled_from(
    [
        "a",
        "b",
        "got",
        "got[0]",
        "got.x",
        "1",
        "0",
        "2.5",
        "'t'",
        "none",
        "true",
        "[1, 'x']",
        "{'x': 1}",
        "a.b.c",
    ]
)
filters = st.sampled_from(
    [
        "round",
        "int",
        "float",
        "min",
        "max",
        "sum",
        "length",
        "join",
        "lower",
        "upper",
        "default",
        "sort",
        "unique",
        "map('int')",
        "map(attribute='x')",
        "select('gt',0)",
        "reject('none')",
        "selectattr('x')",
        "rejectattr('x','matches','a')",
        "matches('a+')",
        "matches(a)",
        "sum('x')",
        "join(a)",
        "round(a)",
        "round(2,'floor')",
        "default(b)",
        "map('nothing')",
        "select('matches','(')",
        "int(a)",
    ]
)
expressions = st.recursive(
    atoms,
    lambda inner: (
        st.tuples(inner, filters).map(" | ".join)
        | st.tuples(
            inner,
            st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "~", "<", "==", "in", "and", "or"]),
            inner,
        ).map(" ".join)
        | inner.map("({})".format)
        | inner.map("not {}".format)
        | st.tuples(inner, inner).map(lambda two: f"{two[0]} if {two[1]} else {two[0]}")
        | st.tuples(inner, inner).map(lambda two: f"({two[0]})[{two[1]}]")
    ),
    max_leaves=6,
)
procedures = st.fixed_dictionaries(
    {
        "find": st.fixed_dictionaries(
            {"a": st.sampled_from(["(.*)", r"(\d+)", "x(y)?"]), "b": st.just("b(.)")}
        ),
        "calls": st.just([{"tool": "t", "with": {"x": "1"}, "as": "got"}]),
        "let": st.lists(st.tuples(st.sampled_from(["c", "d"]), expressions).map(list), max_size=2),
        "answers": st.lists(
            st.fixed_dictionaries({"when": expressions, "text": expressions})
            | st.fixed_dictionaries({"say": st.dictionaries(st.text(max_size=5), expressions, max_size=2)}),
            min_size=1,
            max_size=3,
        ),
    }
)


def answered_or_refused(body: bytes) -> None:
    with suppress(rules_model.BadRequest):
        assert json.dumps(rules_model.answer(body))


@settings(max_examples=300, deadline=2000)
@given(st.binary(max_size=200) | anything.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_answered_or_refused(body: bytes):
    answered_or_refused(body)


@settings(max_examples=300, deadline=2000)
@given(st.text(max_size=300), anything, anything)
def test_any_messages_are_answered_or_refused(block: str, content: Any, odd: Any):
    messages = [
        {"role": "system", "content": f"```procedure\n{block}\n```"},
        {"role": "user", "content": content},
        {"role": "assistant", "content": None, "tool_calls": odd},
    ]
    answered_or_refused(json.dumps({"messages": messages, "tools": odd}).encode())
    answered_or_refused(json.dumps({"messages": messages[:1]}).encode())


@settings(max_examples=600, deadline=2000)
@given(procedures, st.text(max_size=40), anything | st.text(max_size=20))
def test_any_procedure_over_any_result_is_answered_or_refused(
    procedure: dict[str, Any], text: str, result: Any
):
    call = {"id": "1", "type": "function", "function": {"name": "t", "arguments": '{"x": 1}'}}
    messages = [
        {"role": "system", "content": f"```procedure\n{yaml.safe_dump(procedure)}\n```"},
        {"role": "user", "content": text},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": json.dumps(result)},
    ]
    answered_or_refused(json.dumps({"messages": messages}).encode())
