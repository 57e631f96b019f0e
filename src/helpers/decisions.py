"""Step 2: what human experts decided about examples: kept line by line, compared, and made into a file to train on.

Each reviewer has a file of decisions beside the data, <data>.review-<reviewer>.jsonl, to which helpers.review adds. An
example is known by what it holds, not by its line, so decisions outlive a change of the data. Shown in notebook 02.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from helpers import journal
from helpers.errors import Explained
from helpers.stats import wilson
from helpers.workspace import read_jsonl, write_jsonl

KINDS = ("accept", "edit", "reject")
NAME = re.compile(r"[\w-]{1,40}")
Example = dict[str, Any]


@dataclass(frozen=True)
class Decision:
    """What one reviewer decided about one example. `messages` are the edited ones, None where nothing was changed."""

    example: str  # its fingerprint
    line: int  # where it stood, from 1; blank lines do not count
    decision: str  # one of KINDS
    tags: list[str]
    note: str
    messages: list[Any] | None
    reviewer: str
    at: str  # ISO 8601, UTC


class Kappa(NamedTuple):
    """Cohen's kappa with its interval, the share of equal judgements, and how many things both judged."""

    kappa: float
    low: float
    high: float
    agree: float
    n: int


def fingerprint(example: Example) -> str:
    """Return what tells this example from every other one."""
    return hashlib.sha256(json.dumps(example, sort_keys=True).encode()).hexdigest()[:16]


def decisions_path(data: Path | str, reviewer: str) -> Path:
    """Return where a reviewer's decisions are kept. Raises Explained for a name that cannot be part of a file's."""
    if not NAME.fullmatch(reviewer):
        raise Explained(f"{reviewer!r} cannot be part of a file name. Call the reviewer by letters, digits, - and _.")
    return Path(data).with_name(f"{Path(data).stem}.review-{reviewer}.jsonl")


def reviewers(data: Path | str) -> list[str]:
    """Return who has a file of decisions beside the data."""
    stem = f"{Path(data).stem}.review-"
    names = (p.stem.removeprefix(stem) for p in Path(data).parent.glob("*.jsonl") if p.stem.startswith(stem))
    return sorted(filter(NAME.fullmatch, names))


def keep(data: Path | str, decision: Decision) -> None:
    """Add a decision to its reviewer's file; it is on the disk when this returns. Raises Explained where it cannot."""
    journal.add(decisions_path(data, decision.reviewer), asdict(decision))


def decisions(data: Path | str, reviewer: str) -> dict[str, Decision]:
    """Return the reviewer's last decision on each example, by the example's fingerprint; none without a file.

    Prints which lines are not whole decisions (a crash can cut one short); they are passed over.
    """
    made = journal.entries(decisions_path(data, reviewer), _parse, "decision")
    return {decision.example: decision for decision in made}


def _parse(row: Any) -> Decision:
    decision = Decision(**{field.name: row[field.name] for field in fields(Decision)})
    edited = isinstance(decision.messages, list) or (decision.messages is None and decision.decision != "edit")
    if decision.decision not in KINDS or not edited:
        raise ValueError("not a decision")
    return decision


def kappa(a: Sequence[Hashable], b: Sequence[Hashable]) -> Kappa:
    """Return Cohen's kappa of two reviewers' judgements of the same things: agreement beyond chance, at most 1.

    Kappa is (agree - chance) / (1 - chance), where chance is how often they would agree if each kept to their own
    frequencies without looking (Cohen, Educational and Psychological Measurement 20, 1960). The 95% interval takes
    chance as known, as Cohen did, and the agreement's interval from Wilson: in simulations with 15 to 60 examples it
    held the true value in 92 to 99 of 100 cases, the usual large-sample interval (Fleiss, Cohen and Everitt 1969) in 46
    to 95. Where chance alone gives full agreement, or nothing was judged, kappa is NaN, and -1 to 1. Raises ValueError
    when the two are not equally long.
    """
    pairs, n = list(zip(a, b, strict=True)), len(a)
    equal = sum(x == y for x, y in pairs)
    chance = sum(list(a).count(kind) * list(b).count(kind) for kind in set(a)) / max(n, 1) ** 2
    if not n or chance == 1:
        return Kappa(float("nan"), -1.0, 1.0, equal / n if n else float("nan"), n)
    value, low, high = ((share - chance) / (1 - chance) for share in (equal / n, *wilson(equal, n)))
    return Kappa(value, max(low, -1.0), high, equal / n, n)


