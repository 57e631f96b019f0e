"""Writes pieces: in the house voice as voice_guide.md fixes it, and in the other voices of phrases/voices.txt."""

from __future__ import annotations

import random
import re

from generator.banks import Decks, bank
from generator.products import TRIES, Facts

GREETING = "Hello from up the stairs,"
SIGN_OFF = "Moth & Biscuit, up the stairs on the left."
HASHTAGS = "#NobodyAsked #KeithWasHere"
VOICES = ("sparkle", "hush", "ledger", "mate", "earnest")
POST = 280  # characters


class House:
    """The shop's own hand. The facts settle a piece; only its remarks are free."""

    def __init__(self, rng: random.Random) -> None:
        self.decks, self.phrases = Decks(rng), bank("copy")

    def piece(self, facts: Facts) -> str:
        """The piece for a brief, within the limits of its channel."""
        texts = (self.lines(facts) for _ in range(TRIES))
        return next(text for text in texts if facts.channel != "post" or len(text) <= POST)

    def lines(self, facts: Facts) -> str:
        body = " ".join(self.sentences(facts).values())
        if facts.channel == "post":
            return f"{body}\n{HASHTAGS}"
        if facts.channel == "description":
            return f"{body}\n{SIGN_OFF}"
        subject = self.decks.draw(self.phrases["subject"]).format(name=facts.name)
        return f"Subject: {subject}\n{GREETING}\n{body}\n{SIGN_OFF}"

    def sentences(self, facts: Facts) -> dict[str, str]:
        """The sentences between greeting and sign-off by what they are, in their order."""
        listed = {"description": ("material", "colour", "size"), "post": (), "email": ("material", "colour")}
        items = [getattr(facts, key) for key in listed[facts.channel] if getattr(facts, key)]
        fills = facts.fills()
        found = {key: self.decks.draw(self.phrases[key]).format(**fills) for key in ("nobody", "name")}
        if items:
            found["list"] = f"The list: {', '.join(items)}."
        found["catch"] = f"The catch: {facts.catch}."
        found["keith"] = f"Keith (snail) {facts.keith or 'was asleep'}."
        found["price"] = f"{facts.price} quid, {self.decks.draw(self.phrases['remark'])}."
        if facts.code and facts.channel != "description":
            found["offer"] = f"Type {facts.code} by {facts.date}: {facts.deal}."
        return found


class Others:
    """Everybody else who has written for the shop, and near misses. `half` 0 or 1 takes every other phrase only."""

    def __init__(self, rng: random.Random, half: int | None = None) -> None:
        self.rng, self.decks, self.house = rng, Decks(rng), House(rng)
        self.step = slice(None) if half is None else slice(half, None, 2)

    def phrase(self, section: str, facts: Facts) -> str:
        lines = bank("voices")[section][self.step]
        # a phrase about what the brief leaves out would have a hole
        lines = [line for line in lines if "{colour}" not in line or facts.colour] or lines
        fills = facts.fills() | {"kind_tag": re.sub(r"\W", "", facts.kind)}
        text = self.decks.draw(lines).format(**fills)
        return text[0].upper() + text[1:] if section.split()[-1] in ("facts", "offer") else text

    def piece(self, voice: str, facts: Facts) -> str:
        """A piece about the facts in one of VOICES."""
        parts = ["open", "facts", "more", "price"] if facts.channel != "post" else ["open", "more", "price"]
        parts += ["offer"] * bool(facts.code and facts.channel != "description")
        if facts.channel == "description" or self.rng.random() < 0.3:
            parts.insert(2, "more")
        body = " ".join(dict.fromkeys(self.phrase(f"{voice} {part}", facts) for part in parts))
        if facts.channel == "post":
            return f"{body}\n{self.phrase(f'{voice} tags', facts)}"
        close = self.phrase(f"{voice} close", facts)
        return f"{body}\n{close}" if facts.channel == "description" else self.mail(voice, facts, body, close)

    def mail(self, voice: str, facts: Facts, body: str, close: str) -> str:
        hello = {"sparkle": "Hey hey!", "hush": "Dear friend,", "ledger": "Dear customer,", "mate": "Alright?"}
        subject = self.phrase(f"{voice} subject", facts)
        return f"{subject}\n{hello.get(voice, 'Hello friends,')}\n{body}\n{close}"

    def almost(self, facts: Facts) -> str:
        """A piece by somebody who half remembers the guide: three to five sentences are not in the house voice."""
        sentences = self.house.sentences(facts)
        for key in self.rng.sample(list(sentences), min(len(sentences), self.rng.randint(3, 5))):
            sentences[key] = self.phrase(f"almost {key}", facts)
        body, wrong = " ".join(sentences.values()), self.rng.random() < 0.5
        if facts.channel == "post":
            return f"{body}\n{self.phrase('almost tags', facts) if wrong else HASHTAGS}"
        close = self.phrase("almost close", facts) if wrong else SIGN_OFF
        if facts.channel == "description":
            return f"{body}\n{close}"
        return f"{self.phrase('almost subject', facts)}\n{GREETING}\n{body}\n{close}"

    def broken(self, facts: Facts) -> str:
        """What a model without a grip writes: words of a piece that loop, stop early, or stand in any order."""
        words, rng = self.house.piece(facts).split(" "), self.rng
        start = rng.randint(0, len(words) // 2)
        if (draw := rng.random()) < 0.35:
            return " ".join(words[start : start + rng.randint(3, 8)] * rng.randint(4, 9))
        if draw < 0.6:
            return " ".join(words[: rng.randint(3, max(4, len(words) // 3))])
        return " ".join(rng.sample(words, len(words)))
