"""The exercises of notebook 11."""

from __future__ import annotations

from typing import Any

from . import Exercise


def _most_frequent(answer: Any) -> str | None:
    if isinstance(answer, bool) or not isinstance(answer, int | float):
        return "Give a number, a fraction of the test."
    if abs(answer - 260 / 400) < 0.005:
        return None
    return "It is right wherever the answer is 'refund', and nowhere else."


def _by_chance(answer: Any) -> str | None:
    if answer is False:
        return None
    return "Five wins and no loss: compute the p value; 0.05 is the bar."


EXERCISES = [
    Exercise(
        name="11.1",
        question="What does a model score that always gives the most frequent answer?",
        judge=_most_frequent,
        hint="How many of the 400 rows have that answer?",
        solution="answer = 260 / 400",
        wrong="answer = 1 / 3",
    ),
    Exercise(
        name="11.2",
        question="None right against 5 right, of 20: more than chance?",
        judge=_by_chance,
        hint="a = [False] * 20, b = [True] * 5 + [False] * 15",
        solution="""from helpers.stats import mcnemar

a = [False] * 20
b = [True] * 5 + [False] * 15
answer = bool(mcnemar(a, b) < 0.05)""",
        wrong="answer = True",
    ),
]
