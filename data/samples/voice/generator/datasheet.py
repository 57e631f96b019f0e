"""Measures the sample and writes DATASHEET.md; every figure in it is counted here from the data."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rapidfuzz import fuzz, process

from generator.banks import PHRASES
from generator.briefs import new_briefs
from generator.curated import SYSTEM
from generator.records import DEFECTS, Record
from helpers.cases.voice_choice import BEST, PUBLISHED, choose
from helpers.cases.voice_score import without_facts

CHARACTERS_PER_TOKEN = 2.9  # measured on these texts with the vocabulary of the course's bases


def masked(record: Record) -> str:
    """A brief without its facts."""
    text = without_facts(record.brief, record.facts.row())
    for secret in record.facts.secret.values():
        text = text.replace(secret, "_")
    return re.sub(r"\d+", "0", text).lower()


def table(head: list[str], rows: list[list[Any]]) -> str:
    """A Markdown table."""
    lines: list[list[Any]] = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def lengths(splits: Mapping[str, list[Record]]) -> str:
    rows = []
    for name, records in splits.items():
        briefs, pieces = [r.brief for r in records], [r.clean for r in records]
        whole = [len(SYSTEM + r.brief + r.clean) / CHARACTERS_PER_TOKEN for r in records]
        words = [f"{statistics.mean(len(text.split()) for text in texts):.0f}" for texts in (briefs, pieces)]
        channels = Counter(r.facts.channel for r in records)
        counts = [channels[channel] for channel in ("description", "post", "email")]
        rows.append([name, len(records), *counts, *words, f"{statistics.mean(whole):.0f}", f"{max(whole):.0f}"])
    head = ["file", "pieces", "descriptions", "posts", "e-mails", "words a brief", "words a piece"]
    return table([*head, "mean tokens, estimated", "longest"], rows)


def overlaps(splits: Mapping[str, list[Record]]) -> str:
    train = splits["train"]
    known, rows = [masked(record) for record in train], []
    for name in [name for name in splits if name != "train"]:
        ours = [masked(record) for record in splits[name]]
        best = [process.extractOne(text, known, scorer=fuzz.ratio)[1] for text in ours]
        shared = [
            len({getattr(r.facts, key) for r in splits[name]} & {getattr(r.facts, key) for r in train} - {""})
            for key in ("name", "kind", "material", "colour", "catch", "keith", "code")
        ]
        equal = sum(text in set(known) for text in ours) / len(ours)
        near = sum(score >= 95 for score in best) / len(ours)
        rows.append([name, f"{equal:.1%}", f"{near:.1%}", f"{statistics.median(best):.0f}", *shared])
    head = ["file", "equal", "near (95 of 100)", "median best similarity"]
    return table(
        [*head, *(f"{key} shared" for key in ("name", "kind", "material", "colour", "catch", "Keith", "code"))], rows
    )


def repeats(splits: Mapping[str, list[Record]]) -> str:
    rows = []
    for key in ("name", "kind", "material", "colour", "catch", "keith", "price", "code", "deal"):
        values = Counter(value for r in splits["train"] if (value := getattr(r.facts, key)))
        rows.append([key, sum(values.values()), len(values)])
    return table(["fact", "pieces in train that have it", "different values"], rows)


def selections(pieces: pd.DataFrame, planted: Sequence[Mapping[str, Any]]) -> str:
    """How much of what each way of choosing takes is in the house voice."""
    voices = {row["id"]: row["voice"] for row in planted}
    public = pieces[pieces["status"].isin(PUBLISHED) & pieces["rate"].notna()]
    best = public[public["rank"] >= BEST]
    ways = {
        "everything published": public,
        "the same number by sales": public.nlargest(len(best), "sold"),
        "the same number by clicks": public.nlargest(len(best), "clicks"),
        "the same number by rate of clicks": public.nlargest(len(best), "rate"),
        f"rank of {BEST} or more among comparable pieces": best,
        "the best quarter among comparable pieces": public[public["rank"] >= 0.75],
        "rank, then the guide (the curated splits)": choose(pieces).kept,
    }
    rows = []
    for name, rows_chosen in ways.items():
        found = Counter(voices[raw_id] for raw_id in rows_chosen["id"])
        n = len(rows_chosen)
        boosted, offers = rows_chosen["boosted"].mean(), rows_chosen["offer"].mean()
        rows.append(
            [name, n, *(f"{found[voice] / n:.0%}" for voice in ("house", "sparkle")), f"{boosted:.0%}", f"{offers:.0%}"]
        )
    return table(["chosen by", "pieces", "house voice", "agency's voice", "paid reach", "with an offer"], rows)


def defects(planted: Sequence[Mapping[str, Any]]) -> str:
    counts = Counter(name for row in planted for name in row["defects"])
    rows = [[name, counts[name], *text.split(": ", 1)] for name, text in DEFECTS.items()]
    return table(["defect", "pieces", "after cleaning", "what it is"], rows)


def judged_counts(judged: Sequence[Mapping[str, Any]]) -> str:
    counts = Counter((row["voice"], row["part"]) for row in judged)
    voices = dict.fromkeys(row["voice"] for row in judged)
    return table(
        ["voice", "to learn from", "held out"], [[v, counts[v, "learn"], counts[v, "held_out"]] for v in voices]
    )


def phrase_counts() -> dict[str, int]:
    """Hand-written phrases of briefs, of pieces, and words to make facts from."""
    lines = {
        path.stem: [line for line in path.read_text(encoding="utf-8").splitlines() if line and line[0] not in "#["]
        for path in PHRASES.glob("*.txt")
    }
    words = [lines["products"], lines["claims"], lines["new_products"]]
    return {
        "brief_phrases": len(lines["briefs"]),
        "voice_phrases": len(lines["voices"]),
        "copy_phrases": len(lines["copy"]),
        "new_briefs": len(new_briefs()),
        "words": sum(len(line.split(";")) for part in words for line in part),
    }


def write_datasheet(
    splits: Mapping[str, list[Record]],
    rows: Sequence[Mapping[str, Any]],
    judged: Sequence[Mapping[str, Any]],
    planted: Sequence[Mapping[str, Any]],
    pieces: pd.DataFrame,
    folder: Path,
) -> None:
    """Fills the template beside this module and writes DATASHEET.md."""
    template = (Path(__file__).parent / "datasheet_template.md").read_text(encoding="utf-8")
    text = template.format(
        records=len(planted),
        files=", ".join(f"{name} {count}" for name, count in sorted(Counter(pieces["file"]).items())),
        curated=sum(len(records) for name, records in splits.items() if name != "test_new_kinds"),
        rows=len(rows),
        judged=len(judged),
        system=SYSTEM,
        ratio=CHARACTERS_PER_TOKEN,
        lengths=lengths(splits),
        overlaps=overlaps(splits),
        repeats=repeats(splits),
        selections=selections(pieces, planted),
        defects=defects(planted),
        judged_counts=judged_counts(judged),
        **phrase_counts(),
    )
    (folder / "DATASHEET.md").write_text(text, encoding="utf-8", newline="\n")
