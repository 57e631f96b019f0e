"""What a piece is about: products with facts from spaces so large that hardly any comes twice."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from generator.banks import Decks, a, words

CHANNELS = ("description", "post", "email")
LATER = date(2025, 9, 1)  # the new range: only the test set knows it
TRIES = 10_000  # to draw what was not drawn before; a StopIteration says that phrases/products.txt needs more words
ROOM = 135  # characters of facts in a post: with more, it may not fit into 280 whatever is said around them
START, END = date(2024, 1, 8), date(2025, 11, 23)


@dataclass
class Facts:
    """One brief's facts. Empty: the brief does not say. `secret` is what must stay in the brief."""

    channel: str
    name: str
    kind: str
    material: str
    colour: str
    size: str
    catch: str
    keith: str
    price: str
    deal: str = ""
    code: str = ""
    ends: date | None = None
    secret: dict[str, str] = field(default_factory=dict)
    day: date = START

    @property
    def date(self) -> str:
        """The last day of the offer as people write it."""
        return f"{self.ends.day} {self.ends:%B}" if self.ends else ""

    def told(self) -> int:
        """The characters of the facts that a post tells."""
        return sum(
            map(len, (self.kind, self.name, self.catch, self.keith, self.price, self.deal, self.code, self.date))
        )

    def fills(self) -> dict[str, str]:
        """What stands for the braces in the phrase banks."""
        kind = a(self.kind)
        own = {key: value for key, value in vars(self).items() if isinstance(value, str)}
        return own | self.secret | {"date": self.date, "a_kind": kind, "a_kind_capital": kind[0].upper() + kind[1:]}

    def row(self) -> dict[str, Any]:
        """As facts.jsonl holds them."""
        found: dict[str, Any] = {key: getattr(self, key) for key in ("channel", "name", "kind", "material", "colour")}
        found |= {key: getattr(self, key) for key in ("size", "catch", "keith", "price")}
        offer = {"deal": self.deal, "code": self.code, "date": self.date, "ends": str(self.ends)} if self.code else None
        return found | {"offer": offer, "secret": list(self.secret.values())}


class Shelf:
    """Hands out products; no name, code or kind comes twice, and no word of the later range before its time."""

    def __init__(self, rng: random.Random) -> None:
        self.rng, self.decks = rng, Decks(rng)
        self.taken: set[str] = set()

    def product(self, channel: str, day: date, new: bool = False, complete: bool = False) -> Facts:
        """A product with its facts and, often, an offer. `new`: of the kinds never seen; `complete`: no gaps."""
        rng, drawn = self.rng, Drawer(self, _source(day, new))
        numbers = rng.sample(range(12, 100), 2)
        facts = Facts(
            channel=channel,
            name=drawn.name(),
            kind=drawn.kind(),
            material=drawn.material(),
            colour=drawn.colour(),
            size=drawn.size(),
            catch=drawn.catch(),
            keith=drawn.keith(),
            price=f"{rng.randint(4, 189)}{rng.choice(['', '', '.50', '.20', '.80'])}",
            day=day,
        )
        if not (new or complete):
            facts.colour = "" if rng.random() < 0.1 else facts.colour
            facts.keith = "" if rng.random() < 0.1 else facts.keith
        if rng.random() < (0.3 if channel == "description" else 0.6):
            self.offer(facts, new)
        self.shorten(facts, new)
        chance = 1 if new else 0.3
        secret = {
            "cost": f"{numbers[0] % 9 + 1}.{numbers[1]}",
            "stock": str(rng.randint(190, 999)),
            "supplier": drawn.supplier(),
        }
        facts.secret = {key: value for key, value in secret.items() if rng.random() < chance}
        return facts

    def offer(self, facts: Facts, new: bool = False) -> None:
        """Put an offer into the facts, which ends one to three weeks after the day."""
        drawn = Drawer(self, _source(facts.day, new))
        facts.deal, facts.code = drawn.deal(), drawn.code()
        facts.ends = facts.day + timedelta(days=self.rng.randint(8, 24))

    def shorten(self, facts: Facts, new: bool = False) -> None:
        """Draw fault, snail report and offer again until a post has room for them."""
        drawn = Drawer(self, _source(facts.day, new))
        while facts.channel == "post" and facts.told() > ROOM:
            facts.catch, facts.keith = drawn.catch(), drawn.keith() if facts.keith else ""
            facts.deal = drawn.deal() if facts.deal else ""

    def once(self, make: Callable[[], str]) -> str:
        """What `make` gives, made again until it is new."""
        found = next(value for value in (make() for _ in range(TRIES)) if value not in self.taken)
        self.taken.add(found)
        return found


def _source(day: date, new: bool) -> str:
    return "new" if new else "later" if day >= LATER else "early"


class Drawer:
    """Draws each kind of fact from the words of one source: early, later, or new."""

    def __init__(self, shelf: Shelf, source: str) -> None:
        self.shelf, self.rng, self.decks, self.source = shelf, shelf.rng, shelf.decks, source

    def word(self, section: str, file: str = "products") -> str:
        if self.source == "new":
            return self.decks.draw(words("new_products", section))
        later = " later" if self.source == "later" and section != "measure" else ""
        return self.decks.draw(words(file, section + later))

    def name(self) -> str:
        def make() -> str:
            start, end = self.word("name start"), self.word("name end")
            if self.rng.random() < 0.35:
                start += self.decks.draw(words("products", "name middle"))
            return start + ("" if start[-1] in "aeiou" else self.rng.choice("aeiou")) + end

        return self.shelf.once(make)

    def kind(self) -> str:
        if self.source == "new":
            return self.word("kind")
        return self.shelf.once(lambda: f"{self.word('modifier')} {self.word('head')}")

    def material(self) -> str:
        if self.source == "new":
            return self.word("material")
        return self.shelf.once(lambda: f"{self.word('finish')} {self.word('stuff')}")

    def colour(self) -> str:
        if self.source == "new":
            return self.word("colour")
        return self.shelf.once(lambda: f"{self.word('shade')} {self.word('hue')}")

    def size(self) -> str:
        return self.word("size") if self.source == "new" else self.word("measure")

    def catch(self) -> str:
        subject = "subject" if self.source == "new" else "part"
        parts = [(subject, "claims"), ("fails", "claims"), ("when", "claims")]
        return self.shelf.once(lambda: " ".join(self.word(*part) for part in parts))

    def keith(self) -> str:
        parts = [("did", "claims"), ("place", "claims"), ("how long", "claims")]
        return self.shelf.once(lambda: " ".join(self.word(*part) for part in parts))

    def deal(self) -> str:
        return self.word("deal") if self.source == "new" else self.decks.draw(words("products", "deal"))

    def code(self) -> str:
        return self.shelf.once(lambda: f"{self.word('code')}{self.rng.randint(11, 99)}")

    def supplier(self) -> str:
        if self.source == "new":
            return self.word("supplier")
        start, end = (
            self.decks.draw(words("products", "supplier start")),
            self.decks.draw(words("products", "supplier end")),
        )
        return f"{start}{end} {self.decks.draw(words('products', 'supplier kind'))}"
