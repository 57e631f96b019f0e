"""The exercises of notebook 05."""

from __future__ import annotations

from typing import Any

from . import Exercise


def _cause(answer: Any) -> str | None:
    if answer == "unknown":
        return None
    return "Two things changed at once, so the figures cannot tell which did it."


def _by_chance(answer: Any) -> str | None:
    if answer is False:
        return None
    return "12 against 5: compute the p value; 0.05 is the bar."


EXERCISES = [
    Exercise(
        name="05.1",
        question="Two changes, one better result: which did it?",
        judge=_cause,
        hint="How would you find out? With two more runs.",
        solution='answer = "unknown"',
        wrong='answer = "data"',
    ),
    Exercise(
        name="05.2",
        question="12 errors mended, 5 new ones, of 100: more than chance?",
        judge=_by_chance,
        hint="a = [False] * 12 + [True] * 5 + [True] * 83, b = [True] * 12 + [False] * 5 + [True] * 83",
        solution="""from helpers.stats import mcnemar

a = [False] * 12 + [True] * 5 + [True] * 83
b = [True] * 12 + [False] * 5 + [True] * 83
answer = bool(mcnemar(a, b) < 0.05)""",
        wrong="answer = True",
    ),
]
