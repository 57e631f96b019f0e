"""Puts a customer's message together from independent fragments, in many orders and manners of writing."""

from __future__ import annotations

import random
import re

from generator.banks import Decks, bank
from generator.facts import Facts, fill, usable

MIN_WORDS, MAX_WORDS = 20, 45

# O opening, I name first, S situation, D deciding detail, N order number, F feeling, P deadline or reminder,
# R request, G private data, C closing with the name.
LAYOUTS = ["OSDNFPRGC", "SDNPRFGC", "NSDFPRGC", "ONSDPRGC", "SFDPNRGC", "OSDPRNGC", "SDRFPGNC", "OSFDNPRC"]
LAYOUTS_NAME_FIRST = ["ISDNFPRG", "INSDPRG", "OISDFPRNG", "NISDPFRG", "ISDPRFNG"]

CONTRACTIONS = [
    (r"\b(I) am(?= \w)", r"\1'm"),
    (
        r"\b(I|We|we) (?:have)(?= (?:had|kept|bought|never|not|changed|been|told|walked|asked|decided|worn|grown)\b)",
        r"\1've",
    ),
    (r"\b(do|does|did|is|was|has|have|would|should|could) not\b", r"\1n't"),
    (r"\b(C|c)annot\b", r"\1an't"),
    (r"\bwill not\b", "won't"),
    (r"\b(It|it|That|that|There|there) is(?= \w)", r"\1's"),
    (r"\b(We|we) are(?= \w)", r"\1're"),
    (r"\b(I) would(?= \w)", r"\1'd"),
    (r"\b(I) (?:shall|will)(?= \w)", r"\1'll"),
]


class Writer:
    """Writes first messages and answers for given facts."""

    def __init__(self, decks: Decks) -> None:
        self.decks, self.rng = decks, decks.rng

    def _draw(self, phrases: list[str], facts: Facts) -> str:
        return fill(self.decks.draw(usable(phrases, facts)), facts)

    def _matter(self, facts: Facts, order_given: bool) -> dict[str, str]:
        """The parts that decide the answer: situation, detail, order number, deadline; and the request."""
        own, shared, rng = bank(f"intents/{facts.case.intent}"), bank("shared"), self.rng
        phrases = own.get("situation", []) + own.get(f"situation {facts.case.name}", [])
        if facts.product is None:
            phrases = [p for p in phrases if "{product}" not in p]
        situation = self.decks.draw(usable(phrases, facts))
        parts = {"S": fill(situation, facts), "R": self._draw(own["request"], facts)}
        names_product_elsewhere = facts.product is not None and "{product}" not in situation
        if order_given:
            parts["N"] = self._draw(shared["order_product" if names_product_elsewhere else "order"], facts)
        elif facts.case.needs_order and facts.order is None:
            parts["N"] = self._draw(shared["no_order"], facts)
        if names_product_elsewhere and not order_given:
            parts["S"] = f"{self._draw(shared['product_only'], facts)} {parts['S']}"
        details = [own[key] for key in own if key.startswith("detail") and facts.case.name in key.split()]
        if details:
            parts["D"] = self._draw(details[0], facts)
        if facts.priority == "high":
            parts["P"] = self._draw(shared[rng.choice(["deadline", "deadline", "chased"])], facts)
        return parts

    def _manners(self, facts: Facts) -> dict[str, str]:
        """The parts around it: opening, feeling, private data, and the name at the start and at the end."""
        own, shared, rng = bank(f"intents/{facts.case.intent}"), bank("shared"), self.rng
        parts: dict[str, str] = {}
        if rng.random() < 0.2:
            parts["O"] = self._draw(shared["opening"], facts)
        if rng.random() < 0.2:
            calm = facts.case.intent != "unsafe" and rng.random() < 0.4
            parts["F"] = self._draw((shared if calm else own)["feeling"], facts)
        if rng.random() < 0.1:
            parts["G"] = self._draw(shared["pii"], facts)
        if facts.customer.first:
            parts["I"] = self._draw(shared["intro"], facts)
            parts["C"] = self._draw(shared["closing"], facts)
        elif rng.random() < 0.6:
            parts["C"] = self._draw(shared["closing_anonymous"], facts)
        return parts

    def message(self, facts: Facts, order_given: bool = True) -> str:
        """A first message of 20 to 45 words. Private data stands as [phone], [email], [card], [address]."""
        rng = self.rng
        while True:
            parts = self._matter(facts, order_given and facts.order is not None) | self._manners(facts)
            layout = rng.choice(LAYOUTS_NAME_FIRST if facts.customer.first and rng.random() < 0.3 else LAYOUTS)
            text = " ".join(parts[key] for key in layout if key in parts)
            if MIN_WORDS <= len(text.split()) <= MAX_WORDS:
                return self.in_manner(text, facts)

    def answer(self, facts: Facts) -> str:
        """The order number, given after the bench asked for it."""
        text = self._draw(bank("shared")["answer"], facts)
        return text.lower() if self.rng.random() < 0.2 else text

    def in_manner(self, text: str, facts: Facts) -> str:
        """The text as this customer types: contractions, lower case, typing slips, dots or exclamation marks."""
        rng = self.rng
        if rng.random() < 0.6:
            for pattern, short in CONTRACTIONS:
                text = re.sub(pattern, short, text)
        if rng.random() < 0.2:
            link = rng.choice([", and ", " - ", "; ", " and "])
            text = re.sub(
                r"(?<=\w)\. (I\b|We\b|It\b)", lambda m: link + (m[1] if m[1] == "I" else m[1].lower()), text, count=1
            )
        manner = rng.random()
        if manner < 0.12:
            text = lower_case(text, facts, keep_names=rng.random() < 0.95)
        elif manner < 0.2:
            text = with_slips(text, facts, rng)
        elif manner < 0.25:
            text = re.sub(r"\. ", lambda _: rng.choice(["! ", "... ", ". "]), text)
        return text


def protected_words(facts: Facts) -> set[str]:
    """Words that keep their spelling whatever the manner: names, products, town."""
    values = [facts.fills.get(key, "") for key in ("name", "product", "order", "town", "country", "day")]
    return {word.strip(".,") for value in values for word in value.split()} | set(facts.customer.full.split())


def lower_case(text: str, facts: Facts, keep_names: bool) -> str:
    """All in lower case, as from a telephone; names and products usually keep their capitals."""
    keep = protected_words(facts) if keep_names else set()
    return " ".join(word if word.strip(".,:;") in keep else word.lower() for word in text.split(" "))


def with_slips(text: str, facts: Facts, rng: random.Random) -> str:
    """One or two typing slips in plain words: two letters swapped, one dropped or one doubled."""
    words, keep = text.split(" "), protected_words(facts)
    places = [i for i, w in enumerate(words) if re.fullmatch(r"[a-z]{5,}", w) and w not in keep]
    for i in rng.sample(places, min(len(places), rng.randint(1, 2))):
        w, at = words[i], rng.randrange(1, len(words[i]) - 1)
        words[i] = rng.choice([w[:at] + w[at + 1] + w[at] + w[at + 2 :], w[:at] + w[at + 1 :], w[:at] + w[at] + w[at:]])
    return " ".join(words)
