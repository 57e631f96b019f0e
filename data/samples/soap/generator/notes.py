"""Writes the gold note of a visit from its facts; the forms and their order are those of note_guide.md."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

GUIDE = Path(__file__).resolve().parents[1] / "note_guide.md"
SECTIONS = "SOAP"


@cache
def forms() -> dict[str, tuple[str, str]]:
    """Every form of line by name: its section and its pattern with <…> to be filled, in the order of the guide."""
    found = {}
    for line in GUIDE.read_text(encoding="utf-8").split("| form |")[1].splitlines()[2:]:
        name, section, pattern, _ = (cell.strip() for cell in line.strip("| ").split(" | "))
        found[name] = (section, pattern)
    return found


def note_line(form: str, values: tuple[str, ...]) -> str:
    """One line of the note: the form's pattern with its values."""
    left = list(values)
    line = re.sub(r"<[^>]+>", lambda _: left.pop(0), forms()[form][1])
    if left:
        raise ValueError(f"The form {form} of note_guide.md takes fewer values than {values}.")
    return line


def gold_note(facts: list[tuple[str, tuple[str, ...]]]) -> str:
    """The note that holds these facts, which may come in any order between the forms."""
    lines = []
    for section in SECTIONS:
        lines.append(f"{section}:")
        for form, (where, _) in forms().items():
            if where == section:
                lines += [note_line(form, values) for name, values in facts if name == form]
    return "\n".join(lines)
