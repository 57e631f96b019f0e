"""Step 4: which of two systems' answers people prefer: kept choice by choice, counted, and made into data for DPO.

helpers.side_by_side is the page on which they choose. Each rater has a file in build/preferences, to which every choice
is added. A choice is known by the question and both answers, so it counts only for what was seen. Named in notebook 04.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from helpers import journal
from helpers.compare import BETTER, UNKNOWN, WORSE
from helpers.decisions import NAME, kappa
from helpers.errors import Explained
from helpers.evaluate import Conversation, Evaluation, prompts
from helpers.stats import wilson
from helpers.workspace import build, write_jsonl

FIRST, SECOND, TIE = "first", "second", "tie"


class Pair(NamedTuple):
    """A question with the first system's answer and the second's, which differ."""

    key: str
    messages: Conversation
    first: str
    second: str


@dataclass(frozen=True)
class Choice:
    """What one rater preferred: first, second or tie, and which of the two answers stood on the left."""

    pair: str
    winner: str
    left: str
    rater: str
    at: str  # ISO 8601, UTC


class Pairs:
    """The answers of two evaluations of the same examples, and what raters chose between them.

    `differ` is what there is to choose between; `same` counts the examples answered alike, `failed` those that one of
    the two did not answer. Raises Explained where the two were not asked about the same examples.
    """

    def __init__(self, first: Evaluation, second: Evaluation) -> None:
        if first.frame["item"].tolist() != second.frame["item"].tolist():
            raise Explained(
                "The two evaluations are not of the same examples in the same order, so their answers cannot be set "
                "side by side. Evaluate both on the same examples."
            )
        self.first, self.second = first, second
        self.differ: list[Pair] = []
        self.same = self.failed = 0
        answers = zip(first.frame.itertuples(), second.frame.itertuples(), prompts(first.examples), strict=True)
        for a, b, messages in answers:
            if not (a.finish_reason and b.finish_reason):
                self.failed += 1
            elif a.answer == b.answer:
                self.same += 1
            else:
                seen = json.dumps([messages, a.answer, b.answer])
                key = hashlib.sha256(seen.encode()).hexdigest()[:16]
                self.differ.append(Pair(key, messages, str(a.answer), str(b.answer)))
        self._stem = f"{first.path.stem}--{second.path.stem}"

    def path(self, rater: str) -> Path:
        """Return where a rater's choices are kept. Raises Explained for a name that cannot be part of a file's."""
        if not NAME.fullmatch(rater):
            raise Explained(f"{rater!r} cannot be part of a file name. Call the rater by letters, digits, - and _.")
        return build("preferences", f"{self._stem}.{rater}.jsonl")

    def raters(self) -> list[str]:
        """Return who has chosen."""
        files = build("preferences", "_").parent.glob(f"{self._stem}.*.jsonl")
        return sorted(path.name.split(".")[-2] for path in files)

    def choices(self, rater: str) -> dict[str, Choice]:
        """Return the rater's last choice for each pair, by its key."""
        known = {pair.key for pair in self.differ}
        made = journal.entries(self.path(rater), _parse, "choice")
        return {choice.pair: choice for choice in made if choice.pair in known}

    def keep(self, choice: Choice) -> None:
        """Add a choice to its rater's file; it is on the disk when this returns."""
        journal.add(self.path(choice.rater), asdict(choice))

    def majority(self) -> dict[str, str]:
        """Return what most raters chose for each pair that any of them chose for; a tie where none is ahead."""
        votes: dict[str, Counter[str]] = {}
        for rater in self.raters():
            for key, choice in self.choices(rater).items():
                votes.setdefault(key, Counter())[choice.winner] += 1
        return {key: _ahead(count) for key, count in votes.items()}

    def win_rates(self) -> pd.DataFrame:
        """Return how often the second system's answer was preferred: a row a rater, and one for the majority of them.

        Columns: rater, wins, losses, ties, n, win_rate (wins among wins and losses) with low and high, left (how often
        the left answer was preferred: far from a half, the rater did not look), verdict. Examples that both systems
        answered alike are in none of them.
        """
        rows = []
        for rater in self.raters():
            choices = self.choices(rater).values()
            decided = [choice.winner == choice.left for choice in choices if choice.winner != TIE]
            left = sum(decided) / len(decided) if decided else float("nan")
            rows.append(_rates(rater, (choice.winner for choice in choices), left))
        if len(rows) > 1:
            rows.append(_rates("majority", self.majority().values(), float("nan")))
        columns = ["rater", "wins", "losses", "ties", "n", "win_rate", "low", "high", "left", "verdict"]
        return pd.DataFrame(rows, columns=columns)

    def agreement(self) -> pd.DataFrame:
        """Return Cohen's kappa for each two raters, on the pairs that both chose for: raters, and Kappa's columns.

        Raises Explained where there are fewer than two raters.
        """
        who = {rater: self.choices(rater) for rater in self.raters()}
        if len(who) < 2:
            raise Explained(
                f"Agreement needs two raters; there is {', '.join(who) or 'none'}. Let a second one choose."
            )
        rows = []
        for (name, mine), (other, theirs) in combinations(who.items(), 2):
            both = [key for key in mine if key in theirs]
            found = kappa([mine[key].winner for key in both], [theirs[key].winner for key in both])
            rows.append({"raters": f"{name}, {other}", **found._asdict()})
        return pd.DataFrame(rows)

    def write_dpo(self, path: Path | str) -> Path:
        """Write the majority's choices as rows for a DPO job, and return the path; ties are left out.

        A row is {"input": {"messages"}, "preferred_output", "non_preferred_output"}, OpenAI's format. Prints how many.
        """
        winners, rows = self.majority(), []
        for pair in self.differ:
            winner = winners.get(pair.key, TIE)
            if winner != TIE:
                better, worse = (pair.first, pair.second) if winner == FIRST else (pair.second, pair.first)
                outputs = {"preferred_output": _said(better), "non_preferred_output": _said(worse)}
                rows.append({"input": {"messages": pair.messages}, **outputs})
        print(f"{len(rows)} preferences in {path}; {len(winners) - len(rows)} ties were left out.")
        return write_jsonl(path, rows)


def _parse(row: Any) -> Choice:
    choice = Choice(**{field.name: row[field.name] for field in fields(Choice)})
    if choice.winner not in (FIRST, SECOND, TIE) or choice.left not in (FIRST, SECOND):
        raise ValueError("not a choice")
    return choice


def _ahead(votes: Counter[str]) -> str:
    if votes[FIRST] == votes[SECOND]:
        return TIE
    winner = FIRST if votes[FIRST] > votes[SECOND] else SECOND
    return winner if votes[winner] > votes[TIE] else TIE


def _rates(rater: str, winners: Iterable[str], left: float) -> dict[str, Any]:
    count = Counter(winners)
    decided = count[FIRST] + count[SECOND]
    low, high = wilson(count[SECOND], decided)
    return {
        "rater": rater,
        "wins": count[SECOND],
        "losses": count[FIRST],
        "ties": count[TIE],
        "n": count.total(),
        "win_rate": count[SECOND] / decided if decided else float("nan"),
        "low": low,
        "high": high,
        "left": left,
        "verdict": BETTER if low > 0.5 else WORSE if high < 0.5 else UNKNOWN,
    }


def _said(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]
