"""Grades: a right reply has them all, and each grade falls for what it is about and not for the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers.evaluate import gold
from helpers.score import GRADES, coherent, compare, rates, repeats, rules_kept, score_support

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "support"
TICKET = {"intent": "mend", "order": "LM-12345", "product": "Tarn kettle", "priority": "normal", "action": "book_mend"}
PROSE = (
    "Hello Bo, LM-12345 and the Tarn kettle are on the bench. Mends are free for 4 years, then 18 pounds. "
    "Next: we offer a bench slot in 3 days.\nFrom the bench, Lindermoor"
)
RIGHT = f"{json.dumps(TICKET)}\n{PROSE}"
EXAMPLE = {
    "messages": [
        {"role": "user", "content": "Bo here. My Tarn kettle, LM-12345, went quiet after two years."},
        {"role": "assistant", "content": RIGHT},
    ]
}


def examples(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SAMPLE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def grades(reply: str) -> dict[str, bool]:
    return score_support([reply], [EXAMPLE]).iloc[0][GRADES].to_dict()


@pytest.mark.parametrize("name", ["train", "validation", "test", "test_new_phrasings"])
def test_right_replies_have_every_grade(name: str) -> None:
    rows = examples(name)
    frame = score_support(gold(rows), rows)
    assert len(frame) == len(rows) and frame.dtypes.eq(bool).all()
    assert frame.all().all()


def test_replies_to_somebody_else_are_coherent_and_neither_accurate_nor_relevant() -> None:
    rows = examples("test")
    replies = gold(rows)
    frame = score_support([*replies[1:], replies[0]], rows)
    assert frame.coherence.all() and not frame.house_compliant.any()
    assert frame.accuracy.mean() == 0 and frame.relevance.mean() < 0.1


OTHER_TICKET = json.dumps(TICKET | {"action": "send_label"})


@pytest.mark.parametrize(
    ("reply", "accuracy", "relevance", "coherence"),
    [
        (RIGHT, True, True, True),
        (RIGHT.replace("Hello Bo", "Hello Ann"), False, True, True),
        (RIGHT.replace("LM-12345", "LM-12346"), False, False, True),
        (RIGHT.replace("Tarn kettle", "Fosse fan"), False, False, True),
        (RIGHT.replace("the Tarn kettle", "your thing").replace('"Tarn kettle"', "null"), False, True, True),
        (RIGHT.replace("book_mend", "send_label"), False, True, True),
        (RIGHT.replace('"mend"', '"unsafe"'), False, False, True),
        (PROSE, False, True, True),  # no ticket line: the policy sentence still shows the matter
        (RIGHT.replace("}", ""), False, True, True),  # nor can this one be read
        (RIGHT[:-40], True, True, False),  # cut off
        (RIGHT.replace("From the bench, Lindermoor", "Mends are free for 4 years, then 18 pounds."), True, True, False),
        ("", False, False, False),
        ("I do not know.", False, False, False),
    ],
)
def test_each_grade_is_about_its_own_matter(reply: str, accuracy: bool, relevance: bool, coherence: bool) -> None:
    assert grades(reply) == {"accuracy": accuracy, "relevance": relevance, "coherence": coherence}


def test_coherence_does_not_ask_for_the_house_style() -> None:
    letter = (
        "Dear Bo, thank you for writing to us about your kettle. We are sorry that it broke so soon, and would like to "
        "look at it in our workshop. Could you bring it round next week?\nKind regards, Ann"
    )
    assert coherent(letter)
    assert not coherent(letter.removesuffix("?\nKind regards, Ann"))
    assert not coherent(letter.replace("Ann", "Ann and everybody else who works here with me on"))
    assert not coherent(" ".join([letter] * 3))


def test_the_share_of_rules_kept_counts_rules_and_nothing_else() -> None:
    graded = score_support([RIGHT, RIGHT.replace("Hello", "Hi")], [EXAMPLE, EXAMPLE])
    rules = [name for name in graded if name.startswith("rule_")]
    broken = len(rules) - int(graded[rules].iloc[1].sum())
    assert len(rules) == 14 and broken > 0
    assert rules_kept(graded)["rules_kept"].tolist() == [1.0, pytest.approx(1 - broken / 14)]


def test_repetition_is_found() -> None:
    assert repeats("The van is late. We are sorry. The van is late.")
    assert repeats("we will send the van out to you and we will send the van out to him")
    assert not repeats("Yes. Yes. We will send the van. We will send the label.")


def test_unequal_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="one reply an example"):
        score_support([RIGHT], [EXAMPLE, EXAMPLE])


def test_rates_have_intervals() -> None:
    frame = score_support([RIGHT] * 9 + [""], [EXAMPLE] * 10)
    found = rates(frame, ["house_compliant", *GRADES])
    assert list(found.columns) == ["metric", "value", "low", "high", "n", "failed"]
    assert found.value.tolist() == [0.9] * 4 and found.n.tolist() == [10] * 4
    assert (found.low.between(0.55, 0.65) & found.high.between(0.95, 1)).all()


def test_comparison_says_whether_it_may_be_chance() -> None:
    worse, better = [True] * 10 + [False] * 20, [True] * 9 + [False] + [True] * 20
    found = compare(pd.DataFrame({"accuracy": worse}), pd.DataFrame({"accuracy": better}), "accuracy")
    assert (found.only_a, found.only_b, found.n) == (1, 20, 30)
    assert found.difference == pytest.approx(19 / 30) and found.low > 0.3 and found.p_value < 0.001
    same = compare(pd.DataFrame({"accuracy": worse}), pd.DataFrame({"accuracy": worse}), "accuracy")
    assert same.difference == 0 and same.p_value == 1 and same.low <= 0 <= same.high
    assert "higher in 20, lower in 1 of 30; p < 0.001" in str(found)
