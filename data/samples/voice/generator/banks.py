"""Reads the phrase banks, plain text files that a person can edit, and draws from them.

A bank is a text file of `[section]` headings; lines that start with `#` are comments. Files of phrases have one a line,
where (a|b) stands for either; files of words have them apart by ";". {n 5 45} is a whole number of that range.
"""

from __future__ import annotations

import random
import re
from functools import cache
from pathlib import Path

PHRASES = Path(__file__).resolve().parents[1] / "phrases"


@cache
def bank(name: str) -> dict[str, list[str]]:
    """The sections of phrases/<name>.txt: heading to lines."""
    sections: dict[str, list[str]] = {}
    heading = ""
    for line in (PHRASES / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if found := re.fullmatch(r"\[([\w ]+)\]", line):
            heading = found[1]
            sections.setdefault(heading, [])
        elif line.strip() and not line.startswith("# "):
            sections[heading].append(line)
    return sections


@cache
def words(name: str, section: str) -> list[str]:
    """The words of a section, apart by ";"."""
    return [word.strip() for line in bank(name)[section] for word in line.split(";") if word.strip()]


def a(thing: str) -> str:
    """The thing with its article."""
    return f"{'an' if thing[0].lower() in 'aeiou' else 'a'} {thing}"


class Decks:
    """Draws phrases as from shuffled decks: each of them comes up once before any comes up again."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.decks: dict[tuple[str, ...], list[str]] = {}

    def draw(self, phrases: list[str]) -> str:
        """The next phrase of these, with its alternatives and numbers settled."""
        deck = self.decks.setdefault(tuple(phrases), [])
        if not deck:
            deck.extend(phrases)
            self.rng.shuffle(deck)
        return self.settle(deck.pop())

    def settle(self, phrase: str) -> str:
        """The phrase with one of (a|b) and a number for {n 5 45}."""
        text = re.sub(r"\(([^()]*\|[^()]*)\)", lambda m: self.rng.choice(m[1].split("|")), phrase)
        return re.sub(r"\{n (\d+) (\d+)\}", lambda m: str(self.rng.randint(int(m[1]), int(m[2]))), text)
