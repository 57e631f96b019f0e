"""Reads the phrase banks: plain text files that a person can edit, and how a phrase is drawn and expanded.

A bank is a text file of `[section]` headings with one phrase a line; lines that start with `#` are comments. In a
phrase `[a|b]` is one of the two, and `{name}` is filled in.
"""

from __future__ import annotations

import random
import re
from functools import cache
from pathlib import Path

PHRASES = Path(__file__).resolve().parents[1] / "phrases"
CHOICE = re.compile(r"\[([^\[\]]*)\]")


@cache
def bank(name: str) -> dict[str, list[str]]:
    """The sections of phrases/<name>.txt: heading to phrases."""
    sections: dict[str, list[str]] = {}
    heading = ""
    for line in (PHRASES / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("[") and line.endswith("]"):
            heading = line[1:-1]
            sections[heading] = []
        elif line.strip() and not line.startswith("#"):
            sections[heading].append(line)
    return sections


@cache
def words(section: str) -> list[str]:
    """The entries of a section of words.txt, parted by semicolons or, where there are none, by spaces."""
    text = " ".join(bank("words")[section])
    return [entry.strip() for entry in (text.split(";") if ";" in text else text.split())]


@cache
def complaints(name: str) -> dict[str, dict[str, list[str]]]:
    """Every complaint of phrases/<name>.txt with its lists: say, worse, eased, ask, exam, impression, order, advise."""
    found = {}
    for complaint, lines in bank(name).items():
        lists = dict(line.split(": ", 1) for line in lines)
        found[complaint] = {key: [entry.strip() for entry in text.split(";")] for key, text in lists.items()}
    return found


class Decks:
    """Draws phrases as from shuffled decks: each of them comes up once before any comes up again."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.decks: dict[tuple[str, ...], list[str]] = {}

    def draw(self, phrases: list[str]) -> str:
        deck = self.decks.setdefault(tuple(phrases), [])
        if not deck:
            deck.extend(phrases)
            self.rng.shuffle(deck)
        return deck.pop()

    def expand(self, phrase: str) -> str:
        """The phrase with one of each `[a|b]` chosen, each as often as the others."""
        return CHOICE.sub(lambda match: self.draw(match[1].split("|")), phrase)


def fill(phrase: str, values: dict[str, str]) -> str:
    """The phrase with its placeholders filled, and a capital at the start of each turn's sentences."""
    text = re.sub(r"\{(\w+)\}", lambda match: values[match[1]], phrase)
    return re.sub(r"(^|: |[.?!] +)([a-z])", lambda match: match[1] + match[2].upper(), text)
