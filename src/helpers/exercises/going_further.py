"""The exercises of notebook 12."""

from __future__ import annotations

import math
from typing import Any

from . import Exercise


def _margin(answer: Any) -> str | None:
    if math.isclose(answer, 0.6, abs_tol=0.005):
        return None
    if math.isclose(answer, 6, abs_tol=0.005):
        return "That is the difference of the two changes; beta is still missing."
    if math.isclose(answer, -0.3, abs_tol=0.005):
        return "That compares the two answers as they are now. What counts is how each has changed."
    return "Subtract the change of the other answer from the change of the preferred one, then multiply by beta."


def _sizes(answer: Any) -> str | None:
    right = {"bf16": 16, "int8": 8, "int4": 4}
    wrong = [name for name, size in right.items() if not math.isclose(answer[name], size, rel_tol=0.01)]
    return f"Not right yet: {', '.join(wrong)}. A byte has eight bits." if wrong else None


def _pictures(answer: Any) -> str | None:
    if math.isclose(answer, 15.375, abs_tol=0.01):
        return None
    if math.isclose(answer, 9.0, abs_tol=0.01):
        return "The pictures are tokens too: helpers.tokens.IMAGE of them each."
    return "Tokens of an example, times examples, times epochs, times the price of a token."


EXERCISES = [
    Exercise(
        name="12.1",
        question="The reward margin of a pair.",
        judge=_margin,
        hint="By how much did each answer's log-probability change?",
        solution="answer = 0.1 * ((-18 - -20) - (-19 - -15))",
        wrong="answer = (-18 - -20) - (-19 - -15)",
    ),
    Exercise(
        name="12.2",
        question="Gigabytes of eight billion weights in three formats.",
        judge=_sizes,
        hint="bf16 has 16 bits a weight, int8 has 8, int4 has 4; a gigabyte is a billion bytes.",
        solution='answer = {"bf16": 8 * 16 / 8, "int8": 8 * 8 / 8, "int4": 8 * 4 / 8}',
        wrong='answer = {"bf16": 32, "int8": 8, "int4": 4}',
    ),
    Exercise(
        name="12.3",
        question="Dollars for a thousand examples with a picture each.",
        judge=_pictures,
        hint="A picture at low detail is helpers.tokens.IMAGE tokens; the price stands in price_table().",
        solution="""from helpers.tokens import IMAGE, price_table

price = price_table()["models"]["gpt-4o-2024-08-06"]["training"]
answer = 1000 * (120 + IMAGE) * 3 * price / 1_000_000""",
        wrong="answer = 1000 * 120 * 3 * 25 / 1_000_000",
    ),
]
