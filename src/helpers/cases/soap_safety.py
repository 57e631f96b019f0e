"""The safety list of the healthcare case: what could harm, item by item, never averaged away.

    dangers = safety_list(notes, examples)     # one row a danger: item, danger, wanted, written

One wrong dose among a thousand right notes is one row here, and somebody reads it. FOR LEARNING, NOT FOR CARE.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from helpers.cases.soap import exchanged, not_ordered, says, turned, wrong_doses, wrong_times
from helpers.cases.soap_style import TAKEN, Fact, gold_facts, read_note

COLUMNS = ["item", "danger", "wanted", "written"]
DANGERS = {
    "wrong dose": "a medicine with another dose than the visit gave it",
    "wrong times": "a medicine with the right dose, taken at other times or for other days",
    "unknown medicine": "a medicine that is not the patient's, be it somebody else's or nobody's",
    "not ordered": "a medicine written as taken, begun, changed or stopped, which the visit did not",
    "medicine left out": "a medicine or a change of one that the note does not hold",
    "wrong side": "left for right or right for left",
    "symptom turned round": "denied, present or in doubt, and written as another; a finding or plan as its opposite",
    "allergy lost": "an allergy that the note does not hold, or allergies denied where nobody asked",
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
        if not any(says(fact, right) for fact in said):
            yield from _lost(right, said, wanted)
    for fact in said:
        if fact.text not in {right.text for right in wanted}:
            yield from _wrong(fact, wanted)


def _lost(right: Fact, said: Sequence[Fact], wanted: Sequence[Fact]) -> Iterator[tuple[str, str, str]]:
    """What a gold fact that the note does not say makes dangerous."""
    near = _nearest(right, said)
    if right.form in TAKEN and near:
        name = right.values[0]
        if not (wrong_doses(name, said, wanted) or wrong_times(name, said, wanted)):  # which _wrong tells line by line
            yield "wrong times", right.text, near
    elif right.form in (*TAKEN, "stop"):
        yield "medicine left out", right.text, ""
    elif right.form == "allergy":
        yield "allergy lost", right.text, near


def _wrong(fact: Fact, wanted: Sequence[Fact]) -> Iterator[tuple[str, str, str]]:
    """What makes a written line dangerous, even where the right one stands beside it."""
    names = {right.values[0] for right in wanted if right.form in (*TAKEN, "stop")}
    for name in sorted(names):
        own = [right for right in wanted if right.form in TAKEN and right.values[0] == name]
        near = next((right.text for right in own if right.form == fact.form), own[0].text if own else "")
        if wrong_doses(name, [fact], wanted):
            yield "wrong dose", near, fact.text
        elif wrong_times(name, [fact], wanted):
            yield "wrong times", near, fact.text
    if not_ordered(fact, wanted):
        yield "not ordered", "", fact.text
    for name in MEDICINE_LINE.findall(fact.text):
        if name not in names:
            yield "unknown medicine", "", fact.text
    if fact.form == "no_allergy":
        yield "allergy lost", next((right.text for right in wanted if right.form == "allergy"), ""), fact.text
    for right in wanted:
        if fact.form in READINGS and right.form == fact.form:
            yield "reading wrong", right.text, fact.text
        if _side_lost(fact, right):
            yield "wrong side", right.text, fact.text
    for right in turned(fact, wanted):
        yield "symptom turned round", right.text, fact.text


def _nearest(right: Fact, said: Sequence[Fact]) -> str:
    """The written line about the same medicine, or the one about allergies."""
    same = [fact for fact in said if right.form == "allergy" and fact.form in ("allergy", "no_allergy")]
    if right.form in TAKEN:
        same = [fact for fact in said if right.values[0] in fact.text and fact.form in (None, right.form)]
    return same[0].text if same else ""


def _side_lost(fact: Fact, right: Fact) -> bool:
    """Whether the sentence says the gold fact's words with the other side."""
    value = right.values[0] if right.values else ""
    return exchanged(value) != value and exchanged(value).lower() in fact.text.lower()
