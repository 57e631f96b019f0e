"""Pieces for the judge: the house voice and others, about products that stand in no split.

The held-out part is about the later range, in the other half of the other voices' phrases, and holds a voice (earnest)
that the judge does not learn from.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from typing import Any

from generator.pieces import House, Others
from generator.products import CHANNELS, LATER, START, Facts, Shelf

LEARN = {"house": 160, "almost": 110, "mate": 36, "sparkle": 36, "hush": 36, "ledger": 36, "broken": 45}
HELD_OUT = {"house": 90, "almost": 60, "mate": 24, "sparkle": 24, "hush": 24, "ledger": 24, "earnest": 24, "broken": 24}


def judge_rows(seed: int, taken: set[str]) -> list[dict[str, Any]]:
    """The lines of judge.jsonl: part, voice, house (whether it is the house voice), text, and the facts."""
    rng = random.Random(f"{seed} judge")
    shelf = Shelf(rng)
    shelf.taken |= taken
    rows = []
    for half, (part, counts, day) in enumerate([("learn", LEARN, START), ("held_out", HELD_OUT, LATER)]):
        house, others = House(rng), Others(rng, half)
        for voice, count in counts.items():
            for place in range(count):
                facts = shelf.product(CHANNELS[place % 3], day, complete=voice not in ("house", "almost", "broken"))
                text = writer(voice, house, others)(facts)
                rows.append(
                    {"part": part, "voice": voice, "house": voice == "house", "text": text} | _facts(facts, day)
                )
    return rows


def writer(voice: str, house: House, others: Others) -> Callable[[Facts], str]:
    """What writes a piece in a voice."""
    own = {"house": house.piece, "almost": others.almost, "broken": others.broken}
    return own[voice] if voice in own else lambda facts: others.piece(voice, facts)


def _facts(facts: Facts, day: date) -> dict[str, Any]:
    return {key: value for key, value in facts.row().items() if key != "secret"}
