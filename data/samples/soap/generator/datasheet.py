"""Measures the sample and writes DATASHEET.md; every figure in it is counted here from the data."""

from __future__ import annotations

import json
import re
import statistics
from collections import Counter
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz, process

from generator.banks import CHOICE, bank, complaints
from generator.encounters import Encounter, masked
from generator.notes import forms
from generator.people import COLUMNS
from generator.raw_exports import DEFECTS

CHARACTERS_PER_TOKEN = 2.4  # roughly, for the course's SentencePiece vocabulary of 4,096


def table(head: list[str], rows: list[list[Any]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def grams(texts: list[str], n: int) -> set[tuple[str, ...]]:
    """All runs of n words in the masked texts."""
    words = [re.findall(r"[a-z']+|0", text) for text in texts]
    return {tuple(line[i : i + n]) for line in words for i in range(len(line) - n + 1)}


def medicines(encounters: list[Encounter]) -> set[str]:
    forms_with_names = ("takes", "start", "change", "stop")
    return {values[0] for e in encounters for form, values in e.visit.facts if form in forms_with_names}


def overlaps(splits: dict[str, list[Encounter]]) -> str:
    train = splits["train"]
    theirs = [masked(e) for e in train]
    known = grams(theirs, 5)
    rows = []
    for name, chosen in splits.items():
        if name == "train":
            continue
        ours = [masked(e) for e in chosen]
        best = [process.extractOne(text, theirs, scorer=fuzz.ratio)[1] for text in ours]
        own = [grams([text], 5) for text in ours]
        rows.append([
            name,
            f"{sum(text in set(theirs) for text in ours) / len(ours):.1%}",
            f"{sum(score >= 95 for score in best) / len(ours):.1%}",
            f"{statistics.median(best):.0f}",
            f"{sum(len(g & known) for g in own) / sum(map(len, own)):.1%}",
            len(medicines(chosen) & medicines(train)),
            len({e.note for e in chosen} & {e.note for e in train}),
        ])  # fmt: skip
    head = ["file", "equal", "near (95 of 100)", "median best similarity", "runs of 5 words also in training"]
    return table([*head, "medicines shared", "notes shared"], rows)


def lengths(splits: dict[str, list[Encounter]]) -> str:
    rows = []
    for name, chosen in splits.items():
        whole = [sum(len(m["content"]) for m in e.messages) / CHARACTERS_PER_TOKEN for e in chosen]
        talks, notes = (
            [len(text.split()) for text in texts] for texts in zip(*[(e.talk, e.note) for e in chosen], strict=True)
        )
        rows.append([
            name, len(chosen), f"{statistics.mean(talks):.0f} ({min(talks)} to {max(talks)})",
            f"{statistics.mean(notes):.0f} ({min(notes)} to {max(notes)})",
            f"{statistics.mean(whole):.0f}", f"{max(whole):.0f}",
        ])  # fmt: skip
    return table(
        ["file", "visits", "words of the talk", "words of the note", "mean tokens, estimated", "longest, estimated"],
        rows,
    )


def lines_by_form(splits: dict[str, list[Encounter]]) -> str:
    counts = {name: Counter(form for e in chosen for form, _ in e.visit.facts) for name, chosen in splits.items()}
    rows = [[form, section, *(counts[name][form] for name in splits)] for form, (section, _) in forms().items()]
    return table(["form", "section", *splits], rows)


def by_visit(splits: dict[str, list[Encounter]], what: str, of: Any) -> str:
    counts = {name: Counter(kind for e in chosen for kind in of(e)) for name, chosen in splits.items()}
    kinds = sorted({kind for count in counts.values() for kind in count})
    return table([what, *splits], [[kind, *(counts[name][kind] for name in splits)] for kind in kinds])


def identifiers(planted: list[dict[str, Any]]) -> str:
    said = Counter(letter for row in planted for letter in {i["letter"] for i in row["identifiers"]})
    columns: dict[str, list[str]] = {}
    for column, letter in COLUMNS.items():
        columns.setdefault(letter, []).append(column)
    return table(
        ["letter", "columns of patients.csv", "talks"],
        [[k, ", ".join(columns.get(k, [])), said[k]] for k in "ABCDEFGHIJKLMNOPQR"],
    )


def values() -> int:
    """How many values the complaints' lists hold, each choice of a phrase counted."""
    count = 0
    for name in ("complaints", "complaints_new"):
        for lists in complaints(name).values():
            for entries in lists.values():
                for entry in entries:
                    ways = 1
                    for choice in CHOICE.findall(entry):
                        ways *= len(choice.split("|"))
                    count += ways
    return count


def write_datasheet(splits: dict[str, list[Encounter]], planted: list[dict[str, Any]], folder: Path) -> None:
    """Fills the template beside this module and writes DATASHEET.md."""
    counts = Counter(name for row in planted for name in row["defects"])
    files = Counter(row["file"] for row in planted)
    template = (Path(__file__).parent / "datasheet_template.md").read_text(encoding="utf-8")
    text = template.format(
        records=len(planted),
        visits=len({row["encounter"] for row in planted}),
        files=", ".join(f"{name} {count}" for name, count in sorted(files.items())),
        usable=sum(row["usable"] for row in planted),
        curated=sum(len(chosen) for name, chosen in splits.items() if name != "test_new_complaints"),
        new=len(splits["test_new_complaints"]),
        new_complaints=", ".join(complaints("complaints_new")),
        phrases=sum(len(lines) for name in ("turns", "turns_new", "corrections") for lines in bank(name).values()),
        values=values(),
        ratio=CHARACTERS_PER_TOKEN,
        lengths=lengths(splits),
        overlaps=overlaps(splits),
        forms=lines_by_form(splits),
        features=by_visit(splits, "feature", lambda e: e.visit.features),
        complaints=by_visit(splits, "complaint", lambda e: [e.visit.complaint]),
        identifiers=identifiers(planted),
        defects=table(["defect", "records", "after cleaning", "what it is"], [
            [name, counts[name], *text.split(": ", 1)] for name, text in DEFECTS.items()
        ]),
        first_test=f"{min(e.seen for e in splits['test']):%d %B %Y}",
        system=json.dumps(splits["train"][0].messages[0]["content"]),
    )  # fmt: skip
    (folder / "DATASHEET.md").write_text(text, encoding="utf-8", newline="\n")
