"""Judges whether copy is in the house voice: a classifier, trained on pieces that no model was tuned on.

    judge = train_judge()
    judge.on_brand(pieces, rows)       # rows: the pieces' lines of facts.jsonl
    judge_errors(judge)                # how often it is wrong, voice by voice, on pieces that it never saw

The facts of the brief are taken out first: the voice is to be judged, not the product. Words that the house voice never
uses all count as one, so that unknown copy is known by being unknown. What is left is weighed in runs of one to three
words (TF-IDF) by logistic regression, both scikit-learn's. It is one opinion, of known error; a garbled fact is an
unknown word to it as well. The rules of helpers.cases.voice are another opinion.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from helpers.cases.voice_score import without_facts
from helpers.errors import Explained
from helpers.stats import wilson
from helpers.workspace import read_jsonl, sample

HOUSE = "house"
UNHEARD = "unheard"  # stands for every word that the house voice does not use
TOKEN = re.compile(r"\w+|[^\w\s]|\n")  # punctuation and line breaks are part of a voice
TWO_VOICES = "A judge learns from pieces in the house voice and in others; {} holds {} of the one and {} of the others."


class Judge:
    """A trained classifier. `threshold` is the probability of the house voice from which a piece is on brand."""

    def __init__(self, model: Pipeline, threshold: float = 0.5) -> None:
        self.model, self.threshold = model, threshold

    def probability(self, pieces: Sequence[str], rows: Sequence[Mapping[str, Any] | None]) -> np.ndarray:
        """Return for each piece how probable it is, 0 to 1, that it is in the house voice.

        A row is the piece's line of facts, or None where there is none. Raises ValueError for another number of rows.
        """
        if not len(pieces):
            return np.zeros(0)
        bare = [_bare(piece, facts) for piece, facts in zip(pieces, rows, strict=True)]
        return np.asarray(self.model.predict_proba(bare)[:, 1])

    def on_brand(self, pieces: Sequence[str], rows: Sequence[Mapping[str, Any] | None]) -> list[bool]:
        """Return for each piece whether it is judged to be in the house voice."""
        return [bool(found >= self.threshold) for found in self.probability(pieces, rows)]


def train_judge(path: Path | str | None = None, *, without: Sequence[str] = (), seed: int = 1) -> Judge:
    """Return a judge trained on the learning part of judge.jsonl (the sample's, unless `path` names another file).

    `without` leaves voices out of its training, to see how it judges what it has never heard. The same file and seed
    give the same judge. Raises Explained for a file that cannot be read or that holds one of the two sides only.
    """
    path = Path(path) if path else sample("voice") / "judge.jsonl"
    rows = [row for row in _rows(path, "learn") if row["voice"] not in without]
    house = [row["voice"] == HOUSE for row in rows]
    if not any(house) or all(house):
        raise Explained(TWO_VOICES.format(path, sum(house), len(house) - sum(house)))
    texts = [_bare(row["text"], row) for row in rows]
    known = frozenset(word for text, ours in zip(texts, house, strict=True) if ours for word in _words(text))
    words = TfidfVectorizer(analyzer=partial(_runs, known), min_df=2, sublinear_tf=True)
    model = make_pipeline(words, LogisticRegression(C=10, class_weight="balanced", max_iter=1000, random_state=seed))
    model.fit(texts, house)
    return Judge(model)


def judge_errors(judge: Judge, path: Path | str | None = None) -> pd.DataFrame:
    """Return how the judge does on the held-out part of judge.jsonl: a row a voice, the house first.

    Columns: voice, n, wrong, error (the share judged wrongly), low and high (its 95% interval, Wilson). For the house
    a wrong judgement is a miss; for the others it is an off-brand piece let through. Two ways of counting words were
    compared on these pieces before one was kept, so the figures flatter a little.
    """
    rows = _rows(Path(path) if path else sample("voice") / "judge.jsonl", "held_out")
    found = judge.on_brand([row["text"] for row in rows], rows)
    table = pd.DataFrame({"voice": [row["voice"] for row in rows], "found": found})
    table["wrong"] = table["found"] != (table["voice"] == HOUSE)
    errors = []
    for voice, group in table.groupby("voice", sort=False):
        n, wrong = len(group), int(group["wrong"].sum())
        low, high = wilson(wrong, n)
        errors.append({"voice": voice, "n": n, "wrong": wrong, "error": wrong / n, "low": low, "high": high})
    return pd.DataFrame(errors)


def telling(judge: Judge, most: int = 12) -> pd.DataFrame:
    """Return the words and pairs of words that weigh most for the house voice and most against it."""
    words, weights = judge.model[0].get_feature_names_out(), judge.model[-1].coef_[0]
    order = np.argsort(weights)
    shown = [*order[::-1][:most], *order[:most]]
    return pd.DataFrame({"words": [words[place] for place in shown], "weight": [weights[place] for place in shown]})


def _rows(path: Path, part: str) -> list[dict[str, Any]]:
    return [row for row in read_jsonl(path) if row["part"] == part]


def _bare(piece: str, facts: Mapping[str, Any] | None) -> str:
    """The piece without the facts of its brief and without numbers."""
    text = without_facts(piece, facts) if facts else piece
    return re.sub(r"\w*\d\w*", "0", text)


def _words(text: str) -> list[str]:
    return TOKEN.findall(text.lower())


def _runs(known: Collection[str], text: str) -> list[str]:
    """The runs of one to three words of a text, with UNHEARD for words that are not known."""
    words = [word if word in known else UNHEARD for word in _words(text)]
    return [" ".join(words[start : start + length]) for length in (1, 2, 3) for start in range(len(words) - length + 1)]
