"""The exercises of notebook 10."""

from __future__ import annotations

from typing import Any

from ..tokens import price_table
from . import Exercise

FIELDS = ["at", "model", "outcome", "seconds", "customer_hash", "reply", "completion_tokens", "ip_address"]
HARMLESS = {"at", "model", "outcome", "seconds", "completion_tokens"}


def _fallback_ends(answer: Any) -> str | None:
    if answer == price_table()["models"]["gpt-4o-2024-08-06"]["shutdown"]:
        return None
    return "That is not the day on which the base itself stops answering: look at what the price table says of it."


def _may_be_logged(answer: Any) -> str | None:
    given = set(answer)
    if given == HARMLESS:
        return None
    if given - HARMLESS:
        return "One of them leads to a person, or holds what a person wrote. A hash of a customer number does too."
    return "More of them than that lead to nobody."


EXERCISES = [
    Exercise(
        name="10.1",
        question="On which day does a fallback from a fine-tune of gpt-4o-2024-08-06 to its base stop helping?",
        judge=_fallback_ends,
        hint='A fine-tune goes with its base. helpers.tokens.price_table()["models"] has the shutdown of each.',
        solution="""from helpers.tokens import price_table

answer = price_table()["models"]["gpt-4o-2024-08-06"]["shutdown"]""",
        wrong='answer = "2027-01-06"',
    ),
    Exercise(
        name="10.2",
        question="Which of these fields may a log without personal data keep?",
        judge=_may_be_logged,
        hint="Could somebody who holds the customer list find out whose request it was, or read what was said?",
        solution="""from helpers.exercises.deployment import FIELDS

answer = [name for name in FIELDS if name not in ("customer_hash", "reply", "ip_address")]""",
        wrong="""from helpers.exercises.deployment import FIELDS

answer = [name for name in FIELDS if name not in ("reply", "ip_address")]""",
    ),
]
