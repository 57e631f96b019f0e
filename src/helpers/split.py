"""Step 2: part the data into training, validation and test so that the test measures what it claims to.

Shown in notebook 02.
"""

from __future__ import annotations

import random
import re
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, TypeVar

import pandas as pd
from rapidfuzz import fuzz, process

from helpers.errors import Explained

Item = TypeVar("Item")
NEAR = 95  # of 100: how alike two masked messages are that count as the same


def split(
    items: Sequence[Item],
    sizes: Mapping[str, int | float | None],
    seed: int = 1,
    by: str | Sequence[Hashable] = "random",
) -> dict[str, list[Item]]:
    """Return the items by the names in `sizes`, each in the order it came in.

    sizes: how many items a part gets, or which share (a fraction below 1); None is all the rest. `by` is "random";
    "date", where the last part gets the newest items (they need a `created`, as Records have); or one group an item, a
    customer for example, and then no group is on both sides, so that a part can end up a little smaller than asked.
    Raises Explained when there are too few items, or no dates.
    """
    wanted = _counts(sizes, len(items))
    if isinstance(by, str) and by not in ("random", "date"):
        raise Explained(f"by={by!r} is not a way to split. Use 'random', 'date', or a list with one group an item.")
    if not isinstance(by, str) and len(by) != len(items):
        raise Explained(f"There are {len(items)} items but {len(by)} groups. Give one group an item, in their order.")
    units: dict[Hashable, list[int]] = {}
    for place in range(len(items)):
        units.setdefault(place if isinstance(by, str) else by[place], []).append(place)
    order = list(units.values())
    if by == "date":
        dates = [getattr(item, "created", None) for item in items]
        if None in dates:
            raise Explained("Splitting by date needs items with a date. Split the records, then make examples of them.")
        order.sort(key=lambda unit: dates[unit[0]])  # type: ignore[arg-type, return-value]
    else:
        random.Random(seed).shuffle(order)
    rest = next((name for name, count in wanted.items() if count is None), None)
    parts: dict[str, list[int]] = {name: [] for name in wanted}
    for name in reversed(wanted):  # the last part is filled first: by date it takes the newest
        count, left = wanted[name] or 0, []
        for unit in reversed(order):
            if len(parts[name]) + len(unit) <= count:
                parts[name] += unit
            else:
                left.append(unit)
        order = left[::-1]
    if rest is not None:
        parts[rest] = [place for unit in order for place in unit]
    return {name: [items[place] for place in sorted(places)] for name, places in parts.items()}


def _counts(sizes: Mapping[str, int | float | None], available: int) -> dict[str, int | None]:
    counts = {
        name: size if size is None else int(size if isinstance(size, int) or size >= 1 else size * available)
        for name, size in sizes.items()
    }
    if list(counts.values()).count(None) > 1:
        raise Explained("Only one part can be all the rest (None). Give the others a number or a share.")
    needed = sum(count or 0 for count in counts.values())
    if needed > available:
        raise Explained(f"The parts need {needed} items, and there are {available}. Ask for fewer, or collect more.")
    return counts


def question(example: Mapping[str, Any]) -> str:
    """Return all that the user says in an example."""
    texts = [m.get("content") for m in example["messages"] if m.get("role") == "user"]
    return " ".join(text for text in texts if isinstance(text, str))


def masked(text: str) -> str:
    """Return the text without what makes two otherwise equal messages differ: names, numbers, case and punctuation.

    Every word with a capital is taken for a name. That is too much rather than too little, on both sides alike.
    """
    text = re.sub(r"[^\W\d_][\w']*", lambda word: "_" if word[0][0].isupper() else word[0], text)
    return " ".join(re.findall(r"\w+", re.sub(r"\w*\d\w*", "0", text).lower()))


def leakage(train: Sequence[Mapping[str, Any]], held_out: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return how much of a held-out set is in training: one row a measure, with n, share and the lines concerned.

    Measures: the same conversation; the same question; the same question once names and numbers are masked; nearly the
    same (95 of 100 by rapidfuzz's ratio, masked). Each holds the one before it. `lines` counts from 1 in `held_out`.
    """
    conversations = {_conversation(example) for example in train}
    questions = {question(example) for example in train}
    known = {masked(text) for text in questions}

    def is_near(example: Mapping[str, Any]) -> bool:
        best = process.extractOne(masked(question(example)), known, scorer=fuzz.ratio, score_cutoff=NEAR)
        return best is not None

    tests = {
        "same conversation": lambda example: _conversation(example) in conversations,
        "same question": lambda example: question(example) in questions,
        "same question, masked": lambda example: masked(question(example)) in known,
        "nearly the same, masked": is_near,
    }
    rows = []
    for name, test in tests.items():
        lines = [line for line, example in enumerate(held_out, start=1) if test(example)]
        share = len(lines) / len(held_out) if held_out else 0.0
        rows.append({"measure": name, "n": len(lines), "share": share, "lines": lines})
    return pd.DataFrame(rows, columns=["measure", "n", "share", "lines"])


def _conversation(example: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Its messages without the system prompt, which says nothing about where an example comes from."""
    return tuple((str(m.get("role")), str(m.get("content"))) for m in example["messages"] if m.get("role") != "system")
