"""What one conversation is about, and how a phrase's placeholders are filled from that."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from generator.banks import Case, Decks, bank
from generator.people import Customer, kind_of

ORDER_FORMS = ["LM-{0}"] * 8 + ["LM{0}"] * 3 + ["lm{0}"] * 2 + ["#{0}"] * 2 + ["{0}"] * 2 + ["LM {0}"] * 2 + ["lm-{0}"]


@dataclass
class Facts:
    """What one conversation is about: everything a reply depends on."""

    case: Case
    customer: Customer
    order: str | None
    product: str | None
    priority: str
    created: datetime
    fills: dict[str, str] = field(default_factory=dict)


def fill_ins(facts: Facts, decks: Decks) -> dict[str, str]:
    """The values that the placeholders of this conversation's fragments stand for."""
    places, kinds, rng = bank("places"), bank("kinds"), decks.rng
    amount = f"{rng.randint(4, 89)}.{rng.choice(['00', '50', '95', '20', '75'])}".removesuffix(".00")
    fills = {
        "day": needed_by(facts.created, rng),
        "amount": rng.choice([f"£{amount}", f"{amount} pounds"]),
        "town": facts.customer.town,
        "country": rng.choice(places["country"]),
        "pieces": rng.choice(["15", "20", "24", "thirty", "40", "fifty", "60", "16", "two dozen", "36"]),
        "old_thing": rng.choice(kinds["old_thing"]),
        "address": "[address]",
        "phone": "[phone]",
        "email": "[email]",
        "card": "[card]",
    }
    if facts.order:
        fills["order"] = rng.choice(ORDER_FORMS).format(facts.order)
    if facts.product:
        kind = kind_of(facts.product)
        fills |= {"kind": kind, "fault": decks.draw(kinds[f"fault {kind}"]), "bit": decks.draw(kinds[f"bit {kind}"])}
        fills["product"] = facts.product.title() if rng.random() < 0.04 else facts.product
    if facts.customer.first:
        first, surname = facts.customer.first, facts.customer.surname
        fills["name"] = rng.choice([first, first, first, facts.customer.full, f"{first} {surname[0]}."])
    return fills


def needed_by(created: datetime, rng: random.Random) -> str:
    """A day of the week to come, by its name."""
    return f"{created + timedelta(days=rng.randint(2, 8)):%A}"


def usable(phrases: list[str], facts: Facts) -> list[str]:
    """The phrases whose placeholders this conversation can fill."""
    return [p for p in phrases if all(name in facts.fills for name in re.findall(r"\{(\w+)\}", p))]


def fill(phrase: str, facts: Facts) -> str:
    """The phrase with its placeholders filled, the right article before them, and a capital at the start."""

    def article(match: re.Match[str]) -> str:
        value = facts.fills[match[2]]
        return f"{match[1]}{'n' if value[0] in 'AEIOUaeiou' else ''} {value}"

    text = re.sub(r"\b([Aa]) \{(\w+)\}", article, phrase.replace("{a_product}", "a {product}"))
    text = re.sub(r"\{(\w+)\}", lambda match: facts.fills[match[1]], text)
    return text[0].upper() + text[1:] if not text.startswith("lm") else text
