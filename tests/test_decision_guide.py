"""The decision guide: it agrees with the key, which was written before it, and says what led to its advice."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from helpers import frontend
from helpers.decision_guide import APPROACHES, QUESTIONS, RULES, Guide, advise, rules_table
from helpers.errors import Explained

KEY: dict[str, Any] = json.loads((Path(__file__).parent / "decision_key.json").read_text(encoding="utf-8"))
SCENARIOS = KEY["scenarios"]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["name"])
def test_it_agrees_with_the_key(scenario: dict[str, Any]) -> None:
    assert advise(scenario["answers"]).approach == scenario["approach"]


def test_the_key_has_20_scenarios_and_every_approach() -> None:
    assert len(SCENARIOS) == 20
    assert {scenario["approach"] for scenario in SCENARIOS} == set(KEY["approaches"]) == set(APPROACHES)


def test_every_way_to_answer_gets_advice_and_every_rule_is_used() -> None:
    used = set()
    for chosen in itertools.product(*(question.answers for question in QUESTIONS.values())):
        advice = advise(dict(zip(QUESTIONS, chosen, strict=True)))
        assert advice.approach in APPROACHES and advice.why
        used.add(advice.why)
    assert used == {rule.why for rule in RULES}


def test_changing_facts_are_never_left_to_tuning_alone() -> None:
    for chosen in itertools.product(*(question.answers for question in QUESTIONS.values())):
        answers = dict(zip(QUESTIONS, chosen, strict=True))
        if answers["facts"] == "documents":
            assert advise(answers).approach != "fine_tune"


def test_the_advice_says_what_led_to_it_and_what_to_mind() -> None:
    said = str(advise(next(s["answers"] for s in SCENARIOS if s["approach"] == "tuned_composer")))
    assert "You said: Does a search with the reader's own words find the right document? Mostly." in said
    assert "2027-01-06" in said and "held-out" not in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"load": "maybe"}, "'maybe' is no answer to .* Choose one of: no, yes"),
        ({"colour": "red"}, "no question 'colour'. It asks: exact"),
    ],
)
def test_an_answer_that_is_none_is_explained(change: dict[str, str], said: str) -> None:
    with pytest.raises(Explained, match=said):
        advise({**SCENARIOS[0]["answers"], **change})


def test_a_question_left_open_is_explained() -> None:
    with pytest.raises(Explained, match="There is no answer to"):
        advise({"exact": "no"})


def test_the_widgets_give_the_advice_of_their_answers() -> None:
    page = Guide().page
    for scenario in SCENARIOS:
        for name, value in scenario["answers"].items():
            page.lists[name].value = value
        assert APPROACHES[scenario["approach"]].capitalize() in page.said.value


def test_those_who_read_get_every_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Guide()._repr_mimebundle_()
    assert frontend.VIEW not in shown
    assert all(APPROACHES[rule.approach] in shown["text/html"] for rule in RULES)
    assert len(rules_table()) == len(RULES)
    monkeypatch.setattr(frontend, "is_watched", lambda: True)
    assert frontend.VIEW in Guide()._repr_mimebundle_()
