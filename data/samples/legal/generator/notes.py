"""Puts an associate's note together from independent phrases, in many orders."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date

from generator.banks import Decks, bank
from generator.requests import Facts, in_style

# O opening, N kind, number and code, T addressee, A what is asked, D dates, L details, B Bates, W days, S signature,
# Z aside, C close.
LAYOUTS = [
    "ONTADLBWSZC", "OZNTADLBWSC", "OSNTADLBWZC", "ONTSADLBWZC", "ONATDLWBSZC", "OTNADLBSWZC", "ONADLTBWSZC",
    "OANDLTBWZSC", "ONSTADLWBZC", "OZTNADLWSBC",
]  # fmt: skip
MIN_WORDS, MAX_WORDS = 52, 76
DATE_FORMS = 6


def typed(day: date, form: int) -> str:
    """The date as people type it: mostly in the firm's form, now and then with the month short."""
    return in_style(day) if form else f"{day:%b} {day.day}, {day.year}"


class Writer:
    """Writes notes for given facts, from the bank of one name."""

    def __init__(self, decks: Decks, name: str) -> None:
        self.decks, self.rng, self.bank = decks, decks.rng, bank(name)

    def template(self, facts: Facts, private: bool = False) -> str:
        """A note of 52 to 76 words with its placeholders still in it, so that it can be filled with other names."""
        draw, own, rng = self.decks.draw, self.bank, self.rng
        group = facts.ask if facts.ask in ("persons", "payments") else "documents"
        while True:
            parts = {
                "N": draw(own[f"number {facts.kind}"]),
                "T": draw(own["to"]),
                "A": draw(own[f"ask {facts.ask}"]),
                "D": draw(own["time"]),
                "S": draw(own["signature"]),
            }
            if facts.details:
                parts["L"] = draw(own[f"list {group}"])
            if facts.bates:
                parts["B"] = draw(own["bates"])
            if facts.days != 30 or rng.random() < 0.2:
                parts["W"] = draw(own["days"])
            layout, said = rng.choice(LAYOUTS), parts | {"Z": self._slip(draw(own["aside"]))}
            if rng.random() < 0.85:
                said["O"] = draw(own["opening"])
            if rng.random() < 0.7:
                said["C"] = draw(own["close"])
            if private:
                said["Z"] += " " + draw(bank("notes")["private"])
            if _words(_joined(layout, said), facts) < MIN_WORDS:
                said["Z"] += " " + draw(own["aside"])
            if MIN_WORDS <= _words(_joined(layout, said), facts) <= MAX_WORDS:
                return _joined(layout, said)

    def _slip(self, text: str) -> str:
        """Now and then two letters swapped, in words that carry no fact."""
        words = text.split(" ")
        places = [i for i, word in enumerate(words) if word.isalpha() and len(word) > 5]
        if places and self.rng.random() < 0.12:
            place = self.rng.choice(places)
            word = words[place]
            words[place] = word[:2] + word[3] + word[2] + word[4:]
        return " ".join(words)


def _joined(layout: str, said: Mapping[str, str]) -> str:
    return " ".join(said[key] for key in layout if key in said)


def _words(template: str, facts: Facts) -> int:
    return len(fill(template, values(facts, 1)).split())


def values(facts: Facts, form: int, **more: str) -> dict[str, str]:
    """What the placeholders of a note stand for; `form` chooses how its dates are typed."""
    found = {
        "number": str(facts.number),
        "code": facts.matter.code,
        "to": facts.to,
        "client": facts.client,
        "attorney": facts.matter.attorney,
        "past": facts.past,
        "base": facts.base,
        "noun": facts.noun,
        "subject": facts.subject,
        "d1": typed(facts.first_day, form),
        "d2": typed(facts.last_day, form),
        "days": str(facts.days),
    }
    found |= dict(zip("abc", facts.details, strict=False))
    if facts.bates:
        found |= {"b1": facts.bates[0], "b2": facts.bates[1]}
    return found | more


class _Blank(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return f"<{key}>"


def fill(template: str, given: Mapping[str, str]) -> str:
    """The note with its placeholders filled, each sentence with a capital."""
    text = template.format_map(_Blank(given))
    sentences = text.split(". ")
    return ". ".join(s[:1].upper() + s[1:] for s in sentences)


def phone(rng: random.Random) -> str:
    """A telephone number from the range kept for fiction."""
    return f"({rng.choice([212, 312, 415, 617, 713])}) 555-01{rng.randint(0, 99):02}"


def email(rng: random.Random, word: str) -> str:
    """An address at a domain kept for examples."""
    return f"{word.lower()}{rng.randint(1, 99)}@{rng.choice(['example.com', 'example.org', 'example.net'])}"
