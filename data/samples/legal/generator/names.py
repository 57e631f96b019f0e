"""Invented names and numbers, from spaces so large that hardly any comes twice; the tests' come from lists of their own.

No model can learn them by heart, so it has to take them over from the notes.
"""

from __future__ import annotations

import random
import string

from generator.banks import Decks, bank


class Names:
    """Hands out words, parties, people and numbers; none of the invented words is handed out twice."""

    def __init__(self, rng: random.Random) -> None:
        self.rng, self.decks = rng, Decks(rng)
        self.taken: set[str] = set()

    def word(self, later: bool) -> str:
        """An invented word such as "Tolby"."""
        names, own = bank("names"), "later " if later else ""
        while True:
            parts = [self.rng.choice(names[f"{own}start"][0].split())]
            if self.rng.random() < 0.4:
                parts.append(self.rng.choice(names[f"{own}middle"][0].split()))
            made = "".join([*parts, self.rng.choice(names[f"{own}end"][0].split())])
            if made not in self.taken and 4 <= len(made) <= 11:
                self.taken.add(made)
                return made

    def first(self, later: bool) -> str:
        """A first name."""
        return self.decks.draw(bank("names")["later first" if later else "first"][0].split())

    def person(self, later: bool) -> str:
        """First name and surname."""
        return f"{self.first(later)} {self.word(later)}"

    def company(self, later: bool) -> str:
        """A company such as "Varnholt Joinery LLC"."""
        trade = self.decks.draw(bank("names")["later trade" if later else "trade"])
        return f"{self.word(later)} {trade} {self.rng.choice(bank('names')['ending'])}"

    def code(self) -> str:
        """A case management code such as "KF-4071"."""
        return self._fresh(lambda: f"{self._letters(2)}-{self.rng.randint(1000, 9999)}")

    def bates(self) -> tuple[str, str]:
        """First and last number of a Bates range of up to 60 pages."""
        prefix = self._fresh(lambda: self._letters(3))
        first = self.rng.randint(12, 9900)
        return f"{prefix}-{first:04}", f"{prefix}-{first + self.rng.randint(1, 60):04}"

    def _letters(self, count: int) -> str:
        return "".join(self.rng.choices(string.ascii_uppercase.replace("O", "").replace("I", ""), k=count))

    def _fresh(self, make: object) -> str:
        while (value := make()) in self.taken:  # type: ignore[operator]
            pass
        self.taken.add(value)
        return value
