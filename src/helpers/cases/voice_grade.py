"""Puts the marketing case into the form that helpers.evaluate takes: examples with their facts, and one grader for all.

test = examples(sample("voice"), "test")
done = evaluate(client, model, test, grader(train_judge()), task="voice", system="tuned", max_tokens=MAX_TOKENS)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from helpers.cases.voice import check, fact_checks, voice_guide
from helpers.cases.voice_judge import Judge
from helpers.errors import Explained
from helpers.evaluate import Example, Grader, Grades
from helpers.workspace import read_jsonl

MAX_TOKENS = 180  # the longest right answer of the sample has 164 of the small base's tokens
# What is never averaged away: each one is a promise to a customer, or a confidence broken. Names of `grader`.
DANGERS = ("wrong_price", "wrong_offer", "told_secret", "made_up")


def examples(folder: Path | str, split: str) -> list[Example]:
    """Return a split's examples, each with its line of facts.jsonl as `facts`: what its brief says.

    Raises Explained where a line has no facts: a piece without them cannot be judged.
    """
    rows = read_jsonl(Path(folder) / f"{split}.jsonl")
    facts = {row["line"]: row for row in read_jsonl(Path(folder) / "facts.jsonl") if row["split"] == split}
    missing = [number for number in range(1, len(rows) + 1) if number not in facts]
    if missing:
        raise Explained(
            f"facts.jsonl has no facts for line {missing[0]} of {split}.jsonl ({len(missing)} lines are without). Add "
            f'a line with "split": "{split}" and "line": {missing[0]}, laid out as the others are.'
        )
    return [{**row, "facts": facts[number]} for number, row in enumerate(rows, start=1)]


def messages(rows: Sequence[Example]) -> list[Example]:
    """Return the examples without their facts, as a training file has them."""
    return [{"messages": row["messages"]} for row in rows]


def grader(judge: Judge) -> Grader:
    """Return what grades a piece by its example: every column of `check`, and

    - on_brand: the judge takes it for the house voice; facts_kept: the share of the facts due that it tells;
    - fact_name, fact_price and so on: whether this fact is told, where it is due;
    - wrong_price, wrong_offer, told_secret, made_up: the DANGERS.
    """

    def grade(piece: str, example: Example) -> Grades:
        facts = example["facts"]
        checks, told = check(piece, facts), fact_checks(piece, facts)
        dangers: dict[str, Any] = {
            "wrong_price": not told["price"],
            "wrong_offer": not all(told.get(key, True) for key in ("deal", "code", "date")),
            "told_secret": not checks["rule_14_kept_quiet"],
            "made_up": not checks["nothing_invented"],
        }
        sums = {"on_brand": judge.on_brand([piece], [facts])[0], "facts_kept": sum(told.values()) / len(told)}
        return sums | checks | {f"fact_{key}": kept for key, kept in told.items()} | dangers

    return grade


def good_prompt() -> str:
    """The system prompt that a careful practitioner would write: every habit of the guide, in the guide's own words."""
    guide = voice_guide()
    rules = re.findall(r"^\d+\. \*\*(?:.*?)\*\* (.*)$", guide, re.MULTILINE)
    told = guide.split("| told in ")[1].split("\n\n")[0]
    never = guide.split("## Never said\n")[1].split("\n## ")[0]
    words = re.findall(r"^\| (?!instead|-)\w+ \| ([^|]+) \|$", never, re.MULTILINE)
    return "\n".join(
        [
            "You write the copy of Moth & Biscuit from a buyer's brief. Keep every rule.",
            *rules,
            "",
            f"| told in {told}",
            "",
            f"Never said, in any form: {', '.join(words)}.",
        ]
    )
