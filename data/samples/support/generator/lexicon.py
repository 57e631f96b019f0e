"""The words that name people and products: long lists, made longer by coined words, shared out between the seasons.

There are enough of them that nearly every conversation has names of its own: a model that learns names by heart gains
nothing, and has to copy them from the message.
"""

from __future__ import annotations

import random
import re
from functools import cache

from generator.banks import PHRASES, bank

# Of what: phrase bank, section of listed words, section of patterns, number of words in all.
SOURCES = {
    "first": ("names", "first", "first patterns", 3900),
    "surname": ("names", "surname", "surname patterns", 3600),
    "product": ("products", "name", "name patterns", 3600),
}
SPRING_SHARE = 0.8
KINDS = [heading.removeprefix("fault ") for heading in bank("kinds") if heading.startswith("fault ")]


@cache
def lexicon(of: str) -> dict[str, list[str]]:
    """First names, surnames or products' names by season; none stands in two seasons or in new_phrasings.txt."""
    name, listed, patterns, size = SOURCES[of]
    sections = {heading: " ".join(lines).split() for heading, lines in bank(name).items()}
    rng = random.Random(f"lexicon: {of}")
    kept_apart = set(re.findall(r"\w+", (PHRASES / "new_phrasings.txt").read_text(encoding="utf-8")))
    words = [word for word in dict.fromkeys(sections[listed]) if word not in kept_apart]
    known = kept_apart | {word for section in sections.values() for word in section}
    while len(words) < size:
        pattern = rng.choice(bank(name)[patterns]).split()
        word = "".join(rng.choice(sections[part]) for part in pattern)
        if 4 <= len(word) <= 7 and word not in known:
            known.add(word)
            words.append(word)
    rng.shuffle(words)
    cut = round(SPRING_SHARE * len(words))
    return {"spring": words[:cut], "autumn": words[cut:]}
