"""The legal case's style guide, data/samples/legal/style_guide.md: its tables, and what a draft in style says."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from helpers.errors import Explained

STYLE_GUIDE = Path(__file__).resolve().parents[3] / "data" / "samples" / "legal" / "style_guide.md"
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
DATE = rf"(?:{MONTHS}) [1-9]\d?, \d{{4}}"
CODE = r"[A-Z]{2}-\d{4}"
BATES = r"[A-Z]{3}-\d{4}"
ROLES = "Plaintiff|Defendant"


class Request(NamedTuple):
    """What one request asks. `to` and `client` are role and name, `act` what was done to the subject ("inspected", "the
    audit of"), `first` and `last` dates in the firm's form."""

    kind: str
    ask: str
    number: str
    code: str
    to: str
    act: str
    subject: str
    first: str
    last: str
    details: tuple[str, ...]
    bates: tuple[str, ...]
    days: str
    client: str
    attorney: str


def read(text: str) -> Request:
    """Return what a draft in the firm's style asks. Raises ValueError for a text that is not in that style."""
    if strange := re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text.strip()):
        raise ValueError(f"This request holds the character {strange[0]!r}, which no document can: {text[:120]!r}")
    openings = sorted(asks().items(), key=lambda row: -len(row[1][1]))
    for ask, (kind, opening) in openings:
        heading, clause = clauses()[kind]
        found = re.fullmatch(
            rf"{heading} NO\. (?P<number>[1-9]\d*) \[(?P<code>{CODE})\]\n"
            rf"To (?P<to>(?:{ROLES}) [^:\n]+): {opening} (?P<act>[^.\n]+?) (?P<subject>the [A-Z][\w'-]* [a-z ]+)"
            rf" from (?P<first>{DATE}), through (?P<last>{DATE})"
            rf"(?:, (?:with the|including) (?P<details>[\w', -]+?)(?: of each [A-Z]+)?)?\."
            rf"(?: Refer to Bates (?P<bates>{BATES} to {BATES})\.)?\n"
            rf"{re.escape(clause)}\nRespond within (?P<days>\d+) days of service\.\n"
            rf"For (?P<client>(?:{ROLES}) [^:\n]+): (?P<attorney>[^:\n]+)",
            text.strip(),
        )
        if found:
            parts = found.groupdict()
            details = tuple(re.split(r", and |, ", parts.pop("details") or "")) if found["details"] else ()
            bates = tuple((parts.pop("bates") or "").split(" to ")) if found["bates"] else ()
            parts = {name: value for name, value in parts.items() if name not in ("details", "bates")}
            return Request(kind=kind, ask=ask, details=details, bates=bates, **parts)
    raise ValueError(f"This is no request in the firm's style, so nothing can be judged by it: {text[:120]!r}")


@cache
def style_guide() -> str:
    """Return the text of style_guide.md. Raises Explained where the sample is not there."""
    if not STYLE_GUIDE.is_file():
        raise Explained(f"{STYLE_GUIDE} is missing. Run the course from its own folder, with data/samples in it.")
    return STYLE_GUIDE.read_text(encoding="utf-8")


def table(section: str) -> list[list[str]]:
    """Return the rows of the table in a section of the style guide, without its head."""
    body = style_guide().split(f"## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in body.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


@cache
def asks() -> dict[str, tuple[str, str]]:
    """Return for all that can be asked, such as "persons", its kind and its opening words."""
    return {row[1]: (row[0], row[2]) for row in table("Asking")}


@cache
def clauses() -> dict[str, tuple[str, str]]:
    """Return for every kind its heading and its clause."""
    return {row[0]: (row[1], row[2]) for row in table("Clauses")}


@cache
def definitions() -> dict[str, str]:
    """Return what every defined term means."""
    return dict(table("Definitions"))


def good_prompt() -> str:
    """Return the system prompt that a careful practitioner would write: every rule, opening word and clause."""
    rules = re.findall(r"^\d+\. \*\*.*?\*\* (.*)$", style_guide(), re.MULTILINE)
    example = style_guide().split("```")[1].strip()
    return "\n".join(
        [
            "You draft discovery requests for Thessaly Oake LLP from an associate's notes. Keep every rule.",
            *rules,
            "",
            *[f"{ask.replace('_', ' ')}: {opening}" for ask, (_, opening) in asks().items()],
            *[f"{heading}: {clause}" for heading, clause in clauses().values()],
            "",
            "Example:",
            example,
        ]
    )
