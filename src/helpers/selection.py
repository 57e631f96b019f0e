"""Step 1: choose the rows worth learning from: by what the business measured, and by whether they are on the topic.

    kept, dropped = select(rows, [Rule("csat", gaps="keep", at_least=4), Rule("minutes", gaps="drop", at_most=30)])

A model imitates bad answers as faithfully as good ones. helpers.clean tells what is off the topic of the support sample
by word lists; `topicality` needs none, only texts that are on the topic.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from helpers.errors import Explained
from helpers.stats import wilson

NEAREST = 5  # of the known texts: how many decide
BATCH = 500  # texts compared with all known ones at a time, to bound the memory


@dataclass(frozen=True)
class Rule:
    """What a row's value in a column must be. A gap is neither a good nor a bad score, so what to do must be said.

    For the best of each kind, rank first: rows["rank"] = rows.groupby("kind")["clicks"].rank(pct=True); at_least=0.75
    then keeps a quarter.
    """

    column: str
    gaps: Literal["keep", "drop"]
    at_least: float = -math.inf
    at_most: float = math.inf
    among: Collection[Any] | None = None  # instead of bounds

    def broken_by(self, value: Any) -> str:
        """Return how a value breaks the rule, or ""."""
        if pd.isna(value) or not str(value).strip():
            return "" if self.gaps == "keep" else f"{self.column} is missing"
        if self.among is not None:
            return "" if value in self.among else f"{self.column} is {value!r}"
        try:
            number = float(value)
        except (TypeError, ValueError):
            return f"{self.column} is {value!r}, not a number"
        return "" if self.at_least <= number <= self.at_most else f"{self.column} is {value}"


class Selected(NamedTuple):
    """The rows that keep every rule, and the others, with the rules that each breaks in the column `why`."""

    kept: pd.DataFrame
    dropped: pd.DataFrame


def select(rows: pd.DataFrame, rules: Iterable[Rule]) -> Selected:
    """Return the rows that keep every rule, and the others with why. Raises Explained for a column that is missing."""
    why = [""] * len(rows)
    for rule in rules:
        if rule.column not in rows:
            raise Explained(f"There is no column {rule.column!r}; there are {', '.join(map(repr, rows.columns))}.")
        found = map(rule.broken_by, rows[rule.column])
        why = ["; ".join(filter(None, words)) for words in zip(why, found, strict=True)]
    kept = np.array([not words for words in why], dtype=bool)
    return Selected(rows[kept], rows[~kept].assign(why=[words for words in why if words]))


def topicality(texts: Sequence[str], known: Sequence[str]) -> np.ndarray:
    """Return for each text how near it is to texts that are on the topic: from 0, no word in common, to 1.

    It is the mean likeness to the 5 nearest: the cosine of the words, rare words weighing more (TF-IDF). `known` are
    texts that are surely on the topic, well-answered ones for example, and not the texts themselves. For languages with
    spaces between words. Raises Explained where no known text has words. tests/test_selection.py measures it.
    """
    counted = [Counter(_words(text)) for text in known]
    often = Counter(word for words in counted for word in words)
    if not often:
        raise Explained("There is no text that is known to be on the topic. Give some: 100 well-answered ones will do.")
    places = {word: place for place, word in enumerate(often)}
    weights = {word: math.log((len(known) + 2) / (count + 1)) for word, count in often.items()}
    unknown = math.log(len(known) + 2)

    def matrix(bags: Sequence[Counter[str]]) -> csr_array:
        data, columns, ends = [], [], [0]
        for bag in bags:
            length = math.sqrt(sum(weights.get(word, unknown) ** 2 for word in bag)) or 1.0
            found = [word for word in bag if word in places]
            data += [weights[word] / length for word in found]
            columns += [places[word] for word in found]
            ends.append(len(data))
        return csr_array((data, columns, ends), shape=(len(bags), len(places)), dtype=float)

    base = matrix(counted).T.tocsr()
    nearest = min(NEAREST, len(known))
    scores = []
    for start in range(0, len(texts), BATCH):
        likeness = (matrix([Counter(_words(text)) for text in texts[start : start + BATCH]]) @ base).toarray()
        scores.append(np.partition(likeness, -nearest, axis=1)[:, -nearest:].mean(axis=1))
    return np.concatenate([np.zeros(0), *scores])


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", re.sub(r"\w*\d\w*", "0", text.lower()))


def filter_errors(scores: Sequence[float], off_topic: Sequence[bool], below: Iterable[float]) -> pd.DataFrame:
    """Return how well "off the topic is what scores less" does against labels: a row for each bound in `below`.

    Columns: below, flagged, right, precision (of what is flagged, how much is right), recall (of what is off the topic,
    how much is flagged), and their 95% intervals. Choose the bound on one part of the labels and measure on another.
    """
    truth, rows = np.asarray(off_topic, dtype=bool), []
    for bound in below:
        flagged = np.asarray(scores) < bound
        n, right, wanted = int(flagged.sum()), int((flagged & truth).sum()), int(truth.sum())
        (precise_low, precise_high), (low, high) = wilson(right, n), wilson(right, wanted)
        rows.append(
            {
                "below": bound,
                "flagged": n,
                "right": right,
                "precision": right / n if n else math.nan,
                "precision_low": precise_low,
                "precision_high": precise_high,
                "recall": right / wanted if wanted else math.nan,
                "recall_low": low,
                "recall_high": high,
            }
        )
    return pd.DataFrame(rows)
