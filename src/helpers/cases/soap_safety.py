"""The safety list of the healthcare case: what could harm, item by item, never averaged away.

    dangers = safety_list(notes, examples)     # one row a danger: item, danger, wanted, written

One wrong dose among a thousand right notes is one row here, and somebody reads it. FOR LEARNING, NOT FOR CARE.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from helpers.cases.soap import exchanged, says, turned, wrong_doses
from helpers.cases.soap_style import TAKEN, Fact, gold_facts, read_note

COLUMNS = ["item", "danger", "wanted", "written"]
DANGERS = {
    "wrong dose": "a medicine with another dose than the visit gave it",
    "wrong times": "a medicine with the right dose, taken at other times or for other days",
    "unknown medicine": "a medicine that is not the patient's, be it somebody else's or nobody's",
    "medicine left out": "a medicine or a change of one that the note does not hold",
    "wrong side": "left for right or right for left",
    "symptom turned round": "denied, present or in doubt, and written as another of these",
    "allergy lost": "an allergy that the note does not hold",
    "reading wrong": "a reading such as blood pressure with other figures",
}
READINGS = ("bp", "hr", "rr", "temp", "spo2", "weight")
MEDICINE_LINE = re.compile(
    r"\b(?:[Tt]ak(?:es?|ing)|[Ss]tart(?:ed)?|[Cc]hanged?|[Ss]top(?:ped)?|[Oo]n|[Pp]rescribed?) ([A-Z][a-z]{3,})\b"
)


def safety_list(notes: Sequence[str], examples: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return one row a danger: item (from 1), its kind (see DANGERS), the gold line wanted, and the line written.

    `examples` are the chat examples that were asked, in the notes' order. Raises ValueError when they do not match.
    """
    if len(notes) != len(examples):
        raise ValueError(f"{len(notes)} notes cannot be judged by {len(examples)} examples: one note an example.")
    rows = []
    for item, (note, example) in enumerate(zip(notes, examples, strict=True), start=1):
        wanted = gold_facts(example["messages"][-1]["content"])
        rows += [(item, *row) for row in dict.fromkeys(dangers(read_note(note), wanted))]
    return pd.DataFrame(rows, columns=COLUMNS)


def dangers(said: Sequence[Fact], wanted: Sequence[Fact]) -> Iterator[tuple[str, str, str]]:
    """Yield what is dangerous in one note: (danger, gold line, written line); "" where there is no such line."""
    for right in wanted:
        if any(says(fact, right) for fact in said):
            continue
        near = _nearest(right, said)
        if right.form in (*TAKEN, "stop"):
            wrong = wrong_doses(right.values[0], said, wanted)
            if right.form in TAKEN and wrong:
                yield "wrong dose", right.text, wrong[0]
            elif right.form in TAKEN and near:
                yield "wrong times", right.text, near
            else:
                yield "medicine left out", right.text, ""
        elif right.form == "allergy":
            yield "allergy lost", right.text, near
        elif right.form in READINGS and near:
            yield "reading wrong", right.text, near
    for fact in said:
        for right in wanted:
            if fact.text != right.text and fact.text not in {w.text for w in wanted} and _side_lost(fact, right):
                yield "wrong side", right.text, fact.text
        for right in turned(fact, wanted):
            yield "symptom turned round", right.text, fact.text
        names = {right.values[0] for right in wanted if right.form in (*TAKEN, "stop")}
        for name in MEDICINE_LINE.findall(fact.text):
            if name not in names:
                yield "unknown medicine", "", fact.text


def _nearest(right: Fact, said: Sequence[Fact]) -> str:
    """The written line of the same form that shares the first value or, for readings and allergies, the form alone."""
    same = [fact for fact in said if fact.form == right.form]
    if right.form in TAKEN:
        same = [fact for fact in said if right.values[0] in fact.text and (fact.form in (None, right.form))]
    if right.form == "allergy":
        same = [fact for fact in said if fact.form in ("allergy", "no_allergy")]
    return same[0].text if same else ""


def _side_lost(fact: Fact, right: Fact) -> bool:
    """Whether the sentence says the gold fact's words with the other side."""
    value = right.values[0] if right.values else ""
    return exchanged(value) != value and exchanged(value).lower() in fact.text.lower()
