"""How values are said aloud: doses, frequencies, durations, and what a patient takes back."""

from __future__ import annotations

import random

from generator.banks import bank, words
from generator.visits import NUMBER_WORDS, OTHER, Drawer, Medicine, Visit

UNITS = {"mg": "milligrams", "mcg": "micrograms", "ml": "millilitres"}


def said_dose(dose: str, rng: random.Random) -> str:
    """A dose as it is, "40 mg", or "40 milligrams"."""
    number, unit = dose.split()
    return f"{number} {UNITS[unit]}" if rng.random() < 0.4 else dose


def said_often(often: str, rng: random.Random) -> str:
    """A frequency of the guide as people say it."""
    ways = dict(line.split(": ") for line in bank("words")["frequency"])
    return rng.choice(ways[often].split("; ")) if often in ways else often


def said_duration(duration: str, rng: random.Random) -> str:
    """A duration as it is, "3 weeks", at times "three weeks"."""
    number, unit = duration.split()
    word = NUMBER_WORDS.get(int(number))
    return f"{word} {unit}" if word and rng.random() < 0.2 else duration


def said_medicine(medicine: Medicine, rng: random.Random) -> dict[str, str]:
    """What {med}, {dose} and {freq} stand for."""
    return {
        "med": medicine.name,
        "dose": said_dose(medicine.dose, rng),
        "freq": said_often(medicine.often, rng),
    }


def in_note(said: str) -> str:
    """The complaint as the note has it: no article at the start, "the" for "my"."""
    for article in ("a ", "an "):
        said = said.removeprefix(article)
    return said.replace(" my ", " the ").replace("I pass", "passing")


def corrected(drawer: Drawer, visit: Visit, turns: dict[str, list[str]], what: str, values: dict[str, str]) -> str:
    """A correction in the sentence for values[what]; notes what was taken back. `what` is duration or dose."""
    right = values[what]
    if what == "duration":
        wrong = drawer.other_duration(right)
    else:
        wrong = drawer.dose(unlike=right if right in words("dose") else short_dose(right))
    visit.retracted.append({"kind": what, "wrong": wrong, "right": short_dose(right)})
    visit.features.add(f"corrected {what}")
    return drawer.decks.draw(turns[f"{what} in the sentence"]).format(wrong=wrong, **{what: right})


def short_dose(said: str) -> str:
    """A said dose as the note has it: "40 milligrams" to "40 mg"; other texts stay."""
    for unit, long in UNITS.items():
        said = said.replace(long, unit)
    return said


def side_corrected(drawer: Drawer, visit: Visit, turns: dict[str, list[str]], say: str) -> str:
    """The complaint, first with the wrong side."""
    wrong = OTHER[visit.side]
    visit.retracted.append({"kind": "side", "wrong": wrong, "right": visit.side})
    visit.features.add("corrected side")
    wrong_say = say.replace(visit.side, wrong)
    return drawer.decks.draw(turns["side in the sentence"]).format(wrong_say=wrong_say, say=say)
