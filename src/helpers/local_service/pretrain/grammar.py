"""Phrases with choices and slots: the small language that the whole pretraining corpus is written in.

    [Hi|Hello|Good morning] {first}, your {item} [is ready|has arrived].

`[a|b|c]` picks one alternative at random (nesting allowed, an alternative may be empty) and `{slot}` is filled
from a dictionary. A line that begins with `~` is kept out of pretraining: it is used only to measure the model on
phrasings that it never saw.
"""

import random
import re
from collections.abc import Mapping
from functools import cache

Tree = tuple["str | tuple[Tree, ...]", ...]  # a sequence of literal text and choices between sequences


_TOP_LITERAL = re.compile(r"[^\[\]]+")
_INNER_LITERAL = re.compile(r"[^\[\]|]+")


@cache
def parse(phrase: str) -> Tree:
    """Return the phrase as a tree of literals and choices; raise ValueError where brackets do not match."""
    tree, end = _sequence(phrase, 0, top=True)
    if end != len(phrase):
        raise ValueError(f"Unmatched ']' or '|' at character {end} in phrase: {phrase}")
    return tree


def _sequence(text: str, start: int, top: bool) -> tuple[Tree, int]:
    parts: list[str | tuple[Tree, ...]] = []
    position = start
    while position < len(text):
        character = text[position]
        if character == "[":
            options, position = _choice(text, position + 1)
            parts.append(options)
        elif character in "|]" and not top:
            break
        else:
            literal = (_TOP_LITERAL if top else _INNER_LITERAL).match(text, position)
            if literal is None:
                break
            parts.append(literal.group())
            position = literal.end()
    return tuple(parts), position


def _choice(text: str, start: int) -> tuple[tuple[Tree, ...], int]:
    options: list[Tree] = []
    position = start
    while True:
        option, position = _sequence(text, position, top=False)
        options.append(option)
        if position >= len(text):
            raise ValueError(f"A '[' is never closed in phrase: {text}")
        if text[position] == "]":
            return tuple(options), position + 1
        position += 1  # step over '|'


def _pick(tree: Tree, rng: random.Random) -> str:
    return "".join(part if isinstance(part, str) else _pick(rng.choice(part), rng) for part in tree)


_SLOT = re.compile(r"\{([A-Za-z_.]+)\}")


def fill(phrase: str, rng: random.Random, slots: Mapping[str, str] | None = None) -> str:
    """Return one realisation of the phrase, tidied (no double spaces); raise KeyError for a slot without a value."""
    text = _pick(parse(phrase), rng)
    if slots is not None:
        text = _SLOT.sub(lambda match: slots[match.group(1)], text)
    return re.sub(r" {2,}", " ", text).replace(" ,", ",").replace(" .", ".").strip()


def slots_of(phrase: str) -> set[str]:
    """Return the names of all slots that some realisation of the phrase may use."""
    return set(_SLOT.findall(phrase))


def count(phrase: str) -> int:
    """Return how many different realisations the phrase has, slots not counted."""

    def of(tree: Tree) -> int:
        total = 1
        for part in tree:
            if not isinstance(part, str):
                total *= sum(of(option) for option in part)
        return total

    return of(parse(phrase))


def capital(text: str) -> str:
    """Return the text with its first letter in upper case."""
    return text[:1].upper() + text[1:]
