"""Retrieval: find passages by BM25, put them before a question, and check what an answer cites. Shown in notebook 09.

BM25 weighs a word by how rare it is and how often a passage has it, and a passage by its length (Robertson and
Zaragoza, The Probabilistic Relevance Framework, 2009). The library is bm25s.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import bm25s

from helpers.errors import Explained
from helpers.workspace import read_jsonl

CITATION = re.compile(r"\[(K\d+)\]")
FIGURE = re.compile(r"\d+(?:\.\d+)?")


class Passage(NamedTuple):
    """A piece of a document, short enough for a prompt, and the id by which an answer cites it."""

    id: str
    text: str


class Citations(NamedTuple):
    """What an answer cites (`cited`), what of that it was never given (`unknown`), and figures no cited passage has."""

    cited: list[str]
    unknown: list[str]
    unsupported: list[str]

    @property
    def hold(self) -> bool:
        """Whether something is cited, all of it was given, and every figure stands in what is cited."""
        return bool(self.cited) and not self.unknown and not self.unsupported


class Retriever:
    """Searches passages for the words of a query."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        """Index the passages. Raises Explained where there is none."""
        if not passages:
            raise Explained("There are no passages to search. Give the retriever at least one.")
        self.passages = list(passages)
        self._index = bm25s.BM25()
        self._index.index(_words([passage.text for passage in self.passages]), show_progress=False)

    def search(self, query: str, k: int) -> list[Passage]:
        """Return the k passages that fit the query best, best first; fewer where fewer share a word with it."""
        # a query of unknown words finds nothing, and its scores are all 0
        places, scores = self._index.retrieve(_words([query]), k=min(k, len(self.passages)), show_progress=False)
        found = zip(places[0], scores[0], strict=True)
        return [self.passages[int(place)] for place, score in found if score > 0]


def _words(texts: list[str]) -> list[list[str]]:
    """The words of each text in lower case, without those that every English text has."""
    return bm25s.tokenize(texts, stopwords="en", return_ids=False, show_progress=False)


def hit_rate(retriever: Retriever, queries: Sequence[str], right: Sequence[str], k: int) -> float:
    """Return the share of queries for which the passage of the right id is among the k that are found, from 0 to 1.

    Raises ValueError where queries and ids are not equally many.
    """
    found = [[passage.id for passage in retriever.search(query, k)] for query in queries]
    return sum(identity in ids for identity, ids in zip(right, found, strict=True)) / max(len(right), 1)


def read_passages(path: Path | str) -> list[Passage]:
    """Return the passages in a JSON Lines file of {"id", "text"}. Raises Explained for a row that is not one."""
    rows = read_jsonl(path)
    for number, row in enumerate(rows, start=1):
        if not all(isinstance(row.get(name), str) and row[name] for name in Passage._fields):
            raise Explained(f'{path}, passage {number}, needs an "id" and a "text", both text that is not empty.')
    if len({row["id"] for row in rows}) < len(rows):
        raise Explained(f"{path} has two passages of one id, so a citation could mean either. Give each its own.")
    return [Passage(row["id"], row["text"]) for row in rows]


def with_passages(question: str, passages: Sequence[Passage]) -> str:
    """Return the user message: each passage on a line behind its id in square brackets, and the question last."""
    return "\n".join([*(f"[{passage.id}] {passage.text}" for passage in passages), question])


def check_citations(answer: str, given: Sequence[Passage]) -> Citations:
    """Return what the answer cites and whether it may: by code, so that nobody has to take the model's word for it.

    It shows that the answer's figures stand in the passages cited, not that they answer the question.
    """
    texts = {passage.id: passage.text for passage in given}
    cited = list(dict.fromkeys(CITATION.findall(answer)))
    unknown = [identity for identity in cited if identity not in texts]
    backed = {figure for identity in cited for figure in FIGURE.findall(texts.get(identity, ""))}
    said = FIGURE.findall(CITATION.sub("", answer))
    return Citations(cited, unknown, [figure for figure in said if figure not in backed])
