"""The exercises of notebook 04."""

from __future__ import annotations

from typing import Any

from ..stats import wilson
from . import Exercise


def _interval(answer: Any) -> str | None:
    right = wilson(9, 10)
    low, high = answer
    if round(low, 2) == round(right.low, 2) and round(high, 2) == round(right.high, 2):
        return None
    return f"({low}, {high}) is not the interval. It is neither centred on 0.9 nor does it reach above 1."


def _items(answer: Any) -> str | None:
    def width(n: int) -> float:
        interval = wilson(round(0.9 * n), n)
        return interval.high - interval.low

    right = next(n for n in range(10, 1000, 10) if width(n) <= 0.10)
    if answer == right:
        return None
    return f"With {answer} items the interval is {width(int(answer)):.3f} wide." + (
        " A smaller number does it, too." if answer > right else ""
    )


EXERCISES = [
    Exercise(
        name="04.1",
        question="The 95% Wilson interval of 9 in 10.",
        judge=_interval,
        hint="from helpers.stats import wilson; round both ends to two digits.",
        solution="""from helpers.stats import wilson

answer = tuple(round(end, 2) for end in wilson(9, 10))""",
        wrong="answer = (0.71, 1.09)",
    ),
    Exercise(
        name="04.2",
        question="How many items make the interval around 90% at most 10 points wide?",
        judge=_items,
        hint="Try n = 10, 20, 30 … with round(0.9 * n) right ones.",
        solution="""from helpers.stats import wilson

answer = 10
while (lambda ends: ends[1] - ends[0])(wilson(round(0.9 * answer), answer)) > 0.10:
    answer += 10""",
        wrong="answer = 50",
    ),
]
