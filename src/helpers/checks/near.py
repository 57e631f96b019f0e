"""Finds nearly equal texts without comparing every pair: MinHash (Broder 1997) proposes, rapidfuzz decides."""

from __future__ import annotations

import re
import zlib

import numpy as np
from rapidfuzz import fuzz

NEAR = 90  # of 100, by rapidfuzz's ratio
BANDS, ROWS = 16, 2  # two texts with half of their word pairs in common meet in a band in 99 of 100 cases
CROWD = 20  # texts compared in a crowded band: the latest ones
MODULUS = (1 << 31) - 1


class NearIndex:
    """Texts with the line each stands on. Takes about 2 kB a text beside the text itself."""

    def __init__(self) -> None:
        rng = np.random.default_rng(1)
        self.factors = rng.integers(1, MODULUS, (BANDS * ROWS, 1), dtype=np.int64)
        self.shifts = rng.integers(0, MODULUS, (BANDS * ROWS, 1), dtype=np.int64)
        self.bands: dict[tuple[int, int, int], list[int]] = {}
        self.texts: list[str] = []
        self.lines: list[int] = []

    def add(self, text: str, line: int) -> None:
        """Keep a text."""
        place = len(self.texts)
        self.texts.append(text)
        self.lines.append(line)
        for key in self._keys(text):
            self.bands.setdefault(key, []).append(place)

    def find(self, text: str) -> tuple[int, float] | None:
        """Return the line of the most similar text kept and how alike it is, where that is NEAR or more."""
        near: set[int] = set()
        for key in self._keys(text):
            near.update(self.bands.get(key, [])[-CROWD:])
        best = max(((fuzz.ratio(text, self.texts[i], score_cutoff=NEAR), -i) for i in near), default=(0.0, 0))
        return (self.lines[-best[1]], best[0]) if best[0] else None

    def _keys(self, text: str) -> list[tuple[int, int, int]]:
        words = re.findall(r"\w+", text)
        pairs = {" ".join(words[i : i + 2]) for i in range(max(1, len(words) - 1))}
        hashes = np.array([zlib.crc32(pair.encode("utf-8", "replace")) & MODULUS for pair in pairs], dtype=np.int64)
        least = ((hashes * self.factors + self.shifts) % MODULUS).min(axis=1)
        return [(band, *map(int, least[band * ROWS : (band + 1) * ROWS])) for band in range(BANDS)]  # type: ignore[misc]
