"""Draws what a visit is about: complaint, side, medicines, readings. All of it is invented.

Medicines are made of syllables, so that no dose here can be taken for a real one; the names of the test sets are made
of other syllables than those of training, and no name is handed out twice.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from generator.banks import Decks, complaints, words

OTHER = {"left": "right", "right": "left"}
NUMBER_WORDS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 8: "eight", 10: "ten"}
REAL_MEDICINES = {  # names that syllables might happen to make
    "Dexfane", "Corlanor", "Lumigan", "Norvasc", "Fenofibrate", "Toradol", "Xanax", "Relpax", "Toradine", "Belsomra",
    "Venlafaxine", "Dexilant", "Morphine", "Tramal", "Nevanac", "Fentanyl", "Savella", "Pelexa", "Dorzolamide",
}  # fmt: skip


@dataclass(frozen=True)
class Medicine:
    """A medicine as the note has it."""

    name: str
    dose: str
    often: str


@dataclass
class Visit:
    """What one visit is about. `facts` are filled while the talk is written: (form of the guide, values)."""

    complaint: str
    lists: dict[str, list[str]]
    side: str
    site: str
    held_out: bool
    facts: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    retracted: list[dict[str, str]] = field(default_factory=list)
    features: set[str] = field(default_factory=set)


class Drawer:
    """Draws values for visits; `held_out` ones come from lists of their own."""

    def __init__(self, rng: random.Random) -> None:
        self.rng, self.decks = rng, Decks(rng)
        self.taken = set(REAL_MEDICINES)

    def visit(self, complaint: str, bank_name: str, held_out: bool) -> Visit:
        lists = complaints(bank_name)[complaint]
        site = self.decks.draw(lists["site"]) if "site" in lists else ""
        return Visit(complaint, lists, self.decks.draw(["left", "right"]), site, held_out)

    def value(self, visit: Visit, key: str) -> str:
        """One entry of a list of the complaint, with side and site."""
        text = self.decks.expand(self.decks.draw(visit.lists[key]))
        return text.replace("{side}", visit.side).replace("{site}", visit.site)

    def from_list(self, visit: Visit, section: str) -> str:
        return self.decks.draw(words(f"{section} test" if visit.held_out else section))

    def duration(self) -> str:
        """Such as "3 weeks"."""
        unit, most = self.rng.choice([("days", 20), ("days", 20), ("weeks", 14), ("months", 11), ("years", 9)])
        return f"{self.rng.randint(2, most)} {unit}"

    def other_duration(self, duration: str) -> str:
        number, unit = duration.split()
        return f"{int(number) + self.rng.choice([1, 2, 3])} {unit}"

    def medicine(self, visit: Visit) -> Medicine:
        while True:
            name = self.from_list(visit, "medicine start")
            if self.rng.random() < 0.8:
                name += self.rng.choice(words("medicine middle"))
            name += self.from_list(visit, "medicine end")
            if name not in self.taken and 5 <= len(name) <= 11:
                self.taken.add(name)
                return Medicine(name, self.dose(), self.often())

    def dose(self, unlike: str = "") -> str:
        """A strength; unlike another one, in the same unit."""
        unit = unlike.split(" ")[-1]
        return self.rng.choice([dose for dose in words("dose") if dose != unlike and dose.endswith(unit)])

    def often(self) -> str:
        if self.rng.random() < 0.12:
            return f"every {self.rng.choice([4, 6, 8, 12])} hours"
        usual = ["once daily", "twice daily"] * 2
        rarer = ["three times daily", "four times daily", "every morning", "at bedtime", "once weekly"]
        return self.rng.choice([*usual, *rarer])

    def readings(self) -> dict[str, tuple[str, ...]]:
        """One to three readings by form, in the order of the guide."""
        rng = self.rng
        high = rng.randint(98, 172)
        every: dict[str, tuple[str, ...]] = {
            "bp": (str(high), str(rng.randint(max(54, high - 70), min(104, high - 28)))),
            "hr": (str(rng.randint(52, 118)),),
            "rr": (str(rng.randint(11, 26)),),
            "temp": (f"{rng.randint(359, 392) / 10:.1f}",),
            "spo2": (str(rng.randint(91, 99)),),
            "weight": (f"{rng.randint(460, 1180) / 10:.1f}".removesuffix(".0"),),
        }
        if rng.random() < 0.15:
            return {}
        chosen = set(rng.sample(["bp", "bp", "hr", "temp", "rr", "spo2", "weight"], rng.choice([1, 1, 1, 2])))
        return {form: values for form, values in every.items() if form in chosen}
