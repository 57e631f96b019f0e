"""Finds nearly equal examples without comparing every pair: MinHash (Broder 1997) proposes, rapidfuzz decides.

Two examples are nearly equal where what is asked and what is answered both are: NEAR of 100 or more by rapidfuzz's
ratio. It is taken over the words in alphabetical order, so that sentences may change places.
"""

from __future__ import annotations

import re
import sys
import zlib
from array import array
from bisect import bisect_left
from typing import NamedTuple

import numpy as np
from rapidfuzz import fuzz

NEAR = 80  # of 100: measured on planted paraphrases in tests/test_check_near.py
BUDGET = 200 * 1024 * 1024  # bytes that an index may take, with the texts that it keeps
BANDS, ROWS = 16, 2  # two texts with half of their word pairs in common meet in a band in 99 of 100 cases
SLOTS_LOG2 = 18  # slots a band; texts that meet in a slot by chance cost a comparison, no more
CROWD = 20  # texts compared a band: the latest ones
LONGEST = 2000  # letters compared: the last ones of what is asked, the first ones of the answer
CJK = "\u3040-\u30ff\u3400-\u9fff"  # written without spaces: each letter counts as a word
WORDS = re.compile(rf"[{CJK}]|[^\W{CJK}]+")
RNG = np.random.default_rng(1)
FACTORS = RNG.integers(1, 1 << 63, (BANDS * ROWS, 1), dtype=np.uint64) * 2 + 1  # odd: multiply-shift hashing
MIX = RNG.integers(1, 1 << 63, 2, dtype=np.uint64) * 2 + 1
ALL_BANDS = np.arange(BANDS)
OVERHEAD = 4 * BANDS + 24  # bytes a text beside the text: its links, its line, its place in the list


class Sketch(NamedTuple):
    """What the index needs of an example: its sorted words (question, line break, answer), and a slot in each band."""

    words: str
    slots: np.ndarray


def sketch(asked: str, answer: str) -> Sketch:
    """Return the sketch of an example."""
    told, said = WORDS.findall(asked[-LONGEST:]), WORDS.findall(answer[:LONGEST])
    words = [*told, *said] or [asked + answer]  # nothing but emoji, for example
    hashes = np.array([zlib.crc32(word.encode("utf-8", "replace")) for word in words], dtype=np.uint64)
    if len(hashes) > 1:
        hashes = hashes[:-1] * MIX[0] + hashes[1:] * MIX[1]  # word pairs; uint64 wraps round
    least = (hashes * FACTORS).min(axis=1).reshape(BANDS, ROWS)
    slots = (least[:, 0] * MIX[0] + least[:, 1] * MIX[1]) >> np.uint64(64 - SLOTS_LOG2)
    return Sketch(f"{' '.join(sorted(told))}\n{' '.join(sorted(said))}", slots)


def alike(one: str, other: str, least: float = NEAR) -> float:
    """Return how alike the words of two sketches are, question or answer, whichever is less; 0 below `least`."""
    (asked, _, answer), (asked_too, _, answer_too) = one.partition("\n"), other.partition("\n")
    first = fuzz.ratio(asked, asked_too, score_cutoff=least)
    return min(first, fuzz.ratio(answer, answer_too, score_cutoff=least)) if first else 0.0


class NearIndex:
    """Sketches by the line each stands on, in at most `budget` bytes. `full` is the line that found no room, if any.

    In each band a slot leads to the latest text in it, and each text to the one before it there.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self.heads = np.full((BANDS, 1 << SLOTS_LOG2), -1, dtype=np.int32)
        self.before = array("i")
        self.words: list[str] = []
        self.lines = array("q")
        self.budget, self.room = budget, budget - self.heads.nbytes
        self.full: int | None = None

    def add(self, given: Sketch, line: int) -> None:
        """Keep a sketch where there is room for it."""
        cost = sys.getsizeof(given.words) + OVERHEAD
        if self.full is not None or cost > self.room:
            self.full = self.full or line
            return
        self.room -= cost
        self.before.extend(self.heads[ALL_BANDS, given.slots].tolist())
        self.heads[ALL_BANDS, given.slots] = len(self.words)
        self.words.append(given.words)
        self.lines.append(line)

    def words_of(self, line: int) -> str | None:
        """Return the words of the sketch kept for this line, or None."""
        place = bisect_left(self.lines, line)
        return self.words[place] if place < len(self.lines) and self.lines[place] == line else None

    def find(self, given: Sketch) -> tuple[int, float] | None:
        """Return the line of the most similar sketch kept and how alike it is, where that is NEAR or more."""
        near: set[int] = set()
        for band, place in enumerate(self.heads[ALL_BANDS, given.slots].tolist()):
            for _ in range(CROWD):
                if place < 0:
                    break
                near.add(place)
                place = self.before[place * BANDS + band]
        likeness, place = max(((alike(given.words, self.words[i]), -i) for i in near), default=(0.0, 0))
        return (self.lines[-place], likeness) if likeness else None
