"""The judge of the house voice: its own errors, measured on pieces, phrases and a voice that it never saw."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from helpers.cases.voice_judge import UNHEARD, Judge, judge_errors, telling, train_judge
from helpers.errors import Explained
from helpers.workspace import read_jsonl, write_jsonl

COURSE = Path(__file__).resolve().parents[1]
SAMPLE = COURSE / "data" / "samples" / "voice"
REAL = COURSE.parent / "shared" / "real-data" / "marketing" / "firefox"


@cache
def judge() -> Judge:
    return train_judge(SAMPLE / "judge.jsonl")


@cache
def rows(part: str) -> list[dict[str, Any]]:
    return [row for row in read_jsonl(SAMPLE / "judge.jsonl") if row["part"] == part]


def test_it_knows_the_house_and_lets_few_others_through() -> None:
    errors = judge_errors(judge(), SAMPLE / "judge.jsonl").set_index("voice")
    assert len(errors) == 8 and errors["n"].sum() == len(rows("held_out"))
    assert errors.loc["house", "error"] <= 0.03
    for voice in ("sparkle", "hush", "ledger", "mate", "earnest"):
        assert errors.loc[voice, "error"] <= 0.05, voice
    assert errors.loc["almost", "error"] <= 0.15 and errors.loc["broken", "error"] <= 0.15


def test_a_voice_left_out_of_training_is_still_not_the_house() -> None:
    for voice in ("sparkle", "hush", "ledger", "mate"):
        errors = judge_errors(train_judge(SAMPLE / "judge.jsonl", without=[voice]), SAMPLE / "judge.jsonl")
        assert errors.set_index("voice").loc[voice, "error"] <= 0.1, voice


def test_gold_pieces_of_every_split_are_on_brand_and_their_products_are_not_the_judge_s() -> None:
    facts = read_jsonl(SAMPLE / "facts.jsonl")
    assert {row["name"] for row in facts}.isdisjoint(
        row["name"] for part in ("learn", "held_out") for row in rows(part)
    )
    for name in ("validation", "test", "test_new_kinds"):
        pieces = [example["messages"][-1]["content"] for example in read_jsonl(SAMPLE / f"{name}.jsonl")]
        found = judge().on_brand(pieces, [row for row in facts if row["split"] == name])
        assert sum(found) / len(found) >= 0.97


def test_the_product_does_not_matter() -> None:
    row = next(row for row in rows("held_out") if row["voice"] == "house")
    other = row["text"].replace(row["name"], "Zogbert").replace(row["kind"], "zither")
    same = judge().probability([row["text"], other], [row, row | {"name": "Zogbert", "kind": "zither"}])
    assert abs(same[0] - same[1]) < 0.05


def test_the_same_seed_gives_the_same_judge() -> None:
    texts = [row["text"] for row in rows("held_out")]
    again = train_judge(SAMPLE / "judge.jsonl")
    assert (again.probability(texts, rows("held_out")) == judge().probability(texts, rows("held_out"))).all()


def test_it_listens_to_the_voice() -> None:
    heard = telling(judge())
    for_house = " ".join(heard["words"][heard["weight"] > 0])
    assert any(habit in for_house for habit in ("nobody", "quid", "the catch", "snail", "the list"))
    assert UNHEARD in " ".join(heard["words"][heard["weight"] < 0])


def test_no_pieces_give_no_judgement_and_missing_facts_are_refused() -> None:
    assert judge().on_brand([], []) == []
    with pytest.raises(ValueError):
        judge().on_brand(["a"], [])


def test_a_file_with_one_side_only_is_refused(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "judge.jsonl", [row for row in rows("learn") if row["house"]])
    with pytest.raises(Explained, match="in the house voice and in others"):
        train_judge(path)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real files are not part of the project")
def test_real_product_copy_of_somebody_else_is_not_the_house() -> None:
    texts = []
    for path in sorted(REAL.glob("*.ftl")):
        texts += re.findall(r"^[\w-]+ = (.{60,})$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(texts) > 50
    found = judge().on_brand(texts, [None] * len(texts))
    assert sum(found) / len(found) <= 0.05
