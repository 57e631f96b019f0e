"""Reads the clinic's raw export of the healthcare case, mends what is mendable and says which visits cannot be used.

    visits = read_export("data/samples/soap/raw")
    kept, dropped = usable(visits)
    examples, names = to_examples(kept)       # next: helpers.cases.soap_deidentify

A visit's talk is in one of two recorders' files, its note in notes.csv, and who it is about in patients.csv, which is
joined for the names alone: no other column of it goes on. FOR LEARNING, NOT FOR CARE.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.cases.soap_style import TAKEN, read_note
from helpers.errors import Explained
from helpers.load import load

SYSTEM = "Write the Oxmere clinic's SOAP note of this visit."
FILES = ("patients.csv", "recorder.jsonl", "recorder_old.csv", "notes.csv")
STAMPED = re.compile(r"^\[\d\d:\d\d\] *(DR|PT|RN): *", re.MULTILINE)
SPEAKERS = {"DR": "Doctor", "PT": "Patient", "RN": "Nurse"}
HEADER = re.compile(r"\APatient: .*? MRN: (\d+)\s+", re.DOTALL)
FOOTER = re.compile(r"\s*(?:Signed electronically by|DRAFT, not signed).*\Z", re.DOTALL)
CURLY = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'})


def read_export(folder: Path | str) -> pd.DataFrame:
    """Return one row a recorded visit, in the order of the files, mended.

    Columns: file, row, encounter, mrn, seen, name, author, status, talk, note, note_mrn (whom the note's header names);
    "" where there is nothing. Raises Explained where a file is missing or lacks a column.
    """
    folder = Path(folder)
    if missing := [name for name in FILES if not (folder / name).is_file()]:
        raise Explained(f"{folder} holds no {', '.join(missing)}. Name the folder of the clinic's export.")
    tables = {name: _table(folder / name) for name in FILES}
    talks = pd.concat([tables["recorder.jsonl"], tables["recorder_old.csv"]], ignore_index=True)
    talks = talks[["file", "row", "encounter", "mrn", "seen", "talk"]].astype({"mrn": str})
    notes = tables["notes.csv"].drop_duplicates("encounter")[["encounter", "author", "status", "note"]]
    patients = tables["patients.csv"][["mrn", "name"]].astype(str)
    visits = talks.merge(notes, on="encounter", how="left").merge(patients, on="mrn", how="left").fillna("")
    header = visits["note"].str.extract(HEADER, expand=False)
    visits["note_mrn"] = header.fillna("")
    visits["note"] = visits["note"].map(clean_note)
    visits["talk"] = visits["talk"].map(clean_talk)
    return visits


def _table(path: Path) -> pd.DataFrame:
    return load(path).rows


def clean_talk(text: str) -> str:
    """Return a talk in the newer recorder's form: straight quotation marks, no time stamps, speakers in full."""
    text = STAMPED.sub(lambda match: f"{SPEAKERS[match[1]]}: ", str(text).translate(CURLY))
    return "\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip())


def clean_note(text: str) -> str:
    """Return the note without the record system's header and signature."""
    return FOOTER.sub("", HEADER.sub("", str(text).replace("\r\n", "\n"))).strip()


def usable(visits: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the visits fit for training, and the others with the reason in a column `why`."""
    visits = visits.assign(why=[fault(visit) for visit in visits.to_dict("records")])
    again = visits.duplicated("encounter") & (visits["why"] == "")
    visits.loc[again, "why"] = "exported twice"
    fit = visits["why"] == ""
    return visits[fit].drop(columns="why").reset_index(drop=True), visits[~fit].reset_index(drop=True)


def fault(visit: dict[str, Any]) -> str:
    """Return why a visit cannot be used for training, or ""."""
    if not visit["talk"]:
        return "nothing recorded"
    if not visit["note"]:
        return "no note"
    if visit["status"] != "final":
        return "note not signed"
    if visit["note_mrn"] != visit["mrn"]:
        return "note of another patient"
    facts = read_note(visit["note"])
    if any(fact.form is None for fact in facts):
        return "not in the clinic's style"
    unheard = {f.values[0] for f in facts if f.form in (*TAKEN, "stop") and f.values[0] not in visit["talk"]}
    return "carried forward from an earlier note" if unheard else ""


def to_examples(visits: pd.DataFrame) -> tuple[list[dict[str, Any]], list[list[str]]]:
    """Return chat examples, with the names still in them, and for each the names that the export knows."""
    examples = [
        {
            "messages": [
                {"role": "system", "content": SYSTEM},
                {"role": "user", "content": visit["talk"]},
                {"role": "assistant", "content": visit["note"]},
            ]
        }
        for visit in visits.to_dict("records")
    ]
    names = [[visit["name"], visit["author"].removeprefix("Dr ")] for visit in visits.to_dict("records")]
    return examples, names
