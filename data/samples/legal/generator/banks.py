"""Reads the phrase banks: plain text files of `[section]` headings with one phrase a line, for a person to edit."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

PHRASES = Path(__file__).resolve().parents[1] / "phrases"
HELD_OUT = ("cargo", "pollution")  # matter types of test_new_matters alone
ENDINGS = {"persons": "PERSON", "payments": "PAYMENT"}  # what each of three details belongs to


@cache
def bank(name: str) -> dict[str, list[str]]:
    """The sections of phrases/<name>.txt: heading to phrases."""
    sections: dict[str, list[str]] = {}
    heading = ""
    for line in (PHRASES / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("[") and line.endswith("]"):
            heading = line[1:-1]
            sections.setdefault(heading, [])
        elif line.strip() and not line.startswith("#"):
            sections[heading].append(line)
    return sections


@cache
def matter_types() -> list[str]:
    """Every matter type, the two held out last."""
    return [heading.removesuffix(" head") for heading in bank("matters") if heading.endswith(" head")]


@cache
def asks() -> dict[str, tuple[str, str]]:
    """What can be asked: name to (kind, opening words), from the style guide's table."""
    return {row[1]: (row[0], row[2]) for row in style_table("Asking")}


@cache
def clauses() -> dict[str, tuple[str, str]]:
    """Kind to (heading, clause), from the style guide's table."""
    return {row[0]: (row[1], row[2]) for row in style_table("Clauses")}


def style_table(section: str) -> list[list[str]]:
    """The rows of the table in a section of style_guide.md, without its head."""
    text = (PHRASES.parent / "style_guide.md").read_text(encoding="utf-8")
    body = text.split(f"## {section}\n")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in body.splitlines() if line[:2] == "| "]
    return rows[1:]


class Decks:
    """Draws phrases as from shuffled decks: each of them comes up once before any comes up again."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.decks: dict[tuple[str, ...], list[str]] = {}

    def draw(self, phrases: list[str]) -> str:
        """One of the phrases."""
        deck = self.decks.setdefault(tuple(phrases), [])
        if not deck:
            deck.extend(phrases)
            self.rng.shuffle(deck)
        return deck.pop()
