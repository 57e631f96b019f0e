"""Which texts say the same: word for word, once names and numbers are masked, or nearly.

helpers.split keeps such texts on one side and finds them on both. Shown in notebook 02.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

import numpy as np
from rapidfuzz import fuzz, process
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

NEAR = 95  # of 100: how alike two texts are that count as the same
ROWS = 256  # texts compared with all others at a time, to bound the memory


def plain(text: str) -> str:
    """Return the words of a text, in small letters."""
    return " ".join(re.findall(r"\w+", text.lower()))


def masked(text: str) -> str:
    """Return the words without what makes two otherwise equal messages differ: names and numbers.

    Every word with a capital is taken for a name, unless these are most of the words, as in a text all in capitals.
    That is too much rather than too little, on both sides alike.
    """
    words = re.findall(r"[^\W\d_][\w']*", text)
    if 2 * sum(word[0].isupper() for word in words) <= len(words):
        text = re.sub(r"[^\W\d_][\w']*", lambda word: "_" if word[0][0].isupper() else word[0], text)
    return plain(re.sub(r"\w*\d\w*", "0", text))


def alike(texts: Sequence[str]) -> list[int]:
    """Return a number for each text, the same for texts that are nearly the same, be it by way of a third.

    Nearly the same is 95 of 100 or more by rapidfuzz's ratio, plain or masked, with the words in their order or sorted:
    changed names and numbers, light edits and reordered sentences do not hide a copy. Every pair is compared, in less
    than a microsecond a pair. A text without words is like no other.
    """
    known = {text: number for number, text in enumerate(dict.fromkeys(text for text in texts if plain(text)))}
    size = len(known)
    labels = np.arange(size)
    distinct = list(known)
    for rows, columns in near_pairs(distinct, distinct):  # joined block by block, to bound the memory
        ends = np.concatenate([size + labels, columns])
        labels = connected(2 * size, np.concatenate([np.arange(size), rows]), ends)[:size]
    return [int(labels[known[text]]) if text in known else 2 * size + place for place, text in enumerate(texts)]


def near_pairs(texts: Sequence[str], others: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield, block by block, where a text and one of the others are nearly the same: the places of both.

    Where the others are the texts themselves, each pair comes at least one way round.
    """
    for form, in_order in itertools.product((plain, masked), (True, False)):
        words = ([form(text).split() for text in side] for side in (texts, others))
        left, right = ([" ".join(text if in_order else sorted(text)) for text in side] for side in words)
        for start in range(0, len(left) if right else 0, ROWS):
            first = start if others is texts else 0  # what stands before has been compared with these
            block = left[start : start + ROWS], right[first:]
            scores = process.cdist(*block, scorer=fuzz.ratio, score_cutoff=NEAR, dtype=np.uint8, workers=-1)
            rows, columns = scores.nonzero()
            yield start + rows, first + columns


def connected(size: int, starts: Sequence[int] | np.ndarray, ends: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return a number for each of `size` things, the same for those joined by lines from starts to ends."""
    graph = coo_array((np.ones(len(starts)), (starts, ends)), shape=(size, size))
    return connected_components(graph, directed=False)[1]
