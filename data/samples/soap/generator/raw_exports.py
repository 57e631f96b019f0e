"""Writes the clinic's raw export: the register of patients, two recorders' talks, and the notes of the record system.

Each record's defects are returned, so that tests can measure what a cleaning step finds. "mendable" defects leave a
visit that cleaning gives back; the others make it unfit for training.
"""

from __future__ import annotations

import csv
import io
import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

from generator.encounters import LOCUM, SPARE, Encounter
from generator.people import COLUMNS, phone

DEFECTS = {
    "old_recorder": "mendable: time stamps, and DR, PT and RN for the speakers",
    "curly": "mendable: typographic apostrophes",
    "header": "mendable: name, date of birth and record number above the note, the signature under it",
    "identifier": "mendable: somebody says what points to a person",
    "unseen_identifier": "mendable: the same, but by no form or word that a rule knows; only a reader sees it",
    "duplicate": "drop: exported twice",
    "draft": "drop: a note that nobody signed",
    "wrong_patient": "drop: the note of another visit",
    "carried_forward": "drop: the note has lines from another visit, which nobody said in this one",
    "shorthand": "drop: a locum's own style",
    "no_note": "drop: no note",
    "no_talk": "drop: nothing recorded",
}
SPOILT = {"draft": 12, "wrong_patient": 10, "carried_forward": 10, "shorthand": 18, "no_note": 6, "no_talk": 4}
DUPLICATES = 24
SHORT = [
    ("Reports ", "c/o "),
    ("Denies ", "- "),
    (" daily", "/d"),
    ("Exam: ", "o/e "),
    ("Impression: ", "dx "),
    ("S:", ""),
]


def write_raw(encounters: list[Encounter], folder: Path, seed: int) -> list[dict[str, Any]]:
    """Writes raw/ into `folder` and returns the planted truth: a row a talk with its defects and identifiers."""
    rng = random.Random(f"{seed} raw")
    recorded = [e for e in encounters if e.split != "test_new_complaints"]
    recorded.sort(key=lambda e: (e.seen, e.id))
    spoilt = dict(zip((e.id for e in recorded if e.split == "spare"), _kinds(rng), strict=True))
    twice = set(rng.sample([e.id for e in recorded if e.split != "spare"], DUPLICATES))
    new, old, notes, truth = [], [], [], []
    for encounter in recorded:
        kind, on_old = spoilt.get(encounter.id, ""), rng.random() < 0.3
        for copy in range(2 if encounter.id in twice else 1):
            talk, planted = encounter.identifiers.raw(encounter.talk)
            defects = ["header"] + ([kind] if kind else []) + (["duplicate"] if copy else [])
            defects += ["identifier"] if planted else []
            defects += ["unseen_identifier"] if "identifier unseen" in encounter.visit.features else []
            if "'" in talk and rng.random() < 0.12:
                talk = talk.replace("'", "\u2019")
                defects.append("curly")
            talk = "" if kind == "no_talk" else talk
            base = {
                "encounter": encounter.id,
                "mrn": encounter.patient.row["mrn"],
                "seen": f"{encounter.seen:%Y-%m-%d %H:%M}",
            }
            if on_old:
                old.append(base | {"talk": _stamped(talk, rng)})
                defects.append("old_recorder")
                place = {"file": "recorder_old.csv", "row": len(old)}
            else:
                new.append(base | _recorder(encounter, rng) | {"talk": talk})
                place = {"file": "recorder.jsonl", "row": len(new)}
            truth.append(place | {"encounter": encounter.id, "usable": not kind and not copy, "defects": defects,
                                  "identifiers": planted})  # fmt: skip
        if kind != "no_note":
            notes.append(_note(encounter, kind, rng.choice(recorded), rng))
    _write_csv(folder / "patients.csv", [e.patient.row for e in recorded], list(COLUMNS))
    _write_csv(folder / "recorder_old.csv", old, list(old[0]))
    _write_csv(folder / "notes.csv", notes, list(notes[0]))
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in new)
    (folder / "recorder.jsonl").write_text(lines, encoding="utf-8", newline="\n")
    return truth


def _kinds(rng: random.Random) -> list[str]:
    kinds = [kind for kind, count in SPOILT.items() for _ in range(count)]
    assert len(kinds) == SPARE
    rng.shuffle(kinds)
    return kinds


def _recorder(encounter: Encounter, rng: random.Random) -> dict[str, str]:
    """What the newer recorder writes beside the talk: identifiers of its own."""
    return {
        "room": rng.choice(["1", "2", "3", "West"]),
        "recorder": f"SN-{rng.randint(7000, 7009)}",
        "ip": f"192.0.2.{rng.randint(1, 40)}",
        "audio": f"https://audio.example.org/{encounter.id.lower()}.wav",
    }


def _stamped(talk: str, rng: random.Random) -> str:
    """The talk as the old recorder writes it."""
    labels, seconds, lines = {"Doctor": "DR", "Patient": "PT", "Nurse": "RN"}, 0, []
    for line in talk.splitlines():
        who, text = line.split(": ", 1)
        lines.append(f"[{seconds // 60:02d}:{seconds % 60:02d}] {labels[who]}: {text}")
        seconds += rng.randint(2, 11)
    return "\n".join(lines)


def _note(encounter: Encounter, kind: str, other: Encounter, rng: random.Random) -> dict[str, str]:
    """The record system's row: header, note, signature; spoilt as `kind` says."""
    row, note = encounter.patient.row, encounter.note
    if kind == "wrong_patient":
        row, note = other.patient.row, other.note
    elif kind == "carried_forward":
        note = note.replace("\nO:\n", "\nTakes Quinadene 32 mg once daily.\nO:\n")
    elif kind == "shorthand":
        for long, short in SHORT:
            note = note.replace(long, short)
    signed = encounter.seen + timedelta(minutes=rng.randint(8, 300))
    doctor = LOCUM if kind == "shorthand" else encounter.doctor
    footer = (
        f"Signed electronically by {doctor}, licence {encounter.patient.row['licence'][::-1]}, {signed:%m/%d/%Y %H:%M}."
    )
    footer = "DRAFT, not signed." if kind == "draft" else f"{footer} Oxmere Walk-in Clinic, fax {phone(rng)}."
    header = f"Patient: {row['name']}  DOB: {row['birth_date']}  MRN: {row['mrn']}"
    return {
        "encounter": encounter.id,
        "author": doctor,
        "status": "draft" if kind == "draft" else "final",
        "note": f"{header}\n\n{note}\n\n{footer}",
    }


def _write_csv(path: Path, rows: list[dict[str, str]], columns: list[str]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8", newline="\n")
