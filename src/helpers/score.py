"""Step 4: grade replies of the customer-support case. helpers.compare puts the grades of systems side by side.

Three grades are the same for every case of the course: accuracy, relevance and coherence. Shown in notebook 04.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from helpers.cases import support
from helpers.compare import Comparison, compare, rates

__all__ = [
    "GRADES",
    "Comparison",
    "coherent",
    "compare",
    "grade_support",
    "rates",
    "repeats",
    "rules_kept",
    "score_support",
]
GRADES = ["accuracy", "relevance", "coherence"]
PRODUCT = re.compile(rf"\b(?!The |Your |This |That |Our |An? |My )[A-Z][a-z]+ (?:{support.KINDS})\b")
RUN = 7  # words: no gold reply says so many words in a row twice
ENDS = (".", "!", "?", "}", '."', ".)", "…")


def score_support(replies: Sequence[str], examples: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return one row a reply with yes-or-no columns: the rules of the house style, and what sums them up.

    `examples` are the chat examples that were asked, whose last message is the right answer. Columns: rule_01 to
    rule_14, facts_correct, json_valid, intent_correct (see helpers.cases.support), house_compliant (every rule), and

    - accuracy: intent, action and facts are right;
    - relevance: speaks of this customer's matter, and names no other product or order number;
    - coherence: ends properly, repeats neither a sentence nor a run of seven words, and is 20 to 45 words long.

    Raises ValueError when replies and examples are not equally many, or an example has no right answer.
    """
    if len(replies) != len(examples):
        raise ValueError(f"{len(replies)} replies cannot be graded by {len(examples)} examples: one reply an example.")
    rows = [grade_support(reply, example) for reply, example in zip(replies, examples, strict=True)]
    return pd.DataFrame(rows).astype(bool)


def rules_kept(graded: pd.DataFrame) -> pd.DataFrame:
    """Return one column, rules_kept: the share of the rules of the house style that each graded reply keeps."""
    return graded.filter(regex=r"^rule_\d").mean(axis=1).to_frame("rules_kept")


def grade_support(reply: str, example: dict[str, Any]) -> dict[str, bool]:
    """Return the grades of one reply, as score_support describes them."""
    *before, last = example["messages"]
    gold = last["content"]
    checks = support.check(reply, gold, before)
    right = support.read_ticket(support.split_reply(gold)[1])
    ticket = support.read_ticket(support.split_reply(reply)[1])
    assert right is not None  # support.check has read it
    acts = ticket is not None and ticket["action"] == right["action"]
    return checks | {
        "house_compliant": all(kept for name, kept in checks.items() if name.startswith("rule_")),
        "accuracy": checks["intent_correct"] and acts and checks["facts_correct"],
        "relevance": _intent(reply) == right["intent"] and _names_nothing_else(reply, right),
        "coherence": coherent(reply),
    }


def _intent(reply: str) -> str | None:
    """The intent that the ticket line gives or, where there is none to read, the policy sentence in the prose."""
    prose, line = support.split_reply(reply)
    ticket = support.read_ticket(line)
    if ticket is not None:
        return ticket["intent"]
    text = support.one_line(prose)
    return next((intent for intent, sentence in _policy_rows() if sentence in text), None)


def _policy_rows() -> list[tuple[str, str]]:
    """Intent and sentence of every row in the style guide's table of policies."""
    rows = re.findall(r"^\| (\w+) \|[^|]*\| ([^|]*) \|", support.style_guide(), re.MULTILINE)
    return [(intent, sentence) for intent, sentence in rows if sentence in support.policies()]


def _names_nothing_else(reply: str, right: dict[str, str | None]) -> bool:
    """Whether every order number and product in the reply, wherever it stands, is the customer's."""
    orders, products = set(support.ORDER.findall(reply)), set(PRODUCT.findall(reply))
    return orders <= {right["order"]} and products <= {right["product"]}


def coherent(reply: str) -> bool:
    """Whether the reply is a finished text of 20 to 45 words that does not repeat itself; its truth is not judged."""
    prose = support.split_reply(reply)[0]
    lines = [line.strip() for line in reply.strip().splitlines() if line.strip()]
    if not lines or not support.FEWEST_WORDS <= len(prose.split()) <= support.MOST_WORDS:
        return False
    signed = len(lines) > 1 and len(lines[-1].split()) <= 5 and lines[-2].endswith(ENDS)
    return (lines[-1].endswith(ENDS) or signed) and not repeats(prose)


def repeats(text: str) -> bool:
    """Whether a sentence of three words or more, or a run of seven words, stands in the text twice."""
    sentences = [s.strip().lower() for s in re.split(r"(?<=[.!?])\s+", text) if len(s.split()) >= 3]
    words = re.findall(r"[\w'-]+", text.lower())
    runs = [tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1)]
    return len(set(sentences)) < len(sentences) or len(set(runs)) < len(runs)
