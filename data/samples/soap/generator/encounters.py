"""Plans the clinic's encounters: which complaint, which split, what was said and what the gold note says."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from generator.banks import complaints, words
from generator.notes import gold_note
from generator.people import Identifiers, Patient, People
from generator.talk import Talk
from generator.visits import Drawer, Visit

SYSTEM_PROMPT = "Write the Oxmere clinic's SOAP note of this visit."
COUNTS = {"train": 2000, "validation": 100, "test": 150, "test_new_complaints": 64}
SPARE = 60  # encounters that end in no split: their records are spoilt beyond mending
HELD_OUT_FROM = datetime(2025, 9, 1)
TALK_WORDS, NOTE_WORDS = (60, 105), (30, 56)
DOCTORS = ["Dr Ashgrove", "Dr Pellworth", "Dr Imber", "Dr Sandoval-Ek"]
LOCUM = "Dr Thorpe (locum)"


@dataclass
class Encounter:
    """A visit with its talk and gold note; `talk` still holds marks for identifiers, see people.Identifiers."""

    id: str
    split: str
    seen: datetime
    doctor: str
    patient: Patient
    visit: Visit
    talk: str
    note: str
    identifiers: Identifiers

    @property
    def messages(self) -> list[dict[str, str]]:
        """In chat format, de-identified."""
        return [
            {"role": "system", "content": SYSTEM_PROMPT},
            {"role": "user", "content": self.identifiers.curated(self.talk)},
            {"role": "assistant", "content": self.note},
        ]


def masked(encounter: Encounter) -> str:
    """The talk without medicines, numbers and sides, so that mostly its phrasing is left."""
    text = encounter.identifiers.curated(encounter.talk)
    names = {values[0] for form, values in encounter.visit.facts if form in ("takes", "start", "change", "stop")}
    for name in names:
        text = text.replace(name, "M")
    return re.sub(r"\d+(?:\.\d+)?", "0", text).lower()


class Planner:
    """Makes encounters one at a time, from the start of the year on."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.people = People(self.rng)
        self.drawer = Drawer(self.rng)

    def encounter(self, split: str, complaint: str) -> Encounter:
        """One encounter of the wanted length; drawn again until it has it."""
        held_out, new = split.startswith("test"), split == "test_new_complaints"
        patient = self.people.patient(held_out)
        relative = self.rng.choice(words("first test" if held_out else "first"))
        doctor = self.rng.choice(DOCTORS)
        while True:
            visit = self.drawer.visit(complaint, "complaints_new" if new else "complaints", held_out)
            identifiers = Identifiers(patient, doctor, relative, self.rng)
            talk = Talk(self.drawer, visit, identifiers, new_phrasing=new).write()
            note = gold_note(visit.facts)
            if _within(talk, TALK_WORDS) and _within(note, NOTE_WORDS):
                break
        first, last = (HELD_OUT_FROM, datetime(2025, 12, 1)) if held_out else (datetime(2025, 1, 6), HELD_OUT_FROM)
        minutes = self.rng.randrange(int((last - first).total_seconds()) // 60)
        seen = (first + timedelta(minutes=minutes)).replace(hour=self.rng.randint(8, 17))
        number = self.people.number(20000, 39999)
        return Encounter(f"E-{number}", split, seen, doctor, patient, visit, talk, note, identifiers)


def _within(text: str, bounds: tuple[int, int]) -> bool:
    return bounds[0] <= len(text.split()) <= bounds[1]


def plan(seed: int) -> list[Encounter]:
    """Every encounter, each complaint as often as the others in its split."""
    planner = Planner(seed)
    made = []
    counts = COUNTS | {"spare": SPARE}
    for split in sorted(counts, key="train".__eq__):  # training last: how much there is changes no other split
        count = counts[split]
        kinds = list(complaints("complaints_new" if split == "test_new_complaints" else "complaints"))
        made += [planner.encounter(split, kinds[number % len(kinds)]) for number in range(count)]
    return made
