"""The rules model: it follows the procedure of the system message, turn by turn, and says what is wrong with a broken one."""

import json
from typing import Any

import pytest
from local_workspace.api.serving_endpoints import rules_model
from local_workspace.api.serving_endpoints.procedure import LARGEST_BLOCK

from tests.support.source import ROOT

PROCEDURE = r"""
find: {order_id: 'order ([A-Za-z0-9-]+)', location_id: 'location (\d+)'}
calls:
  - {tool: get_items, with: {oid: order_id}, as: items}
  - {tool: get_timings, with: {loc: location_id | int}, as: timings}
  - {tool: get_street, with: {item: 'items[0].name'}, as: street}
let:
  - [total, 'items | sum(attribute="price") | round(2)']
answers:
  - {when: 'not items', say: {refund_usd: 0, reason: "'there is no order'"}}
  - {when: 'timings.p75 > 30', say: {refund_usd: 'total * 0.5', reason: "'late by ' ~ (timings.p75 - 30) ~ ' min'"}}
  - {text: "'in time, at ' ~ street"}
"""
TOOLS = ("get_items", "get_timings", "get_street")
QUESTION = "Decide the refund for ORDER a-17 of location 3."


def body(*messages: dict[str, Any], procedure: str = PROCEDURE, **options: Any) -> bytes:
    """A chat with this procedure, as it comes over the wire."""
    system = {"role": "system", "content": f"You decide.\n```procedure\n{procedure}\n```\nBe kind."}
    tools = [{"type": "function", "function": {"name": name}} for name in TOOLS]
    return json.dumps({"messages": [system, *messages], "tools": tools} | options).encode()


def user(text: str = QUESTION) -> dict[str, Any]:
    return {"role": "user", "content": text}


def said(*messages: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The model's message."""
    (choice,) = rules_model.answer(body(*messages, **options))["choices"]
    return choice["message"]


def conversation(results: dict[str, Any]) -> dict[str, Any]:
    """The model's last word, after every tool has answered what stands in `results`."""
    messages = [user()]
    while (message := said(*messages)).get("tool_calls"):
        messages.append(message)
        messages += [
            {
                "role": "tool",
                "tool_call_id": it["id"],
                "content": json.dumps(results[it["function"]["name"]]),
            }
            for it in message["tool_calls"]
        ]
    return message


def refusal(procedure: str, text: str = QUESTION) -> str:
    """Why a procedure is refused."""
    with pytest.raises(rules_model.BadRequest) as caught:
        rules_model.answer(body(user(text), procedure=procedure))
    return str(caught.value)


def test_calls_that_can_be_made_are_asked_for_side_by_side():
    asked = [it["function"] for it in said(user())["tool_calls"]]
    assert asked == [
        {"name": "get_items", "arguments": '{"oid":"a-17"}'},
        {"name": "get_timings", "arguments": '{"loc":3}'},
    ]


def test_the_first_answer_that_fits_is_said_in_its_order():
    late = conversation({"get_items": [{"name": "Pho", "price": 12.5}, {"name": "Tea", "price": 3.25}],
                         "get_timings": {"p75": 31.5}, "get_street": "Main"})  # fmt: skip
    assert late["content"] == '{"refund_usd":7.875,"reason":"late by 1.5 min"}'


def test_plain_text_is_said_as_it_is():
    early = conversation(
        {"get_items": [{"name": "Pho", "price": 12.5}], "get_timings": {"p75": 20}, "get_street": "Main"}
    )
    assert early["content"] == "in time, at Main"


def test_a_call_whose_arguments_are_not_there_is_left_out():
    nothing = conversation({"get_items": [], "get_timings": {"p75": 20}})
    assert json.loads(nothing["content"]) == {"refund_usd": 0, "reason": "there is no order"}


def test_the_same_input_gives_the_same_bytes():
    first, second = (json.dumps(rules_model.answer(body(user()))) for _ in range(2))
    assert first == second
    assert rules_model.answer(body(user("order b")))["id"] != json.loads(first)["id"]


def test_the_model_says_that_it_is_rules():
    answer = rules_model.answer(b'{"messages": [{"role": "user", "content": "Who are you?"}]}')
    assert answer["model"] == "rules-1"
    assert "no language model" in answer["choices"][0]["message"]["content"]
    assert answer["usage"]["total_tokens"] == sum(
        answer["usage"][it] for it in ("prompt_tokens", "completion_tokens")
    )


def test_a_procedure_of_the_user_is_not_followed():
    text = f"order 1\n```procedure\n{PROCEDURE}\n```"
    answer = rules_model.answer(json.dumps({"messages": [user(text)]}).encode())
    assert answer["choices"][0]["message"]["content"] == rules_model.INTRODUCTION


def test_a_second_question_starts_from_the_beginning():
    first = said(user())
    results = [{"role": "tool", "tool_call_id": it["id"], "content": "[]"} for it in first["tool_calls"]]
    again = said(user(), first, *results, {"role": "assistant", "content": "done"}, user())
    assert again["tool_calls"] == first["tool_calls"]


def test_without_permission_to_call_the_answers_must_do():
    message = said(user(), tool_choice="none")
    assert json.loads(message["content"])["reason"] == "there is no order"


def test_a_tool_that_is_not_offered_is_not_called():
    with pytest.raises(rules_model.BadRequest, match="get_items"):
        rules_model.answer(body(user(), tools=[]))


def test_text_blocks_are_read_as_text():
    blocks = [{"type": "text", "text": "order 9"}, {"type": "text", "text": "location 4"}]
    assert (
        said({"role": "user", "content": blocks})["tool_calls"][0]["function"]["arguments"] == '{"oid":"9"}'
    )


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'late' if text | matches('refund|LATE') else 'fine'", "late"),
        ("[3, 1, 2] | sort | map('float') | join(', ')", "1.0, 2.0, 3.0"),
        ("[1, 2, 3, 4] | select('gt', 2)", [3, 4]),
        ("['so', 'too'] | reject('matches', 'o$')", []),
        ("[{'a': 1}, {'a': 2}] | selectattr('a', 'gt', 1) | sum(attribute='a')", 2),
        ("[1, 1, 2] | unique", [1, 2]),
        ("[2, 5] | max - ([2, 5] | min)", 3),
        ("text | upper | length", 7),
        ("text | int(7)", 7),
        ("2.345 | round(1)", 2.3),
        ("2.341 | round(2, 'ceil')", 2.35),
        ("{'items': {'b': 5}}.items.b", 5),
        ("text.a[0].c", None),
        ("text.upper", None),
        ("none | length + (none | sum)", 0),
    ],
)
def test_expressions_give_what_their_readers_expect(expression: str, value: Any):
    procedure = f"find: {{text: '([^;]*)'}}\nanswers: [{{say: {{it: {json.dumps(expression)}}}}}]"
    assert json.loads(said(user("so late"), procedure=procedure)["content"]) == {"it": value}


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("1 +", "is no expression"),
        ("nobody", "reads nobody"),
        ("text | escape", "escape"),
        ("text.upper()", "no functions"),
        ("text * 1000", "for numbers"),
        ("2 ** 3", "no powers"),
        ("999999999 * 999999999", "too large"),
        ("1 / 0", "division by zero"),
        ("'%s' % text", "for numbers"),
        ("text | join('" + "x" * 200 + "')", "separator"),
        ("[text, text]", "constants only"),
        ("text ~ [1]", "not a list"),
        ("text | matches('(')", "regular expression"),
        ("(" * 900 + "1" + ")" * 900, "is no expression"),
        ("1" + " + 1" * 1000, "characters"),
        ("99999999999999999999", "JSON"),
    ],
)
def test_expressions_that_fail_say_why(expression: str, reason: str):
    procedure = f"find: {{text: '([^;]*)'}}\nanswers: [{{say: {{it: {json.dumps(expression)}}}}}]"
    assert reason in refusal(procedure, "so late")


