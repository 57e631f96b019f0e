"""Reads notes of the healthcare case as data/samples/soap/note_guide.md has them written: sections, lines, values.

The forms of lines, their sections and their order come from the guide's own table, so that it stays the one place where
they are written. FOR LEARNING, NOT FOR CARE: the notes, patients and medicines of the sample are invented.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

GUIDE = Path(__file__).resolve().parents[3] / "data" / "samples" / "soap" / "note_guide.md"
SECTIONS = ("S", "O", "A", "P")
OFTEN = (
    r"(?:once|twice|three times|four times) daily|every \d{1,2} hours|every morning|at bedtime|once weekly"  # rule 7
)
DOSE = r"\d+(?:\.\d+)? (?:mg|mcg|ml)\b"
SPAN = r"\d+ (?:days|weeks|months|years)"
SLOTS = {"medicine": r"[A-Z][a-z]+", "dose": DOSE, "how often": OFTEN, "duration": SPAN, "when": SPAN}
SLOTS |= dict.fromkeys(("n", "high", "low"), r"\d+(?:\.\d+)?")
FREE = r"[^\s.](?:[^.]|\.(?=\d))*"  # words up to the full stop, which a decimal point is not
HEADING = re.compile(
    r"^\W*(?:(S|O|A|P)\W*$|(S|O|A|P)\W*:|(subjective|objective|assessment|plan)\b\W*)", re.IGNORECASE | re.MULTILINE
)
TAKEN = ("takes", "start", "change")  # the forms with a dose


class Form(NamedTuple):
    """A form of line: its section, its words before the first value, and what a whole line looks like."""

    section: str
    opening: str
    pattern: re.Pattern[str]
    line: str


class Fact(NamedTuple):
    """What one line says. `form` is None for a line that is not in the clinic's style; `section` "" before any."""

    section: str
    form: str | None
    values: tuple[str, ...]
    text: str


@cache
def guide() -> str:
    """Return the text of note_guide.md; raises FileNotFoundError with what to do when the sample is not there."""
    if not GUIDE.is_file():
        raise FileNotFoundError(f"{GUIDE} is missing. Run the course from its own folder, with data/samples in it.")
    return GUIDE.read_text(encoding="utf-8")


@cache
def forms() -> dict[str, Form]:
    """Return the forms of lines by name, in the guide's order."""
    found = {}
    for row in guide().split("| form |")[1].splitlines()[2:]:
        name, section, line, _ = (cell.strip() for cell in row.strip("| ").split(" | "))
        pieces = re.split(r"<([^>]+)>", line)
        pattern = "".join(
            f"({SLOTS.get(piece, FREE)})" if at % 2 else re.escape(piece) for at, piece in enumerate(pieces)
        )
        opening = pieces[0] if len(pieces) > 1 else line
        found[name] = Form(section, opening, re.compile(pattern), line)
    return found


def read_note(note: str) -> list[Fact]:
    """Return the facts of a note, line by line; headings only say where the lines after them stand.

    Other people's notes are read as far as they go: "Subjective:" is a heading too, several sentences on a line are
    several facts, and what is in no form of the guide has form None and no values.
    """
    facts: list[Fact] = []
    section = ""
    for line in note.splitlines():
        heading = HEADING.match(line.strip())
        if heading:
            section = (heading[1] or heading[2] or heading[3][0]).upper()
            line = line.strip()[heading.end() :]
        for text in re.split(r"(?<=[.;])\s+", line.strip(" *-\u2022\t")):
            if re.search(r"\w", text):
                facts.append(read_line(text.strip(), section))
    return facts


def read_line(text: str, section: str) -> Fact:
    """Return what one line says; a form of another section is read as well."""
    for name, form in forms().items():
        if (match := form.pattern.fullmatch(text)) is not None:
            return Fact(section, name, match.groups(), text)
    return Fact(section, None, (), text)


def write_line(form: str, values: tuple[str, ...]) -> str:
    """Return the line that says these values."""
    left = list(values)
    return re.sub(r"<[^>]+>", lambda _: left.pop(0), forms()[form].line)


def gold_facts(note: str) -> list[Fact]:
    """Return the facts of a note in the clinic's style. Raises ValueError where a line is in no form of the guide."""
    facts = read_note(note)
    strange = [fact.text for fact in facts if fact.form is None]
    if strange or not facts:
        raise ValueError(f"This gold note is not in the clinic's style, so nothing can be judged by it: {strange}")
    return facts


def good_prompt() -> str:
    """Return the long system prompt that a careful practitioner would write: the guide's rules and forms of lines."""
    rules = re.findall(r"^\d+\. \*\*.*?\*\* (.*)$", guide(), re.MULTILINE)
    lines = [f"{form.section}: {form.line}" for form in forms().values()]
    return "\n".join(["Write the Oxmere clinic's SOAP note of this visit. Keep every rule.", *rules, "", *lines])
