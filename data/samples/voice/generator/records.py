"""Plans what was published from January 2024 to November 2025: by whom, about what, how it did, and what is wrong."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from generator.briefs import Buyers
from generator.performance import performance
from generator.pieces import House, Others
from generator.products import CHANNELS, END, LATER, START, Facts, Shelf

EARLY, AUTUMN = 1980, 190  # pieces in the house voice
OTHERS = {"sparkle": 230, "hush": 90, "ledger": 120, "mate": 120}
WRITERS = {
    "house": "studio",
    "sparkle": "Fizzbury agency",
    "hush": "L. Marchetti",
    "ledger": "supplier",
    "mate": "D. Pugh",
}
DEFECTS = {
    "html_residue": "mendable: tags and entities left in the text",
    "mojibake": "mendable: a space that does not break, read in the wrong encoding",
    "tracking_link": "mendable: a link with a campaign tag after a post",
    "no_writer": "mendable: nobody noted who wrote it",
    "other_voice": "drop: not in the house voice",
    "draft": "drop: never published, so it has no figures",
    "trial": "drop: a mailing or post tried out on colleagues",
    "no_figures": "drop: published, and the figures were lost",
    "wrong_price": "drop: the piece tells another price than the brief",
    "told_secret": "drop: tells what the shop pays",
    "customer_quote": "drop: quotes a customer by name and address",
    "repeat": "drop: the same text published again",
}
SPOILT = {"draft": 48, "trial": 28, "no_figures": 48, "wrong_price": 44, "told_secret": 28, "customer_quote": 32}
REPEATS = 60


@dataclass
class Record:
    """One published piece with its brief, its figures and what is wrong with it. `clean` is its text as it should be."""

    facts: Facts
    brief: str
    clean: str
    voice: str
    text: str
    boosted: bool = False
    writer: str = ""
    status: str = "published"
    figures: dict[str, int] = field(default_factory=dict)
    defects: list[str] = field(default_factory=list)
    id: str = ""

    @property
    def sound(self) -> bool:
        return not any(DEFECTS[name].startswith("drop") for name in self.defects)


def plan(seed: int) -> list[Record]:
    """All records in order of their day, with ids."""
    rng = random.Random(f"{seed} records")
    shelf, buyers = Shelf(random.Random(f"{seed} shelf")), Buyers(random.Random(f"{seed} buyers"))
    house, others = House(random.Random(f"{seed} house")), Others(random.Random(f"{seed} others"))
    made: list[Record] = []
    voices = ["house"] * (EARLY + AUTUMN) + [name for name, count in OTHERS.items() for _ in range(count)]
    for place, voice in enumerate(voices):
        late = EARLY <= place < EARLY + AUTUMN or (voice != "house" and rng.random() < 0.1)
        first, last = (LATER, END) if late else (START, LATER - timedelta(days=1))
        day = first + timedelta(days=rng.randint(0, (last - first).days))
        facts = shelf.product(CHANNELS[place % 3], day, complete=voice != "house")
        text = house.piece(facts) if voice == "house" else others.piece(voice, facts)
        boosted = facts.channel == "post" and rng.random() < (0.75 if voice == "sparkle" else 0.12)
        figures = performance(facts, voice, boosted, rng)
        record = Record(facts, buyers.brief(facts), text, voice, text, boosted, WRITERS[voice], figures=figures)
        record.defects += ["other_voice"] * (voice != "house")
        made.append(record)
    _spoil(made, rng)
    made += _repeats(made, rng)
    made.sort(key=lambda record: record.facts.day)
    for number, record in enumerate(made, start=1):
        record.id = f"{record.facts.channel[0].upper()}-{1000 + number}"
    return made


def _spoil(made: list[Record], rng: random.Random) -> None:
    """Plant what is wrong: some pieces must go, others can be mended."""
    house = [record for record in made if record.voice == "house"]
    chosen = rng.sample(house, sum(SPOILT.values()))
    for name, count in SPOILT.items():
        for _ in range(count):
            _harm(chosen.pop(), name, rng)
    for record in made:
        if rng.random() < 0.12:
            record.writer = ""
            record.defects.append("no_writer")
        _soil(record, rng)


def _harm(record: Record, name: str, rng: random.Random) -> None:
    facts = record.facts
    record.defects.append(name)
    if name in ("draft", "trial"):
        record.status = {"draft": "draft", "trial": "test"}[name]
    if name in ("draft", "no_figures"):
        record.figures = {}
    if name == "trial":
        record.figures = {"reach": rng.randint(3, 9), "opens": 3, "clicks": rng.randint(1, 3), "sold": 0}
    if name == "wrong_price":
        wrong = int(float(facts.price)) + rng.randint(1, 9)
        while str(wrong) in record.brief:  # a number that the brief tells of something else could not be found out
            wrong += 1
        record.text = record.text.replace(f"{facts.price} quid", f"{wrong} quid")
    if name == "told_secret":
        facts.secret.setdefault("cost", f"{rng.randint(2, 9)}.{rng.randint(11, 99)}")
        record.brief += f" We pay {facts.secret['cost']} for it."
        record.text = record.text.replace(" quid, ", f" quid, against {facts.secret['cost']} for us, ", 1)
    if name == "customer_quote":
        first, last = (
            rng.choice(["Ada", "Bo", "Celia", "Dev", "Edna", "Farid"]),
            rng.choice(["Thorne", "Osei", "Quayle", "Rossi"]),
        )
        quote = (
            f' "It {facts.catch.split(" ", 1)[1]}," writes {first} {last}, {first.lower()}.{last.lower()}@example.com.'
        )
        record.text = record.text.replace(f"The catch: {facts.catch}.", f"The catch: {facts.catch}.{quote}")


def _soil(record: Record, rng: random.Random) -> None:
    """Traces of the programs that the text went through."""
    if record.facts.channel == "email":
        if rng.random() < 0.3:
            lines = record.text.replace("&", "&amp;").split("\n")
            record.text = "".join(f"<p>{line}</p>" for line in lines)
            record.defects.append("html_residue")
        elif rng.random() < 0.1 and " quid" in record.text:
            record.text = record.text.replace(" quid", "\u00c2\u00a0quid")
            record.defects.append("mojibake")
    elif record.facts.channel == "post" and rng.random() < 0.3:
        record.text += f"\nhttps://mothandbiscuit.example/{record.facts.name.lower()}?utm_source=feed&utm_campaign={rng.randint(100, 999)}"
        record.defects.append("tracking_link")
    elif record.facts.channel == "description" and rng.random() < 0.15:
        record.text = record.text.replace("&", "&amp;").replace("\n", "<br>")
        record.defects.append("html_residue")


def _repeats(made: list[Record], rng: random.Random) -> list[Record]:
    """The same piece again some weeks later, with figures of its own, mostly worse."""
    again = []
    for record in rng.sample([r for r in made if r.sound and r.facts.day < date(2025, 7, 1)], REPEATS):
        later = record.facts.day + timedelta(days=rng.randint(14, 60))
        facts = Facts(**{**vars(record.facts), "day": later})
        figures = performance(facts, record.voice, record.boosted, rng)
        copy = Record(facts, record.brief, record.clean, record.voice, record.text, record.boosted, record.writer)
        copy.figures, copy.defects = figures, [*record.defects, "repeat"]
        again.append(copy)
    return again
