"""Writes briefs: what the buyers send to the copy desk, in prose, as labelled lines, or as notes run together."""

from __future__ import annotations

import random
import re

from generator.banks import PHRASES, Decks, bank, words
from generator.products import Facts

LAYOUTS = {"prose": 50, "label": 25, "notes": 25}


class Buyers:
    """Write a brief from facts, each phrasing as often as any other."""

    def __init__(self, rng: random.Random) -> None:
        self.rng, self.decks = rng, Decks(rng)

    def brief(self, facts: Facts) -> str:
        """A brief in one of the layouts, its facts in any order; what it leaves out is no fact any more."""
        layout = self.rng.choices(list(LAYOUTS), list(LAYOUTS.values()))[0]
        told = [key for key in ("kind", "material", "colour", "size", "catch", "keith", "price") if getattr(facts, key)]
        if facts.channel == "post" and self.rng.random() < 0.7:  # nobody measures for a post
            told = [key for key in told if key not in ("material", "colour", "size")]
        elif facts.channel == "email" and self.rng.random() < 0.5:
            told.remove("size")
        for key in {"material", "colour", "size"} - set(told):
            setattr(facts, key, "")  # facts are what the brief says
        told += ["offer"] * bool(facts.code) + list(facts.secret)
        self.rng.shuffle(told)
        phrases = bank("briefs")
        parts = [self.decks.draw(phrases[f"{layout} {key}"]) for key in told]
        fills = facts.fills()
        if layout == "label":
            lines = [self.decks.draw(phrases[f"label ask {facts.channel}"]), self.decks.draw(phrases["label name"])]
            return "\n".join(line.format(**fills) for line in [*lines, *parts])
        if layout == "notes":
            ask = self.decks.draw(phrases[f"notes ask {facts.channel}"])
            return self.rng.choice([" / ", "; ", " - "]).join([ask, *parts]).format(**fills)
        ask = self.decks.draw(phrases[f"ask {facts.channel}"])
        parts = [*parts, ask] if self.rng.random() < 0.25 else [ask, *parts]
        parts = [*([self.decks.draw(phrases["hello"])] if self.rng.random() < 0.5 else []), *parts]
        if self.rng.random() < 0.3:
            parts.insert(self.rng.randint(1, len(parts)), self.decks.draw(phrases["beside"]))
        if self.rng.random() < 0.5:
            parts.append(self.decks.draw(phrases["bye"]))
        return " ".join(parts).format(**fills | {"buyer": self.decks.draw(words("briefs", "buyer"))})


def new_briefs() -> list[tuple[str, str]]:
    """Channel and text of each brief that was written apart."""
    text = (PHRASES / "new_briefs.txt").read_text(encoding="utf-8")
    return re.findall(r"^## (\w+)\n(.+)$", text, re.MULTILINE)
