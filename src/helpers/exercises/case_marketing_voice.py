"""The exercises of notebook 08."""

from __future__ import annotations

from typing import Any

from . import Exercise


def _column(answer: Any) -> str | None:
    if answer == "rate":
        return None
    if answer in ("opens", "clicks", "sold"):
        return "That one counts how many readers were reached as well, and reach can be bought."
    return 'One of the four columns is asked for: "opens", "clicks", "sold" or "rate".'


def _true_share(answer: Any) -> str | None:
    share = float(answer)
    if abs(share - 0.70 / 0.85) < 0.006:
        return None
    if abs(share - 0.80) < 0.006:
        return "That is what the judge says. It misses some and lets others through."
    return "What the judge calls on brand = 0.95 x what is + 0.10 x what is not."


EXERCISES = [
    Exercise(
        name="08.1",
        question="By which column are the fewest pieces with paid reach chosen?",
        judge=_column,
        hint='{name: top.boosted.sum() for name, top in tops.items()} counts them; "rank" is not one of the four.',
        solution="""# clicks for each reader reached: what was paid for has many readers who do not click
answer = "rate"
""",
        wrong='answer = "sold"',
    ),
    Exercise(
        name="08.2",
        question="The judge says 0.80 and makes errors: what is the true share?",
        judge=_true_share,
        hint="Call the true share p: 0.80 = 0.95 p + 0.10 (1 - p). Solve for p (Rogan and Gladen, 1978).",
        solution="answer = round((0.80 - 0.10) / (0.95 - 0.10), 2)",
        wrong="answer = 0.80",
    ),
]
