"""The exercises of notebook 06."""

from __future__ import annotations

import math
from typing import Any

from . import Exercise

NOTES = [
    "Privileged and confidential: see my memo.",
    "The client told us that the logs were rewritten in March.",
    "Between us, their expert is right and everybody here knows it.",
]


def _missed(answer: Any) -> str | None:
    if answer == 2 and not isinstance(answer, bool):
        return None
    return "That one is warned of, or is no place in the list: call privileged([note], counsel) on each note."


def _saved(answer: Any) -> str | None:
    if isinstance(answer, float | int) and not isinstance(answer, bool) and math.isclose(answer, 0.9, abs_tol=0.005):
        return None
    return "Add up the edits of each, and ask which share of the rival's is saved."


EXERCISES = [
    Exercise(
        name="06.1",
        question="Which of three privileged notes is not warned of? Give its place in the list, from 0.",
        judge=_missed,
        hint="The finder knows marks, named attorneys, what a client said, and strategy. Which note has none of these?",
        solution="""from helpers.cases.legal_privilege import privileged
from helpers.exercises.case_legal_discovery import NOTES

answer = [len(privileged([note], ["Dana Orlov"])) for note in NOTES].index(0)""",
        wrong="answer = 0",
    ),
    Exercise(
        name="06.2",
        question="Word edits of the tuned model 0, 2, 10 and of its rival 40, 40, 40: which share is saved?",
        judge=_saved,
        hint="helpers.editing.editing_saved(edits, baseline) computes it.",
        solution="""from helpers.editing import editing_saved

answer = editing_saved([0, 2, 10], [40, 40, 40])""",
        wrong="answer = 12",
    ),
]
