"""The exercises of notebook 03."""

from __future__ import annotations

import math
from typing import Any

from . import Exercise


def _best_epoch(answer: Any) -> str | None:
    for losses, right in (([0.9, 0.5, 0.4, 0.6], 3), ([0.3, 0.5], 1), ([0.7, 0.6, 0.5], 3)):
        if answer(losses) != right:
            return f"For {losses} it gives {answer(losses)}; the lowest loss is after epoch {right}."
    return None


def _batch_size(answer: Any) -> str | None:
    steps = math.ceil(1000 / answer) * 2
    return None if steps == 250 else f"A batch size of {answer} makes {steps} steps."


EXERCISES = [
    Exercise(
        name="03.1",
        question="After which epoch was the validation loss lowest?",
        judge=_best_epoch,
        hint="min(losses) is the lowest; list.index says where it stands, counted from 0.",
        solution="""def best_epoch(losses):
    return losses.index(min(losses)) + 1


answer = best_epoch""",
        wrong="answer = lambda losses: len(losses)",
    ),
    Exercise(
        name="03.2",
        question="Which batch size makes 250 steps of 1,000 examples in 2 epochs?",
        judge=_batch_size,
        hint="125 steps to an epoch.",
        solution="answer = 8",
        wrong="answer = 4",
    ),
]
