"""Writes the curated files: four in chat format, the facts behind every line, and the raw ids of the splits."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from generator.banks import PHRASES, cases
from generator.conversations import COUNTS, Conversation
from generator.facts import Facts
from generator.people import Customer
from generator.replies import expected_json, house_reply

SPLITS = [*COUNTS, "test_new_phrasings"]


def new_phrasings() -> list[Conversation]:
    """The hand-written messages of phrases/new_phrasings.txt, each with a reply in house style."""
    text = (PHRASES / "new_phrasings.txt").read_text(encoding="utf-8")
    text = "\n".join(line for line in text.splitlines() if not line.startswith("#") or line[1:2].isdigit())
    by_name = {f"{case.intent}/{case.name}": case for case in cases()}
    made = []
    for block in text.strip().split("\n\n"):
        head, message = block.strip().split("\n", 1)
        name, priority, first, order, product = (cell.strip() for cell in head.split("|"))
        facts = Facts(
            case=by_name[name],
            customer=Customer(first.strip("-"), "", ""),
            order=None if order == "-" else order,
            product=None if product == "-" else product,
            priority=priority,
            created=datetime(2025, 11, 24),
        )
        turns = [("customer", message), ("agent", house_reply(facts))]
        made.append(Conversation(facts, turns, "test_new_phrasings", "Bridget", "ticket"))
    return made


def split(conversations: list[Conversation]) -> dict[str, list[Conversation]]:
    """The curated conversations by split: training in a fixed shuffled order, the others by date."""
    found = {name: [c for c in conversations if c.use == name] for name in COUNTS}
    for name, chosen in found.items():
        chosen.sort(key=lambda c: (c.facts.created, c.raw_id))
        if name == "train":
            random.Random("order of training").shuffle(chosen)
    return found


def facts_row(name: str, line: int, conversation: Conversation) -> dict[str, object]:
    """What one line is about, for graders, slices and tests."""
    facts = conversation.facts
    return {
        "split": name,
        "line": line,
        "raw_id": conversation.raw_id or None,
        "intent": facts.case.intent,
        "case": facts.case.name,
        "first_name": facts.customer.first or None,
        "full_name": facts.customer.full or None,
        "town": facts.customer.town or None,
        "order": f"LM-{facts.order}" if facts.order else None,
        "product": facts.product,
        "priority": facts.priority,
        "policy": facts.case.policy,
        "turns": len(conversation.turns),
        "expected_json": expected_json(facts),
    }


def write_lines(path: Path, rows: Iterable[object]) -> None:
    """JSON Lines in UTF-8."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8", newline="\n")


def write_curated(splits: dict[str, list[Conversation]], folder: Path) -> None:
    """Every split, the facts and the raw ids."""
    rows = []
    for name, conversations in splits.items():
        write_lines(folder / f"{name}.jsonl", [{"messages": c.messages} for c in conversations])
        rows += [facts_row(name, line, c) for line, c in enumerate(conversations, start=1)]
    write_lines(folder / "facts.jsonl", rows)
    ids = {name: [c.raw_id for c in splits[name]] for name in COUNTS}
    (folder / "split_ids.json").write_text(json.dumps(ids, indent=1) + "\n", encoding="utf-8", newline="\n")
