"""The exercises of notebook 02."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..datasheet import QUESTIONS
from ..tokens import count_example
from ..workspace import build, read_jsonl, sample
from . import Exercise


def training_file() -> Path:
    """Return the training file that notebook 02 wrote, or the ready-made one."""
    written = build("support", "train.jsonl")
    return written if written.exists() else sample("support") / "train.jsonl"


def _tokens(answer: Any) -> str | None:
    right = sum(count_example(example["messages"]) for example in read_jsonl(training_file()))
    if answer == right:
        return None
    return f"{answer:,} is {'more' if answer > right else 'fewer'} than there are. Each example counts once, whole."


def _hide_orders(answer: Any) -> str | None:
    tries = {
        "Order LM-20417 is late.": "Order [order] is late.",
        "my order 20417, please": "my order [order], please",
        "The kettle of 2019 cost 45 pounds.": "The kettle of 2019 cost 45 pounds.",
        "LM-20417 and LM-31118": "[order] and [order]",
    }
    for text, right in tries.items():
        if answer(text) != right:
            return f"{text!r} became {answer(text)!r} and should be {right!r}."
    return None


BEFORE_UPLOAD = ("basis", "notice", "rights", "personal")  # of the datasheet's questions


def _settled(answer: Any) -> str | None:
    for name in BEFORE_UPLOAD:
        if len(str(answer.get(name, "")).split()) < 5:
            return f"{name} is open: {QUESTIONS[name]}"
    return None


EXERCISES = [
    Exercise(
        name="02.1",
        question="How many tokens has the training file?",
        judge=_tokens,
        hint="sum(count_example(m) for m in messages)",
        solution="""from helpers.exercises.preprocessing import training_file
from helpers.tokens import count_example
from helpers.workspace import read_jsonl

answer = sum(count_example(example["messages"]) for example in read_jsonl(training_file()))""",
        wrong="answer = 480 * 209",
    ),
    Exercise(
        name="02.2",
        question="Replace order numbers by [order].",
        judge=_hide_orders,
        hint=r'Two patterns: r"LM-\d{5}" and r"(?<=order )\d{5}". As training data it would be a pity: '
        "the answers must quote the number, and the model would learn to write [order].",
        solution=r"""import re


def hide_orders(text):
    return re.sub(r"LM-\d{5}|(?<=order )\d{5}", "[order]", text)


answer = hide_orders""",
        wrong=r"""import re


def hide_orders(text):
    return re.sub(r"\d+", "[order]", text)


answer = hide_orders""",
    ),
    Exercise(
        name="02.3",
        question="Settle what must be settled before health data or privileged papers leave the building.",
        judge=_settled,
        hint='A dict with a sentence each for "basis", "notice", "rights" and "personal": who decided, by what '
        'right, and when. "yes" settles nothing.',
        solution="""answer = {
    "basis": "Patients signed form 12, which names training; the data protection officer agreed on 3 March.",
    "notice": "The form tells them; whoever writes to the clinic is taken out before the next training.",
    "rights": "The clinic owns the notes; its contract with the service forbids other use and keeping.",
    "personal": "Two nurses read 200 masked notes on 9 March and found one village name, since masked.",
}""",
        wrong='answer = {"basis": "yes", "notice": "yes", "rights": "yes", "personal": "none"}',
    ),
]
