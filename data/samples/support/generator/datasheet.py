"""Measures the sample and writes DATASHEET.md; every figure in it is counted here from the data."""

from __future__ import annotations

import json
import re
import statistics
from collections import Counter
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz, process

from generator.banks import PHRASES, cases
from generator.conversations import COUNTS, Conversation, mask
from generator.defects import DEFECTS

CHARACTERS_PER_TOKEN = 2.6  # measured on train.jsonl with the base's SentencePiece vocabulary of 4,096


def user_text(conversation: Conversation) -> str:
    """All that the customer wrote, masked."""
    return " ".join(mask(text, conversation.facts) for who, text in conversation.turns if who == "customer")


def grams(texts: list[str], n: int) -> set[tuple[str, ...]]:
    """All runs of n words in the masked texts."""
    words = [re.findall(r"[a-z']+|0", text) for text in texts]
    return {tuple(line[i : i + n]) for line in words for i in range(len(line) - n + 1)}


def overlap(held_out: list[Conversation], train: list[Conversation]) -> dict[str, float]:
    """How much of a held-out split occurs in training: masked messages equal or near (95 of 100), and more."""
    ours, theirs = [user_text(c) for c in held_out], [user_text(c) for c in train]
    best = [process.extractOne(text, theirs, scorer=fuzz.ratio)[1] for text in ours]
    five = grams(theirs, 5)
    own: list[set[tuple[str, ...]]] = [grams([text], 5) for text in ours]
    return {
        "exact": sum(text in set(theirs) for text in ours) / len(ours),
        "near": sum(score >= 95 for score in best) / len(ours),
        "median_similarity": statistics.median(best),
        "shared_5grams": sum(len(g & five) for g in own) / max(1, sum(map(len, own))),
        "first_names": len({c.facts.customer.first for c in held_out} & {c.facts.customer.first for c in train} - {""}),
        "orders": len({c.facts.order for c in held_out} & {c.facts.order for c in train} - {None}),
        "products": len({c.facts.product for c in held_out} & {c.facts.product for c in train} - {None}),
    }


def table(head: list[str], rows: list[list[object]]) -> str:
    """A Markdown table."""
    lines: list[list[Any]] = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def lengths(splits: dict[str, list[Conversation]]) -> str:
    rows: list[list[object]] = []
    for name, chosen in splits.items():
        users = [text for c in chosen for who, text in c.turns if who == "customer"]
        replies = [text for c in chosen for who, text in c.turns if who == "agent"]
        whole = [sum(len(m["content"]) for m in c.messages) for c in chosen]
        rows.append(
            [
                name,
                len(chosen),
                sum(len(c.turns) > 2 for c in chosen),
                f"{statistics.mean(map(len, users)):.0f} ({statistics.mean(len(t.split()) for t in users):.0f})",
                f"{statistics.mean(map(len, replies)):.0f} ({statistics.mean(len(t.split()) for t in replies):.0f})",
                f"{statistics.mean(whole) / CHARACTERS_PER_TOKEN:.0f}",
                f"{max(whole) / CHARACTERS_PER_TOKEN:.0f}",
            ]
        )
    head = ["file", "conversations", "of them with two turns each", "customer turn: characters (words)"]
    return table([*head, "reply: characters (words)", "mean tokens, estimated", "longest, estimated"], rows)


def overlaps(splits: dict[str, list[Conversation]]) -> str:
    rows: list[list[object]] = []
    for name in [n for n in splits if n != "train"]:
        found = overlap(splits[name], splits["train"])
        shown = [f"{found['exact']:.1%}", f"{found['near']:.1%}", f"{found['median_similarity']:.0f}"]
        rest = [f"{found['shared_5grams']:.1%}", found["first_names"], found["orders"], found["products"]]
        rows.append([name, *shown, *rest])
    head = ["file", "equal", "near (95 of 100)", "median best similarity", "runs of 5 words also in training"]
    return table([*head, "first names shared", "order numbers shared", "products shared"], rows)


def intents(splits: dict[str, list[Conversation]]) -> str:
    counts = {
        name: Counter((c.facts.case.intent, c.facts.case.name) for c in chosen) for name, chosen in splits.items()
    }
    rows: list[list[object]] = [
        [case.intent, case.name, *(counts[name][case.intent, case.name] for name in splits)] for case in cases()
    ]
    return table(["intent", "case", *splits], rows)


def slices(splits: dict[str, list[Conversation]]) -> str:
    tests = {
        "order number missing in the end": lambda c: c.facts.case.needs_order and c.facts.order is None,
        "no name given": lambda c: not c.facts.customer.first,
        "no product named": lambda c: c.facts.product is None,
        "priority urgent": lambda c: c.facts.priority == "urgent",
        "priority high": lambda c: c.facts.priority == "high",
        "priority normal": lambda c: c.facts.priority == "normal",
        "priority low": lambda c: c.facts.priority == "low",
        "written in lower case": lambda c: not re.search(r"(^|[.!?] )[A-Z]", c.turns[0][1]),
    }
    rows: list[list[object]] = [
        [name, *(sum(map(test, chosen)) for chosen in splits.values())] for name, test in tests.items()
    ]
    return table(["slice", *splits], rows)


def defects(planted: list[dict[str, Any]]) -> str:
    counts = Counter(name for row in planted for name in row["defects"])
    rows: list[list[object]] = [
        [name, counts[name], text.split(": ")[0], text.split(": ")[1]] for name, text in DEFECTS.items()
    ]
    return table(["defect", "records", "after cleaning", "what it is"], rows)


def phrase_count() -> int:
    """The number of hand-written lines in the banks."""
    files = [p for p in PHRASES.rglob("*.txt") if p.stem not in ("names", "products", "new_phrasings")]
    lines = [line for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    return sum(bool(line.strip()) and not line.startswith(("[", "#")) for line in lines)


def write_datasheet(splits: dict[str, list[Conversation]], planted: list[dict[str, Any]], folder: Path) -> None:
    """Fills the template beside this module and writes DATASHEET.md."""
    usable = sum(bool(row["usable"]) for row in planted)
    files = Counter(str(row["file"]).split("/")[0] for row in planted)
    template = (Path(__file__).parent / "datasheet_template.md").read_text(encoding="utf-8")
    text = template.format(
        records=len(planted),
        conversations=len({row["id"] for row in planted}),
        usable=usable,
        files=", ".join(f"{name} {count}" for name, count in sorted(files.items())),
        curated=sum(COUNTS.values()),
        intents_number=len({case.intent for case in cases()}),
        cases_number=len(cases()),
        phrases=phrase_count(),
        ratio=CHARACTERS_PER_TOKEN,
        lengths=lengths(splits),
        overlaps=overlaps(splits),
        intents=intents(splits),
        slices=slices(splits),
        defects=defects(planted),
        first_test=f"{min(c.facts.created for c in splits['test']):%d %B %Y}",
        system=json.dumps(splits["train"][0].messages[0]["content"]),
    )
    (folder / "DATASHEET.md").write_text(text, encoding="utf-8", newline="\n")
