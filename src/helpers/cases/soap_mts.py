"""Makes chat examples of a file in the shape of MTS-Dialog: real doctors' talks, each with one section of its note.

    examples, places, left = mts_examples("MTS_Dataset_TrainingSet.csv")

The columns are ID, section_header, section_text and dialogue (Ben Abacha and others, "An Empirical Study of Clinical
Note Generation from Doctor-Patient Encounters", EACL 2023; CC BY 4.0). The twenty headers are theirs; to which part of
a SOAP note each belongs is this course's reading. The data are not shipped: fetch them from
github.com/abachaa/MTS-Dialog.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from helpers.clean import mend_encoding
from helpers.convert import Converted, convert
from helpers.errors import Explained
from helpers.load import PLACE, load

COLUMNS = ("section_header", "section_text", "dialogue")
SECTIONS = {  # header: part of a SOAP note, its name in words
    "CC": ("S", "chief complaint"),
    "GENHX": ("S", "history of present illness"),
    "ROS": ("S", "review of systems"),
    "PASTMEDICALHX": ("S", "past medical history"),
    "PASTSURGICAL": ("S", "past surgical history"),
    "FAM/SOCHX": ("S", "family and social history"),
    "GYNHX": ("S", "gynaecological history"),
    "OTHER_HISTORY": ("S", "other history"),
    "ALLERGY": ("S", "allergies"),
    "MEDICATIONS": ("S", "medications"),
    "IMMUNIZATIONS": ("S", "immunizations"),
    "EXAM": ("O", "examination"),
    "IMAGING": ("O", "imaging"),
    "LABS": ("O", "laboratory results"),
    "ASSESSMENT": ("A", "assessment"),
    "DIAGNOSIS": ("A", "diagnosis"),
    "PLAN": ("P", "plan"),
    "DISPOSITION": ("P", "disposition"),
    "EDCOURSE": ("P", "emergency department course"),
    "PROCEDURES": ("P", "procedures"),
}
TURN = re.compile(r"\s*\b((?:Doctor|Docotr|Patient|G(?:u)?est_[a-z]+)(?:_?\d)?)[ \t]*:[ \t]*")


def mts_examples(path: Path | str) -> Converted:
    """Return chat examples: the system message names the section, the user is the talk, the answer the section's text.

    A talk has one turn a line; white space is made single and broken characters are mended. Rows with another header,
    with nothing in them, or with a talk and section that stand there before are in `left`: file, row, why. Raises
    Explained where the file cannot be read or has other columns.
    """
    rows = load(path).rows
    if missing := [name for name in COLUMNS if name not in rows]:
        raise Explained(f"{path} has no column {', '.join(missing)}, so it is not in MTS-Dialog's shape.")
    header = rows["section_header"].map(lambda name: str(name).strip().upper())
    made = pd.DataFrame(
        {
            "system": header.map(_system),
            "prompt": rows["dialogue"].map(clean_dialogue),
            "completion": rows["section_text"].map(lambda text: " ".join(mend_encoding(str(text or "")).split())),
            **{column: rows[column] for column in PLACE},
        }
    )
    why = pd.Series("", index=made.index)
    why[made.duplicated(["system", "prompt"])] = "The same talk and section stand there before."
    why[~header.isin(SECTIONS)] = "Its section header is none of MTS-Dialog's twenty."
    fit = made[why == ""]
    done = convert(fit)
    left = rows.loc[why != "", list(PLACE)].assign(why=why[why != ""])
    return done._replace(left=pd.concat([left, done.left], ignore_index=True))


def _system(header: str) -> str:
    letter, name = SECTIONS.get(header, ("?", header.lower()))
    return f"Write the {name} of this visit's note, for section {letter} of a SOAP note."


def clean_dialogue(text: object) -> str:
    """Return a talk with one turn a line, "Doctor: …"; turns that were glued together come apart."""
    mended = " ".join(mend_encoding(str(text or "")).split())
    return TURN.sub(lambda match: f"\n{match[1]}: ", mended).strip()
