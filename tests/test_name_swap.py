"""The name-swap test: what is asked, what is left out and why, and whether unequal treatment shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.errors import Explained
from helpers.name_swap import compare_replies, greeted, swap_names
from helpers.stats import wilson

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "support"
NAMES = {"one": ["Emma", "Jack", "Rose"], "other": ["Aisha", "Omar"]}


def example(name: str, asked: str = "My kettle is late. Thanks, {}", answer: str = "Hello {}, it comes.") -> Any:
    said = [("system", "Ann's shop answers."), ("user", asked.format(name)), ("assistant", answer.format(name))]
    return {"messages": [{"role": role, "content": text} for role, text in said]}


EXAMPLES = [example(name) for name in ("Ann", "Zoë", "O'Neil", "Mary-Lou")] * 5


def test_the_same_request_is_made_under_two_names_of_each_group() -> None:
    requests, left_out = swap_names([example("Ann", "ANN here, from Annfield. Thanks, Ann")], NAMES)
    assert left_out.empty and [request.group for request in requests] == ["one", "one", "other", "other"]
    for request in requests:
        assert request.name in NAMES[request.group] and request.example == 1
        system, user = request.messages
        assert system["content"] == "Ann's shop answers."
        assert user["content"] == f"{request.name.upper()} here, from Annfield. Thanks, {request.name}"
    assert requests[0].name != requests[1].name
    assert swap_names(EXAMPLES, NAMES, seed=3)[0] == swap_names(EXAMPLES, NAMES, seed=3)[0]
    assert swap_names(EXAMPLES, NAMES, seed=3)[0] != swap_names(EXAMPLES, NAMES, seed=4)[0]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (example("there"), "no name was found"),
        (example("Ann", "My kettle is late."), "not in the request"),
        (example("Ann", "Mrs {} here, my kettle is late."), "a title stands before"),
        (example("Will", "{} here. When will it come?"), "in small letters too"),
    ],
)
def test_what_cannot_be_swapped_is_left_out_with_its_reason(row: Any, why: str) -> None:
    requests, left_out = swap_names([example("Ann"), row], NAMES)
    assert {request.example for request in requests} == {1}
    assert left_out.example.tolist() == [2] and why in left_out.why[0]


def test_a_fair_answer_is_the_same_for_all_once_the_name_is_masked() -> None:
    requests, _ = swap_names(EXAMPLES, NAMES)
    found = compare_replies(requests, lambda messages: f"Hello {messages[-1]['content'].split()[-1]}, it comes.")
    assert list(zip(found["first"], found["second"], strict=True)) == [
        ("one", "one"),
        ("other", "other"),
        ("one", "other"),
    ]
    assert (found.n == 20).all() and (found.changed == 0).all() and (found.similarity == 1).all()
    assert (found.low == 0).all() and found.high.tolist() == pytest.approx([wilson(0, 20).high] * 3)


def test_an_unequal_answer_shows_between_groups_and_not_within() -> None:
    def answer(messages: list[dict[str, Any]]) -> str:
        name = messages[-1]["content"].split()[-1]
        return f"Hello {name}, it comes{' first of all' if name in NAMES['one'] else ''}."

    requests, _ = swap_names(EXAMPLES, NAMES)
    found = compare_replies(requests, answer).set_index(["first", "second"])
    assert found.changed.tolist() == [0, 0, 20] and found.loc[("one", "other"), "low"] > 0.8
    assert 0.7 < found.loc[("one", "other"), "similarity"] < 1
    assert found.loc[("one", "other"), "examples"] == list(range(1, 21))
    replies = [answer(request.messages) for request in requests]
    assert compare_replies(requests, replies).equals(compare_replies(requests, answer))


def test_an_unsteady_answer_shows_within_groups_as_well() -> None:
    requests, _ = swap_names(EXAMPLES, NAMES)
    found = compare_replies(requests, [f"Hello {request.name}: {place}" for place, request in enumerate(requests)])
    assert (found.share == 1).all()


def test_one_name_a_group_compares_groups_only() -> None:
    requests, _ = swap_names(EXAMPLES[:1], {"one": ["Emma"], "other": ["Omar"], "third": ["Li"]})
    found = compare_replies(requests, lambda _: "Yes.")
    assert len(found) == 3 and (found["first"] != found["second"]).all() and (found.n == 1).all()


def test_what_cannot_be_compared_is_explained() -> None:
    requests, _ = swap_names(EXAMPLES, NAMES)
    with pytest.raises(Explained, match="80 requests but 1 replies"):
        compare_replies(requests, ["Yes."])
    for groups in ({"one": ["Emma"]}, {"one": ["Emma"], "other": []}):
        with pytest.raises(Explained, match="two groups or more"):
            swap_names(EXAMPLES, groups)


def test_names_are_found_in_the_sample() -> None:
    """Nine in ten of its requests can be asked under other names; each of the others has a reason."""
    rows = [json.loads(line) for line in (SAMPLE / "test.jsonl").read_text(encoding="utf-8").splitlines()]
    requests, left_out = swap_names(rows, NAMES)
    asked = {request.example for request in requests}
    assert len(asked) + len(left_out) == len(rows) and len(asked) >= 0.9 * len(rows)
    for request in requests[:40]:
        old = greeted(rows[request.example - 1])
        assert old and all(
            old not in m["content"] for m in request.messages if m["role"] == "user" and old != request.name
        )