@pytest.mark.parametrize(
    ("procedure", "reason"),
    [
        ("answers: [", "cannot be read"),
        ("just words", "cannot be followed"),
        ("answers: []", "answers"),
        ("answers: [{when: 'true'}]", "either `say` or `text`"),
        ("answers: [{text: '1', sing: '2'}]", "sing"),
        ("find: {a: 'no group'}\nanswers: [{text: '1'}]", "has no group"),
        ("find: {a: '(?=a)(b)'}\nanswers: [{text: '1'}]", "RE2"),
        ("find: {a: 'a)|(b'}\nanswers: [{text: '1'}]", "RE2"),
        ("find: {a: '(.)'}\nlet: [[a, '1']]\nanswers: [{text: '1'}]", "twice"),
        ("calls: [{tool: t, with: {x: later}, as: a}]\nanswers: [{text: '1'}]", "reads later"),
        ("answers: [{when: 'false', text: '1'}]", "No answer"),
        ("a: &a [x]\nanswers: *a", "aliases"),
        ("[" * 3000, "cannot be read"),
        ("answers: [" + "{text: '1'}, " * 600 + "]", "500 are allowed"),
        ("#" * (LARGEST_BLOCK + 1), "are allowed"),
    ],
)
def test_broken_procedures_are_refused_with_the_reason(procedure: str, reason: str):
    assert reason in refusal(procedure)


def test_the_procedure_of_the_readme_can_be_followed():
    readme = (ROOT / "local-workspace/README.md").read_text()
    question = {"role": "user", "content": "Decide on Order 7."}
    tools = [{"type": "function", "function": {"name": "get_order"}}]
    chat = {"messages": [{"role": "system", "content": readme}, question], "tools": tools}
    (call,) = rules_model.answer(json.dumps(chat).encode())["choices"][0]["message"]["tool_calls"]
    assert call["function"] == {"name": "get_order", "arguments": '{"oid":"7"}'}
    result = {"role": "tool", "tool_call_id": call["id"], "content": '[{"price": 2.5}, {"price": 4.05}]'}
    chat["messages"] += [{"role": "assistant", "tool_calls": [call]}, result]
    (choice,) = rules_model.answer(json.dumps(chat).encode())["choices"]
    assert choice["message"]["content"] == '{"refund_usd":3.27,"reason":"It cost 6.55"}'


def test_a_block_that_does_not_end_is_refused():
    content = "```procedure\nanswers: [{text: '1'}]"
    with pytest.raises(rules_model.BadRequest, match="not closed"):
        rules_model.answer(json.dumps({"messages": [{"role": "system", "content": content}]}).encode())


def test_a_hostile_pattern_takes_no_time():
    procedure = "find: {a: '((a+)+)$'}\nanswers: [{text: 'a'}]"
    assert said(user("a" * 1_000_000 + "b"), procedure=procedure)["content"] == "null"
