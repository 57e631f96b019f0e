"""The exercises of notebook 00."""

from __future__ import annotations

from typing import Any

from ..tokens import training_cost
from ..workspace import read_jsonl, sample
from . import Exercise


def _approach(answer: Any) -> str | None:
    reasons = {
        "a": ("retrieval", "this week's prices change; a model would go on quoting those it was trained on."),
        "b": ("prompt", "one sentence in the prompt does it; try the cheapest tool first."),
        "c": ("fine-tune", "there is a clear standard, there are examples of it, and the prompt was tried."),
    }
    wrong = [f"{key}: think again, {why}" for key, (right, why) in reasons.items() if answer.get(key) != right]
    return " ".join(wrong) or None


def _cost(answer: Any) -> str | None:
    examples = [example["messages"] for example in read_jsonl(sample("support") / "train.jsonl")[:100]]
    right = training_cost(examples, "gpt-4o-2024-08-06", 3).dollars
    if right is not None and abs(float(answer) - right) < 0.01:
        return None
    return f"{float(answer):.2f} dollars is not it. Were all 100 examples counted, and 3 epochs?"


EXERCISES = [
    Exercise(
        name="00.1",
        question="Prompt, retrieval or fine-tuning?",
        judge=_approach,
        hint="Facts that change, a form easily told, a form easily shown.",
        solution='answer = {"a": "retrieval", "b": "prompt", "c": "fine-tune"}',
        wrong='answer = {"a": "fine-tune", "b": "prompt", "c": "fine-tune"}',
    ),
    Exercise(
        name="00.2",
        question="What would training on the first 100 examples cost?",
        judge=_cost,
        hint='training_cost([example["messages"] for example in examples[:100]], model, 3)',
        solution="""from helpers.tokens import training_cost
from helpers.workspace import read_jsonl, sample

examples = read_jsonl(sample("support") / "train.jsonl")[:100]
answer = training_cost([example["messages"] for example in examples], "gpt-4o-2024-08-06", 3).dollars""",
        wrong="answer = 25.0",
    ),
]
