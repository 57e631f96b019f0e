"""The exercises of notebook 07."""

from __future__ import annotations

from typing import Any

from ..stats import wilson
from . import Exercise


def _pointing(answer: Any) -> str | None:
    reasons = {
        "a": "a rare job in a named place points to one person",
        "b": "a reading is no identifier",
        "c": "an age over 89 is one, in words as well",
        "d": "the name is gone, and the medicine points to nobody",
    }
    wrong = [f"{letter}: {why}." for letter, why in reasons.items() if (letter in set(answer)) != (letter in "ac")]
    return " ".join(wrong) or None


def _wrong_doses(answer: Any) -> str | None:
    right = round(40_000 * wilson(0, 40).high)
    if answer == right:
        return None
    return f"{answer} is too {'few' if answer < right else 'many'}. None seen is not none there."


EXERCISES = [
    Exercise(
        name="07.1",
        question="Which lines may still point to a person?",
        judge=_pointing,
        hint="What would a neighbour, or somebody with a newspaper, make of each?",
        solution='answer = {"a", "c"}',
        wrong='answer = {"a", "d"}',
    ),
    Exercise(
        name="07.2",
        question="None wrong in 40 notes: how many in 40,000, at most?",
        judge=_wrong_doses,
        hint="helpers.stats.wilson(0, 40) has an upper end, high.",
        solution="""from helpers.stats import wilson

answer = round(40_000 * wilson(0, 40).high)""",
        wrong="answer = 0",
    ),
]
