"""Notes become FHIR documents and come back: valid for every gold note, or refused with the reason."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fhir.resources.R4B.bundle import Bundle

from helpers.cases.soap_fhir import problems, to_bundle, to_note
from helpers.cases.soap_style import forms, gold_facts
from helpers.errors import Explained

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "soap"
SEEN = datetime(2025, 9, 3, 9, 30, tzinfo=UTC)
NOTE = """S:
Reports dull pain in the left shoulder for 3 weeks.
Denies fever.
Unsure of weight loss.
Takes Beltavil 2.5 mg every 8 hours.
O:
BP 132/84 mmHg.
Temp 37.0 C.
Exam: stiff left arm.
A:
Impression: early frozen left shoulder.
P:
Start Corizole 250 mcg twice daily for 7 days.
Stop Beltavil.
Review in 2 weeks."""


def notes(name: str) -> list[str]:
    rows = (SAMPLE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(row)["messages"][-1]["content"] for row in rows]


@pytest.mark.parametrize("name", ["train", "validation", "test", "test_new_complaints"])
def test_every_gold_note_is_a_valid_document_with_the_same_facts(name: str) -> None:
    for note in notes(name):
        bundle = to_bundle(note, "p-1", SEEN)
        again = Bundle.model_validate_json(bundle.model_dump_json())  # as a record system would read it
        assert to_note(again) == note


def test_every_form_of_the_guide_goes_there_and_back() -> None:
    examples = [row.split(" | ")[3].rstrip(" |") for row in _guide_rows()]
    lines = []
    for section in "SOAP":
        lines += [f"{section}:"]
        lines += [e for e, row in zip(examples, _guide_rows(), strict=True) if f"| {section} |" in row]
    note = "\n".join(lines)
    assert {fact.form for fact in gold_facts(note)} == set(forms())
    assert to_note(to_bundle(note, "p-1", SEEN)) == note


def _guide_rows() -> list[str]:
    text = (SAMPLE / "note_guide.md").read_text(encoding="utf-8")
    return [line for line in text.split("| form |")[1].splitlines()[2:] if line.startswith("|")]


def test_the_document_is_a_draft_and_says_what_the_note_says() -> None:
    bundle = to_bundle(NOTE, "p-1", SEEN)
    kinds = [entry.resource.get_resource_type() for entry in bundle.entry]
    assert kinds[0] == "Composition" and {"Condition", "MedicationRequest", "Observation"} <= set(kinds)
    composition = bundle.entry[0].resource
    assert composition.status == "preliminary" and "not for care" in composition.title
    requests = [e.resource for e in bundle.entry if e.resource.get_resource_type() == "MedicationRequest"]
    assert {(r.status, r.intent) for r in requests} == {("draft", "proposal")}
    dose = requests[0].dosageInstruction[0]
    assert (dose.doseAndRate[0].doseQuantity.code, dose.timing.repeat.frequency) == ("ug", 2)
    denied = next(e.resource for e in bundle.entry if getattr(getattr(e.resource, "code", None), "text", "") == "fever")
    assert denied.valueBoolean is False
    for section in composition.section:
        for line in NOTE.split(f"{section.title[0]}:\n")[1].split("\n")[:1]:
            assert line in section.text.div
    assert [len(s.entry) for s in composition.section] == [4, 3, 1, 3]


def test_the_same_note_gives_the_same_document() -> None:
    assert to_bundle(NOTE, "p-1", SEEN).model_dump_json() == to_bundle(NOTE, "p-1", SEEN).model_dump_json()
    assert to_bundle(NOTE, "p-1", SEEN).identifier.value != to_bundle(NOTE, "p-2", SEEN).identifier.value


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("Denies fever.", "Denies fever", "'Denies fever' is in none"),
        ("Denies fever.", "No fever at all.", "'No fever at all.' is in none"),
        ("2.5 mg every 8 hours", "a small dose", "Beltavil a small dose"),
        ("A:\nImpression: early frozen left shoulder.\n", "", "nothing stands in section A"),
        ("\nA:\nImpression", "\nImpression", "stands in section O"),
        ("S:\n", "", "stands in section none"),
        ("A:\nImpression: early frozen left shoulder.", "A:", "nothing stands in section A"),
        ("S:", "Subjective:", "other lines, headings or an order"),
        ("BP 132/84 mmHg.", "Takes Corizole 5 mg once daily.", "stands in section O"),
        ("dull pain", "dull\x00pain", "holds the character"),
        ("every 8 hours", "every 08 hours", "not say quite the same"),
        ("2.5 mg", "02.5 mg", "not say quite the same"),
    ],
)
def test_a_note_that_is_not_in_style_is_refused_with_the_reason(old: str, new: str, why: str) -> None:
    assert old in NOTE
    with pytest.raises(Explained, match="not made a FHIR document") as refused:
        to_bundle(NOTE.replace(old, new, 1), "p-1", SEEN)
    assert why in str(refused.value)


def test_an_empty_note_and_a_time_without_zone_are_refused() -> None:
    with pytest.raises(Explained, match="nothing stands in section S, O, A, P"):
        to_bundle("", "p-1", SEEN)
    with pytest.raises(Explained, match="no time zone"):
        to_bundle(NOTE, "p-1", datetime(2025, 9, 3))


def test_problems_are_seen() -> None:
    document = json.loads(to_bundle(NOTE, "p-1", SEEN).model_dump_json())
    document["entry"][0]["resource"]["status"] = "ready"
    document["entry"][0]["resource"]["section"][0]["entry"][0]["reference"] = "urn:uuid:nowhere"
    document["entry"].append(document["entry"][1])
    found = "; ".join(problems(Bundle.model_validate(document)))
    assert "'ready' is not one of" in found and "nowhere leads nowhere" in found and "stands there twice" in found


def test_another_document_is_not_read_as_a_note() -> None:
    with pytest.raises(Explained, match="no document that to_bundle made"):
        to_note(Bundle(type="document", entry=[]))
