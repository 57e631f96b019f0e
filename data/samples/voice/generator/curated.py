"""Writes the curated files: four splits in chat format, and the facts behind every line."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path
from typing import Any

from generator.banks import Decks, words
from generator.briefs import new_briefs
from generator.pieces import House
from generator.products import LATER, Shelf
from generator.records import Record
from helpers.workspace import write_jsonl

SYSTEM = "You write the copy of Moth & Biscuit, by its voice guide."
VALIDATION = 60
USES = 2  # of each brief that was written apart


def split(chosen: list[Record], seed: int) -> dict[str, list[Record]]:
    """The chosen records: those of the new range are the test set; of the others some are for validation."""
    test = [record for record in chosen if record.facts.day >= LATER]
    rest = [record for record in chosen if record.facts.day < LATER]
    random.Random(f"{seed} split").shuffle(rest)
    return {"train": rest[VALIDATION:], "validation": rest[:VALIDATION], "test": test}


def new_kinds(seed: int) -> list[Record]:
    """Kinds of product and wordings of briefs that are found nowhere else, each with its piece in the house voice."""
    rng = random.Random(f"{seed} new kinds")
    shelf, house, decks = Shelf(rng), House(rng), Decks(rng)
    made = []
    for channel, text in new_briefs() * USES:
        facts = shelf.product(channel, date(2025, 12, 1), new=True)
        if "{code}" in text and not facts.code:
            shelf.offer(facts, new=True)
        elif "{code}" not in text:
            facts.deal, facts.code, facts.ends = "", "", None
        shelf.shorten(facts, new=True)
        brief = text.format(**facts.fills() | {"buyer": decks.draw(words("new_products", "buyer"))})
        facts.secret = {key: facts.secret[key] for key in ("cost", "stock", "supplier") if f"{{{key}}}" in text}
        if "{colour}" not in text:
            facts.material = facts.colour = facts.size = ""
        elif "{size}" not in text:
            facts.size = ""
        made.append(Record(facts, brief, house.piece(facts), "house", ""))
    return made


def write_curated(splits: dict[str, list[Record]], folder: Path) -> list[dict[str, Any]]:
    """Writes every split and facts.jsonl, and returns the rows of the latter."""
    rows = []
    for name, records in splits.items():
        turns = [[("system", SYSTEM), ("user", record.brief), ("assistant", record.clean)] for record in records]
        examples = [{"messages": [{"role": role, "content": text} for role, text in turn]} for turn in turns]
        write_jsonl(folder / f"{name}.jsonl", examples)
        for line, record in enumerate(records, start=1):
            head = {"split": name, "line": line, "raw_id": record.id or None, "day": record.facts.day.isoformat()}
            rows.append(head | record.facts.row())
    write_jsonl(folder / "facts.jsonl", rows)
    return rows