def agreement(data: Path | str) -> pd.DataFrame:
    """Return how far each two reviewers agree: on the decision, and on each tag that one of them used.

    Columns: reviewers, what, those of Kappa (n: examples that both judged), and `lines` where they differ.
    Raises Explained where there are fewer than two reviewers.
    """
    lines = {fingerprint(example): line for line, example in reversed(list(enumerate(read_jsonl(data), start=1)))}
    who = {name: decisions(data, name) for name in reviewers(data)}
    if len(who) < 2:
        raise Explained(
            f"Agreement needs two reviewers; {data} has {', '.join(who) or 'none'}. Let a second one review."
        )
    rows = []
    for (name, mine), (other, theirs) in combinations(who.items(), 2):
        both = [(line, mine[key], theirs[key]) for key, line in lines.items() if key in mine and key in theirs]
        tags = sorted({tag for _, a, b in both for tag in (*a.tags, *b.tags)})
        for what in ("decision", *tags):
            judged = [[d.decision if what == "decision" else what in d.tags for d in pair] for _, *pair in both]
            found = kappa([a for a, _ in judged], [b for _, b in judged])
            differ = sorted(line for (line, *_), (a, b) in zip(both, judged, strict=True) if a != b)
            rows.append({"reviewers": f"{name}, {other}", "what": what, **found._asdict(), "lines": differ})
    return pd.DataFrame(rows)


def export(data: Path | str, to: Path | str, needed: int = 1) -> pd.DataFrame:
    """Write the examples that may be trained on to `to`, and what was left out, whole, to <to>.left-out.jsonl.

    An example goes in when `needed` reviewers or more decided on it and none rejected it; with the edit, where one made
    one. Returns what was left out: line, why, tags, note, question. Raises Explained where `to` is the data itself.
    """
    to, examples = Path(to), read_jsonl(data)
    if to.resolve() == Path(data).resolve():
        raise Explained(f"{to} is the data that was reviewed, which stays as it is. Name another file.")
    who = [decisions(data, name) for name in reviewers(data)]
    taken: list[Example] = []
    left: list[dict[str, Any]] = []
    for line, example in enumerate(examples, start=1):
        key = fingerprint(example)
        made = [found[key] for found in who if key in found]
        why = _why_not(made, needed)
        if why:
            tags = sorted({tag for decision in made for tag in decision.tags})
            note = "; ".join(f"{decision.reviewer}: {decision.note}" for decision in made if decision.note)
            left.append({"line": line, "why": why, "tags": tags, "note": note, "example": example})
        else:
            edited = next((decision.messages for decision in made if decision.decision == "edit"), None)
            taken.append({**example, "messages": edited} if edited else example)
    write_jsonl(to, taken)
    beside = write_jsonl(to.with_name(f"{to.stem}.left-out.jsonl"), left)
    print(f"{len(taken)} of {len(examples)} examples are in {to}; {len(left)} were left out, see {beside.name}.")
    table = pd.DataFrame(left, columns=["line", "why", "tags", "note", "example"])
    return table.assign(question=[_begin(row["example"]) for row in left]).drop(columns="example")


def _why_not(made: list[Decision], needed: int) -> str:
    """Why an example is left out; "" for one that may be trained on."""
    if len(made) < max(needed, 1):
        return f"decided by {len(made)} of {needed}" if made else "not reviewed"
    kinds = {decision.decision for decision in made}
    said = ", ".join(f"{decision.reviewer} {decision.decision}" for decision in made)
    if kinds == {"reject"}:
        return f"rejected: {said}"
    if "reject" in kinds:
        return f"the reviewers disagree: {said}"
    edits = {json.dumps(decision.messages) for decision in made if decision.decision == "edit"}
    return f"edited in different ways: {said}" if len(edits) > 1 else ""


def _begin(example: Example, length: int = 80) -> str:
    messages = example.get("messages") or []
    asked = [m.get("content") for m in messages if isinstance(m, dict) and m.get("role") == "user"]
    return str(asked[0] if asked else example)[:length]
