"""Step 2: part the data into training, validation and test so that the test measures what it claims to.

Shown in notebook 02.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from helpers.alike import alike, connected, masked, near_pairs, plain
from helpers.errors import Explained
from helpers.workspace import read_jsonl

Item = TypeVar("Item")
Example = Mapping[str, Any]


def split(
    items: Sequence[Item],
    sizes: Mapping[str, int | float | None],
    seed: int = 1,
    by: str | Sequence[Hashable] = "random",
    *,
    strata: Sequence[Hashable] | None = None,
    texts: Sequence[str] | None = None,
) -> dict[str, list[Item]]:
    """Return the items by the names in `sizes`, each in the order it came in; the same seed gives the same again.

    sizes: how many items a part gets, or which share (a fraction below 1); None is all the rest. `by` is "random";
    "date", where the last part gets the newest items (they need a `created`, as Records have); or one group an item, a
    customer, matter or patient for example (None: of no group), and then no group is on both sides, so that a part can
    end up a little smaller than asked.

    strata: one kind an item, its intent for example. Each part then gets its share of every kind, to within 2 items;
    with groups, as nearly as their sizes allow. texts: one text an item, what the customer wrote for example. Items
    whose texts are nearly the same (see `alike`) then stay together, as a group does; by date they count as the newest.

    Prints which parts stay empty because nothing fits. Raises Explained when there are too few items, no dates, or not
    one group, kind or text an item.
    """
    wanted = _counts(sizes, len(items))
    if isinstance(by, str) and by not in ("random", "date"):
        raise Explained(f"by={by!r} is not a way to split. Use 'random', 'date', or a list with one group an item.")
    dated = isinstance(by, str) and by == "date"
    if dated and strata is not None:
        raise Explained("A split by date cannot be stratified: the date alone decides. Leave out strata or by='date'.")
    given = {"groups": None if isinstance(by, str) else by, "kinds": strata, "texts": texts}
    lists = {what: list(labels) for what, labels in given.items() if labels is not None}
    for what, labels in lists.items():
        if len(labels) != len(items):
            raise Explained(f"There are {len(items)} items but {len(labels)} {what}. Give one an item, in their order.")
    order = _units(len(items), [lists.get("groups", []), alike([str(text) for text in lists.get("texts", [])])])
    if dated:
        dates: Any = [getattr(item, "created", None) for item in items]
        if None in dates:
            raise Explained("Splitting by date needs items with a date. Split the records, then make examples of them.")
        order.sort(key=lambda unit: max(dates[place] for place in unit))
    else:
        random.Random(seed).shuffle(order)
    places = _fill(order, wanted) if strata is None else _deal(order, wanted, lists["kinds"])
    if empty := [name for name, count in wanted.items() if count and not places[name]]:
        print(f"Nothing fits into {', '.join(empty)}: up to {max(map(len, order))} items must stay together.")
    return {name: [items[place] for place in sorted(places[name])] for name in wanted}


def _units(size: int, labelings: Iterable[Sequence[Hashable]]) -> list[list[int]]:
    """The places that must stay together: those that share a label, be it by way of a third."""
    numbers: dict[Hashable, int] = {}
    starts, ends = [], []
    for which, labels in enumerate(labelings):
        for place, label in enumerate(labels):
            if label is not None and label == label:  # NaN, which is how pandas writes None, is not equal to itself
                starts.append(place)
                ends.append(numbers.setdefault((which, label), size + len(numbers)))
    units: dict[int, list[int]] = {}
    for place, label in enumerate(connected(size + len(numbers), starts, ends)[:size].tolist()):
        units.setdefault(label, []).append(place)
    return list(units.values())


def _fill(order: list[list[int]], wanted: Mapping[str, int | None]) -> dict[str, list[int]]:
    """The last part is filled first: by date it takes the newest."""
    parts: dict[str, list[int]] = {name: [] for name in wanted}
    for name in reversed(list(wanted)):
        left = []
        for unit in reversed(order):
            if len(parts[name]) + len(unit) <= (wanted[name] or 0):
                parts[name] += unit
            else:
                left.append(unit)
        order = left[::-1]
    rest = next((name for name, count in wanted.items() if count is None), None)
    if rest is not None:
        parts[rest] = [place for unit in order for place in unit]
    return parts


def _deal(order: list[list[int]], wanted: Mapping[str, int | None], strata: Sequence[Hashable]) -> dict[str, list[int]]:
    """Kind by kind, large units first, each unit goes to the part that lacks most of its share so far."""
    total, done = len(strata), 0
    rest = next((name for name, count in wanted.items() if count is None), "")  # "": what no part asked for
    shares = {name: count or 0 for name, count in wanted.items()}
    shares[rest] = total - sum(shares.values()) + shares.get(rest, 0)
    parts: dict[str, list[int]] = {name: [] for name in shares}
    kinds: dict[Hashable, int] = {}
    kind = [
        kinds.setdefault(Counter(strata[place] for place in unit).most_common(1)[0][0], len(kinds)) for unit in order
    ]
    for number in sorted(range(len(order)), key=lambda number: (kind[number], -len(order[number]))):
        unit = order[number]
        done += len(unit)
        room = [name for name in shares if name == rest or len(parts[name]) + len(unit) <= shares[name]]
        parts[max(room, key=lambda name: shares[name] * done / total - len(parts[name]))] += unit
    return parts


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


def question(example: Example) -> str:
    """Return all that the user says in an example. Raises Explained for a row of another form."""
    return _said(_turns(example))


def _said(turns: Iterable[tuple[str, str]]) -> str:
    return " ".join(text for role, text in turns if role == "user")


def leakage(train: Sequence[Example] | Path | str, held_out: Sequence[Example] | Path | str) -> pd.DataFrame:
    """Return how much of a held-out set is in training: one row a measure, with n, share and the lines concerned.

    Each is a list of examples or a JSON Lines file of them (chat, preference, or prompt and completion rows). Measures:
    the same conversation; the same question, word for word; the same once names and numbers are masked; nearly the same
    (see `alike`). Each holds those before it. `lines` counts the examples of `held_out` from 1. Raises Explained for a
    file that cannot be read and a row of another form.
    """
    known, asked = ([_turns(row, number) for number, row in enumerate(_rows(s), start=1)] for s in (train, held_out))
    questions, asked_questions = ([_said(turns) for turns in side] for side in (known, asked))
    near = {int(place) for places, _ in near_pairs(asked_questions, list(set(questions))) for place in places}
    found: dict[str, set[int]] = {
        "same conversation": _common(asked, known, tuple),
        "same question": _common(asked_questions, questions, plain),
        "same question, masked": _common(asked_questions, questions, masked),
        "nearly the same": near,
    }
    rows, lines = [], set()
    for measure, places in found.items():
        lines |= {place + 1 for place in places}
        share = len(lines) / max(len(asked), 1)
        rows.append({"measure": measure, "n": len(lines), "share": share, "lines": sorted(lines)})
    return pd.DataFrame(rows, columns=["measure", "n", "share", "lines"])


def _common(asked: Iterable[Any], known: Iterable[Any], form: Callable[[Any], Hashable]) -> set[int]:
    """The places in `asked` of what is also in `known`, seen in this form."""
    forms = set(map(form, known))
    return {place for place, item in enumerate(asked) if form(item) in forms}


def _rows(source: Sequence[Example] | Path | str) -> Sequence[Example]:
    return read_jsonl(source) if isinstance(source, Path | str) else source


def _turns(example: Example, number: int = 1) -> list[tuple[str, str]]:
    """Who says what, without the system prompt, which says nothing about where an example comes from."""
    inner = example.get("input")
    row = {**inner, **example} if isinstance(inner, Mapping) else example
    messages = row.get("messages")
    if isinstance(messages, list):
        messages = [*messages, *(row.get("preferred_output") or [])]
    elif "prompt" in row:
        messages = [{"role": "user", "content": row["prompt"]}, {"role": "assistant", "content": row.get("completion")}]
    if not isinstance(messages, list) or not all(isinstance(message, Mapping) for message in messages):
        raise Explained(
            f"Example {number} has neither messages nor a prompt, so there is nothing to compare. Run the checker on "
            "its file, mend it, then run this again."
        )
    return [(str(m.get("role")), _text(m)) for m in messages if m.get("role") not in ("system", "developer")]


def _text(message: Mapping[str, Any]) -> str:
    """A message's text; parts that are no text, and tool calls, stand there as JSON."""
    content, calls = message.get("content"), message.get("tool_calls")
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text", part) if isinstance(part, dict) else part for part in [*parts, calls] if part]
    return " ".join(text if isinstance(text, str) else json.dumps(text, sort_keys=True) for text in texts)
