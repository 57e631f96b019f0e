"""Writes the curated files: the splits in chat format, and the facts behind every line."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from generator.encounters import COUNTS, Encounter


def split(encounters: list[Encounter]) -> dict[str, list[Encounter]]:
    """The encounters by split: training in a fixed shuffled order, the others by date."""
    found = {name: [e for e in encounters if e.split == name] for name in COUNTS}
    for name, chosen in found.items():
        chosen.sort(key=lambda e: (e.seen, e.id))
        if name == "train":
            random.Random("order of training").shuffle(chosen)
    return found


def facts_row(name: str, line: int, encounter: Encounter) -> dict[str, Any]:
    """What one line is about. Its facts stand in the gold note, a line each; here is what is not to be read there."""
    visit = encounter.visit
    return {
        "split": name,
        "line": line,
        "encounter": None if name == "test_new_complaints" else encounter.id,
        "complaint": visit.complaint,
        "features": sorted(visit.features),
        "retracted": visit.retracted,
    }


def write_lines(path: Path, rows: Iterable[object]) -> None:
    """JSON Lines in UTF-8."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8", newline="\n")


def write_curated(splits: dict[str, list[Encounter]], folder: Path) -> None:
    """Every split, and the facts."""
    rows = []
    for name, encounters in splits.items():
        write_lines(folder / f"{name}.jsonl", [{"messages": e.messages} for e in encounters])
        rows += [facts_row(name, line, e) for line, e in enumerate(encounters, start=1)]
    write_lines(folder / "facts.jsonl", rows)
