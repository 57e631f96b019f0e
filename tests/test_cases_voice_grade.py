"""The marketing case as helpers.evaluate takes it: examples with their facts, one grader, the practitioner's prompt."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from helpers.cases.voice import check, never_said
from helpers.cases.voice_grade import DANGERS, examples, good_prompt, grader, messages
from helpers.cases.voice_judge import Judge, train_judge
from helpers.errors import Explained
from helpers.evaluate import Example
from helpers.workspace import read_jsonl, write_jsonl

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "voice"


@cache
def judge() -> Judge:
    return train_judge(SAMPLE / "judge.jsonl")


@cache
def held_out() -> list[Example]:
    return examples(SAMPLE, "test")


def right(example: Example) -> str:
    return str(example["messages"][-1]["content"])


def with_an_offer() -> Example:
    return next(e for e in held_out() if e["facts"]["offer"] and e["facts"]["channel"] == "email")


@pytest.mark.parametrize("split", ["train", "validation", "test", "test_new_kinds"])
def test_every_example_has_its_own_facts(split: str) -> None:
    found = examples(SAMPLE, split)
    assert messages(found) == read_jsonl(SAMPLE / f"{split}.jsonl")
    assert all(example["facts"]["name"] in right(example) for example in found)


def test_a_line_without_facts_is_named(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "test.jsonl", messages(held_out()[:2]))
    write_jsonl(tmp_path / "facts.jsonl", [held_out()[0]["facts"]])
    with pytest.raises(Explained, match=r"no facts for line 2 of test\.jsonl"):
        examples(tmp_path, "test")


def test_right_pieces_get_the_best_grades() -> None:
    for example in held_out()[:30]:
        grades = grader(judge())(right(example), example)
        assert grades["on_brand"] and grades["facts_kept"] == 1 and grades["channel_rules"] and grades["all_rules"]
        assert not any(grades[name] for name in DANGERS)
        assert grades.items() >= check(right(example), example["facts"]).items()


@pytest.mark.parametrize(
    ("fact", "danger"), [("price", "wrong_price"), ("code", "wrong_offer"), ("date", "wrong_offer")]
)
def test_a_wrong_promise_is_a_danger_of_its_own(fact: str, danger: str) -> None:
    example = with_an_offer()
    value = str((example["facts"] | example["facts"]["offer"])[fact])
    wrong = right(example).replace(value, "1 May" if fact == "date" else "9999" if fact == "price" else "SNAIL000")
    grades = grader(judge())(wrong, example)
    assert not grades[f"fact_{fact}"] and grades["facts_kept"] < 1
    assert {name for name in DANGERS if grades[name]} >= {danger}
    assert not grades["told_secret"]


def test_a_secret_told_is_a_danger() -> None:
    example = next(e for e in held_out() if e["facts"]["secret"])
    told = right(example).replace("The catch:", f"It is {example['facts']['secret'][0]}. The catch:")
    assert grader(judge())(told, example)["told_secret"]


def test_an_empty_piece_keeps_no_facts_and_is_not_on_brand() -> None:
    grades = grader(judge())("", with_an_offer())
    assert not grades["facts_kept"] and not grades["on_brand"] and not grades["channel_rules"]


def test_the_good_prompt_holds_every_habit_and_leaves_room_for_a_brief() -> None:
    prompt = good_prompt()
    for word in (
        "Nobody",
        "The catch:",
        "Keith (snail)",
        "quid",
        "#NobodyAsked #KeithWasHere",
        "| told in |",
        "14 words",
    ):
        assert word in prompt
    assert len(set(never_said().findall(prompt.split("Never said")[1]))) > 60
    assert len(prompt.split()) < 600
