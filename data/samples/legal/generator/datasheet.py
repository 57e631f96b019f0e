"""Measures the sample and writes DATASHEET.md; every figure in it is counted here from the data."""

from __future__ import annotations

import json
import re
import statistics
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sentencepiece
from rapidfuzz import fuzz, process

from generator.banks import HELD_OUT, PHRASES, asks, matter_types
from generator.defects import DEFECTS
from generator.plan import Request, masked

TOKENIZER = PHRASES.parents[3] / "src/helpers/local_service/bases/pocket-6m/tokenizer.model"
Splits = dict[str, list[Request]]


def overlap(held_out: list[Request], train: list[Request]) -> list[str]:
    """How much of a held-out split occurs in training: equal, near (95 of 100), median best, runs of 5 words, names."""
    ours, theirs = [masked(r) for r in held_out], [masked(r) for r in train]
    best = [process.extractOne(text, theirs, scorer=fuzz.ratio)[1] for text in ours]
    known = set().union(*(runs(text) for text in theirs))
    own = [runs(text) for text in ours]
    names = [{n for r in rows for n in (r.facts.matter.client, r.facts.matter.other)} for rows in (held_out, train)]
    codes = [{r.facts.matter.code for r in rows} for rows in (held_out, train)]
    return [
        f"{sum(text in set(theirs) for text in ours) / len(ours):.1%}",
        f"{sum(score >= 95 for score in best) / len(ours):.1%}",
        f"{statistics.median(best):.0f}",
        f"{sum(len(g & known) for g in own) / sum(map(len, own)):.1%}",
        str(len(names[0] & names[1])),
        str(len(codes[0] & codes[1])),
    ]


def runs(text: str, n: int = 5) -> set[tuple[str, ...]]:
    """All runs of n words in a masked note."""
    words = re.findall(r"[a-z']+|0", text)
    return {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}


def table(head: list[str], rows: list[list[Any]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def lengths(splits: Splits) -> str:
    """Requests, words and tokens of every split."""
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(TOKENIZER))
    rows = []
    for name, chosen in splits.items():
        tokens = [sum(len(tokenizer.encode(m["content"])) for m in r.messages) for r in chosen]
        sides = [len(r.note.split()) for r in chosen], [len(r.draft.split()) for r in chosen]
        spans = [f"{statistics.mean(words):.0f} ({min(words)}-{max(words)})" for words in sides]
        rows.append([name, len(chosen), len({r.facts.matter.code for r in chosen}), *spans])
        rows[-1] += [f"{statistics.mean(tokens):.0f}", max(tokens)]
    head = ["file", "requests", "matters", "words of a note", "words of a draft", "tokens, mean", "tokens, most"]
    return table(head, rows)


def counted(splits: Splits, heads: list[str], of: Callable[[Request], tuple[str, ...]], keys: list[Any]) -> str:
    """How many requests of every key each split has."""
    counts = {name: Counter(map(of, chosen)) for name, chosen in splits.items()}
    return table([*heads, *splits], [[*key, *(counts[name][key] for name in splits)] for key in keys])


def slices(splits: Splits) -> str:
    """How many requests have what else decides a draft."""
    tests: dict[str, Callable[[Request], bool]] = {
        "with a Bates range": lambda r: r.facts.bates is not None,
        "other days than 30": lambda r: r.facts.days != 30,
        "30 days, and the note says nothing of it": lambda r: r.facts.days == 30 and " 30 days" not in r.note,
        "the client is the Plaintiff": lambda r: r.facts.matter.client_role == "Plaintiff",
        "a party is a human being": lambda r: any(
            len(name.split()) == 2 for name in (r.facts.matter.client, r.facts.matter.other)
        ),
        "personal data in the note": lambda r: "<PHONE" in r.note or "<EMAIL" in r.note,
    }
    return table(
        ["slice", *splits],
        [[name, *(sum(map(test, rows)) for rows in splits.values())] for name, test in tests.items()],
    )


def write_datasheet(splits: Splits, planted: list[dict[str, Any]], folder: Path) -> None:
    """Fills the template beside this module and writes DATASHEET.md."""
    files = Counter(str(row["file"]) for row in planted)
    found = Counter(name for row in planted for name in row["defects"])
    head = ["file", "equal", "near (95 of 100)", "median best similarity", "runs of 5 words also in training"]
    banks = [p for p in PHRASES.glob("*.txt") if p.stem not in ("names", "matters")]
    lines = [line for path in banks for line in path.read_text(encoding="utf-8").splitlines()]
    template = (Path(__file__).parent / "datasheet_template.md").read_text(encoding="utf-8")
    style = (PHRASES.parent / "style_guide.md").read_text(encoding="utf-8")
    marked = [f"{name}{' (held out)' * (name in HELD_OUT)}" for name in matter_types()]
    text = template.format(
        rules=len(re.findall(r"^\d+\. \*\*", style, re.MULTILINE)),
        records=len(planted),
        usable=sum(bool(row["usable"]) for row in planted),
        files=", ".join(f"{name} {count}" for name, count in sorted(files.items())),
        matters=len((folder / "raw" / "matters.csv").read_text(encoding="utf-8").splitlines()) - 1,
        curated=sum(len(rows) for name, rows in splits.items() if name != "test_new_matters"),
        new=len(splits["test_new_matters"]),
        phrases=sum(bool(line.strip()) and not line.startswith(("[", "#")) for line in lines),
        system=json.dumps(splits["train"][0].messages[0]["content"]),
        lengths=lengths(splits),
        overlaps=table(
            [*head, "parties shared", "codes shared"],
            [[name, *overlap(rows, splits["train"])] for name, rows in splits.items() if name != "train"],
        ),
        kinds=counted(
            splits,
            ["kind", "asked"],
            lambda r: (r.facts.kind, r.facts.ask),
            [(kind, ask) for ask, (kind, _) in asks().items()],
        ),
        types=counted(
            splits,
            ["matter type"],
            lambda r: (f"{r.facts.matter.type}{' (held out)' * (r.facts.matter.type in HELD_OUT)}",),
            [(name,) for name in marked],
        ),
        slices=slices(splits),
        defects=table(
            ["defect", "records", "after cleaning", "what it is"],
            [[name, found[name], *text.split(": ", 1)] for name, text in DEFECTS.items()],
        ),
    )
    (folder / "DATASHEET.md").write_text(text, encoding="utf-8", newline="\n")
