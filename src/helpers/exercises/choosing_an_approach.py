"""The exercises of notebook 09."""

from __future__ import annotations

from typing import Any

from ..decision_guide import advise
from ..errors import Explained
from ..retrieval import Passage, check_citations
from . import Exercise

TARIFF = Passage("K11", "The tariff is £8.20 a day.")


def _guide(answer: Any) -> str | None:
    try:
        found = advise(answer)
    except Explained as error:
        return str(error)
    if found.approach == "retrieval":
        return None
    return f"With these answers the guide says {found.approach}. Where are the facts, and how long do they hold?"


def _cites(answer: Any) -> str | None:
    found = check_citations(answer, [TARIFF])
    if found.hold and "8.20" in answer:
        return None
    if not found.hold:
        return f"It does not hold: cited {found.cited}, not given {found.unknown}, unsupported {found.unsupported}."
    return "It cites rightly and does not name the tariff."


def _requests(answer: Any) -> str | None:
    if int(answer) == 10_000:
        return None
    return f"After {int(answer):,} requests the two bills are not equal: each request saves 0.005 less 0.002 dollars."


EXERCISES = [
    Exercise(
        name="09.1",
        question="The guide's questions for a clinic whose leaflets change.",
        judge=_guide,
        hint="from helpers.decision_guide import QUESTIONS; each has its answers. Nothing has been measured yet.",
        solution="""answer = {
    "exact": "no",
    "measured": "nothing",
    "facts": "documents",
    "form": "free",
    "examples": "none",
    "search": "yes",
    "load": "no",
}""",
        wrong="""answer = {
    "exact": "no",
    "measured": "examples_short",
    "facts": "request",
    "form": "shown",
    "examples": "many",
    "search": "yes",
    "load": "no",
}""",
    ),
    Exercise(
        name="09.2",
        question="A sentence whose citation holds.",
        judge=_cites,
        hint="The figure has to stand in the passage, and the id in square brackets behind it.",
        solution='answer = "A day costs £8.20 [K11]."',
        wrong='answer = "A day costs £8.50 [K11]."',
    ),
    Exercise(
        name="09.3",
        question="Requests until training has paid.",
        judge=_requests,
        hint="What training costs, divided by what each request saves.",
        solution="answer = round(30 / (0.005 - 0.002))",
        wrong="answer = round(30 / 0.005)",
    ),
]
