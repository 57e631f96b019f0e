"""Who writes and about what: names, products, order numbers and made-up private data.

Every value is fictional: telephone numbers come from the range that Ofcom keeps for drama, e-mail addresses end in
example.com, .org or .net, card numbers use a test prefix, and no real postcode begins with Q.
"""

from __future__ import annotations

import random
import re
import unicodedata
from dataclasses import dataclass

from generator.banks import PHRASES, Decks, bank
from generator.lexicon import KINDS, lexicon


@dataclass(frozen=True)
class Customer:
    """A writer; a nameless one has an empty first name and surname."""

    first: str
    surname: str
    town: str

    @property
    def full(self) -> str:
        return f"{self.first} {self.surname}".strip()


class People:
    """Hands out customers, products and order numbers; what one season names, the other does not."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.decks = Decks(rng)
        self.orders = set(re.findall(r"\d{5}", (PHRASES / "new_phrasings.txt").read_text(encoding="utf-8")))

    def _name(self, of: str, autumn: bool) -> str:
        return self.decks.draw(lexicon(of)["autumn" if autumn else "spring"])

    def customer(self, autumn: bool) -> Customer:
        """A customer whose names nobody had before; about one in sixteen gives none."""
        town = self.rng.choice(bank("places")["town"])
        if self.rng.random() < 0.06:
            return Customer("", "", town)
        return Customer(self._name("first", autumn), self._name("surname", autumn), town)

    def order(self) -> str:
        """Five digits never handed out before."""
        while (digits := str(self.rng.randint(10000, 99999))) in self.orders:
            pass
        self.orders.add(digits)
        return digits

    def product(self, autumn: bool) -> str:
        """A catalogue name; the autumn range is known in autumn only."""
        return f"{self._name('product', autumn)} {self.decks.draw(KINDS)}"


def kind_of(product: str) -> str:
    """'Tarn kettle' to 'kettle'."""
    return product.split(" ", 1)[1]


def phone(rng: random.Random) -> str:
    """A telephone number from the range kept for drama, in one of three spellings."""
    digits = f"{rng.randint(0, 999):03d}"
    return rng.choice([f"07700 900{digits}", f"07700900{digits}", f"+44 7700 900 {digits}"])


def _plain(name: str) -> str:
    """Lower case without accents, as in an e-mail address."""
    letters = unicodedata.normalize("NFKD", name.lower().replace("ø", "o"))
    return "".join(letter for letter in letters if letter.isascii())


def email(rng: random.Random, customer: Customer) -> str:
    """An address at a domain kept for examples."""
    domain = rng.choice(["example.com", "example.org", "example.net"])
    if not customer.first:
        return f"{rng.choice(['sparrow', 'teapot', 'marmalade', 'quill'])}{rng.randint(10, 99)}@{domain}"
    first, last = _plain(customer.first), _plain(customer.surname)
    return rng.choice([f"{first}.{last}", f"{first}{rng.randint(1, 99)}", f"{first[0]}{last}"]) + "@" + domain


def card(rng: random.Random) -> str:
    """A card number with a valid check digit and a prefix used for tests."""
    digits = [4, 0, 0, 0, 0, 0] + [rng.randint(0, 9) for _ in range(9)]
    doubled = [(d * 2 - 9 if d > 4 else d * 2) if i % 2 == 0 else d for i, d in enumerate(digits)]
    digits.append(-sum(doubled) % 10)
    text = "".join(map(str, digits))
    return " ".join(text[i : i + 4] for i in range(0, 16, 4)) if rng.random() < 0.7 else text


def address(rng: random.Random) -> str:
    """A street address in an invented town with a postcode that cannot exist."""
    places = bank("places")
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    postcode = (
        f"Q{rng.choice(letters)}{rng.randint(1, 20)} {rng.randint(1, 9)}{rng.choice(letters)}{rng.choice(letters)}"
    )
    flat = f"Flat {rng.randint(1, 12)}, " if rng.random() < 0.25 else ""
    return f"{flat}{rng.randint(1, 180)} {rng.choice(places['street'])}, {rng.choice(places['town'])} {postcode}"
