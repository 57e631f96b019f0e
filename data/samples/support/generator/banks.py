"""Reads the phrase banks and the house style: plain text files that a person can edit.

A bank is a text file of `[section]` headings with one phrase a line; lines that start with `#` are comments.
The policies and actions come from the tables of house_style.md, so the style guide is the only place they are written.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1]
PHRASES = FOLDER / "phrases"

# The cases in the order of the policy table, with how often each is asked (relative weights).
# A case that needs no order number has needs_order False.
CASES = [
    ("send_back", "any", 52, True),
    ("send_back", "gift", 24, True),
    ("mend", "any", 50, True),
    ("unsafe", "any", 28, True),
    ("late_parcel", "any", 44, True),
    ("missing_parcel", "any", 28, True),
    ("damaged", "crushed", 24, True),
    ("damaged", "box_fine", 24, True),
    ("wrong_item", "any", 28, True),
    ("part", "missing_from_box", 22, True),
    ("part", "lost_or_broken", 22, True),
    ("change_address", "any", 28, True),
    ("cancel", "any", 30, True),
    ("invoice", "any", 26, True),
    ("double_charge", "any", 26, True),
    ("price_drop", "any", 22, True),
    ("stock", "any", 24, False),
    ("care", "any", 24, False),
    ("trade", "any", 18, False),
    ("take_back", "any", 18, False),
    ("abroad", "any", 20, False),
    ("praise", "any", 18, False),
]

# How often the customer of an intent names no product (0 where not listed).
UNNAMED_PRODUCT = {
    "late_parcel": 0.3,
    "missing_parcel": 0.3,
    "change_address": 0.4,
    "cancel": 0.25,
    "invoice": 0.4,
    "double_charge": 0.35,
    "trade": 0.3,
    "take_back": 1.0,
    "abroad": 0.35,
    "praise": 0.35,
}

# Policy sentences in force before 1 March 2025; house_style.md tells the change in its History.
OLD_POLICY = {
    ("send_back", "any"): "Send-backs are free for 30 days, money back to the card.",
    ("mend", "any"): "Mends are free for 4 years, then 25 pounds.",
    ("part", "lost_or_broken"): "A lost or broken part costs 6 pounds.",
    ("trade", "any"): "Trade starts at 20 pieces, with 15 percent off.",
}


class Decks:
    """Draws phrases as from shuffled decks: each of them comes up once before any comes up again."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.decks: dict[tuple[str, ...], list[str]] = {}

    def draw(self, phrases: Sequence[str]) -> str:
        deck = self.decks.setdefault(tuple(phrases), [])
        if not deck:
            deck.extend(phrases)
            self.rng.shuffle(deck)
        return deck.pop()


@dataclass(frozen=True)
class Case:
    """One row of the policy table: what is asked, and what the house answers."""

    intent: str
    name: str
    weight: int
    needs_order: bool
    policy: str
    action: str


@cache
def bank(name: str) -> dict[str, list[str]]:
    """The sections of phrases/<name>.txt: heading to phrases. A heading read twice is joined."""
    sections: dict[str, list[str]] = {}
    heading = ""
    for line in (PHRASES / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("[") and line.endswith("]"):
            heading = line[1:-1]
            sections.setdefault(heading, [])
        elif line.strip() and not line.startswith("#"):
            sections[heading].append(line)
    return sections


def style_table(first_heading: str) -> list[list[str]]:
    """The rows of the house style's table whose first column is called `first_heading`."""
    rows: list[list[str]] = []
    inside = False
    for line in (FOLDER / "house_style.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split("|")]
        if line.startswith(f"| {first_heading} |"):
            inside = True
        elif inside and line.startswith("| "):
            rows.append(cells)
        elif not line.startswith("|"):
            inside = False
    return rows


@cache
def cases() -> list[Case]:
    """Every case with its policy sentence and action, in the order of the policy table."""
    rows = style_table("intent")
    if [row[0] for row in rows] != [intent for intent, *_ in CASES]:
        raise ValueError("The policy table of house_style.md and CASES in banks.py list different intents: align them.")
    return [Case(*case, policy=row[2], action=row[3]) for case, row in zip(CASES, rows, strict=True)]


@cache
def action_words() -> dict[str, str]:
    """For every action the words that the next step must contain."""
    return {row[0]: row[1] for row in style_table("action")}
