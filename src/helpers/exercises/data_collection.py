"""The exercises of notebook 01."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..collect import intent_of, read_support_exports
from ..workspace import read_jsonl, sample
from . import Exercise


def _thin(answer: Any) -> str | None:
    lines = read_jsonl(sample("support") / "train.jsonl")
    counts = Counter(intent_of(line) for line in lines)
    right = {intent for intent, count in counts.items() if count < 60}
    if set(answer) == right:
        return None
    missing, extra = right - set(answer), set(answer) - right
    return f"{len(missing)} are missing, {len(extra)} do not belong."


def _imitable(answer: Any) -> str | None:
    records = read_support_exports(sample("support") / "raw")
    answered = [r for r in records if any(role == "assistant" for role, _ in r.turns)]
    right = sum(r.csat is not None and r.csat >= 4 for r in answered)
    if answer == right:
        return None
    if answer == sum(r.csat is None or r.csat >= 4 for r in answered):
        return "That counts the ones without a score as well."
    return f"{answer} is not the number."


EXERCISES = [
    Exercise(
        name="01.1",
        question="Which intents have fewer than 60 training examples?",
        judge=_thin,
        hint='by_intent["n"] < 60 marks them; set(...index) collects their names.',
        solution="""from helpers.collect import coverage
from helpers.workspace import read_jsonl, sample

by_intent = coverage(read_jsonl(sample("support") / "train.jsonl")).set_index("kind")
answer = set(by_intent[by_intent["n"] < 60].index)""",
        wrong='answer = {"take_back"}',
    ),
    Exercise(
        name="01.2",
        question="How many records are answered and rated 4 or 5?",
        judge=_imitable,
        hint="(table.answered & (table.score >= 4)).sum()",
        solution="""from helpers.collect import read_support_exports
from helpers.workspace import sample

records = read_support_exports(sample("support") / "raw")
answered = [r for r in records if any(role == "assistant" for role, _ in r.turns)]
answer = sum(r.csat is not None and r.csat >= 4 for r in answered)""",
        wrong="answer = 1064",
    ),
]
