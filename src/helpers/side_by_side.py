"""Step 4: a page on which people choose between two systems' answers without knowing whose is whose.

    side_by_side(base, tuned, "ann", n=30)      # two evaluations of the same examples

Left and right are drawn anew for every pair and rater. A choice is saved at once, and the page opens where the rater
left off. All of it can be reached with Tab; with the cursor in the keys box one letter does the work of a button.
helpers.preferences counts the choices. Shown in notebook 04.
"""

from __future__ import annotations

import hashlib
import html
import random
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import ipywidgets
import pandas as pd

from helpers.errors import Explained
from helpers.evaluate import Evaluation
from helpers.frontend import with_widgets
from helpers.preferences import FIRST, SECOND, TIE, Choice, Pair, Pairs
from helpers.review import example_html

BUTTONS = {"l": "Left is better", "r": "Right is better", "e": "Equally good", "n": "Next", "p": "Previous"}
WIDE = {"width": "95%"}


def side_by_side(first: Evaluation, second: Evaluation, rater: str, n: int | None = None, seed: int = 1) -> Rater:
    """Return the page for one rater; as the last line of a cell it is shown, as a table where nobody watches.

    `n` pairs of different answers are drawn by `seed`, the same for every rater; without it all are shown. Raises
    Explained where the evaluations are not of the same examples, or all their answers are the same.
    """
    return Rater(Pairs(first, second), rater, n, seed)


class Rater:
    """One rater's pairs and choices. `page` has the widgets; `table()` is what it all comes to."""

    def __init__(self, pairs: Pairs, rater: str, n: int | None, seed: int) -> None:
        self.all, self.rater = pairs, rater
        self.chosen = pairs.choices(rater)
        if not pairs.differ:
            raise Explained("The two systems gave the same answer everywhere, so there is nothing to choose between.")
        shuffled = random.Random(seed).sample(pairs.differ, len(pairs.differ))
        self.pairs = shuffled[: None if n is None else max(n, 1)]

    def left(self, pair: Pair) -> str:
        """Return whose answer stands on the left, first or second: always the same one for this rater and pair."""
        drawn = hashlib.sha256(f"{self.rater} {pair.key}".encode()).digest()[0] % 2
        return SECOND if drawn else FIRST

    def choose(self, place: int, side: str) -> None:
        """Save a choice: left, right or tie. Raises Explained where it cannot be saved."""
        pair = self.pairs[place]
        left = self.left(pair)
        winner = TIE if side == TIE else left if side == "left" else SECOND if left == FIRST else FIRST
        choice = Choice(pair.key, winner, left, self.rater, datetime.now(UTC).isoformat(timespec="seconds"))
        self.all.keep(choice)
        self.chosen[pair.key] = choice

    def side(self, place: int) -> str:
        """Return what was chosen, as the rater saw it: left, right, tie, or "" where nothing was."""
        made = self.chosen.get(self.pairs[place].key)
        if made is None or made.winner == TIE:
            return "" if made is None else TIE
        return "left" if made.winner == made.left else "right"

    def open(self) -> list[int]:
        """Return the places of the pairs that nothing is chosen for."""
        return [place for place, pair in enumerate(self.pairs) if pair.key not in self.chosen]

    def table(self) -> pd.DataFrame:
        """Return one row a pair, as blind as the page: choice, question, left and right answer, cut to 80 letters."""
        rows = []
        for place, pair in enumerate(self.pairs):
            answers = _sides(self, pair)
            asked = " ".join(str(pair.messages[-1].get("content")).split())
            rows.append((self.side(place), *(" ".join(text.split())[:80] for text in (asked, *answers))))
        return pd.DataFrame(rows, columns=["choice", "question", "left", "right"])

    @cached_property
    def page(self) -> Page:
        """The widgets, made when they are first asked for."""
        return Page(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """The table, and before it the widgets where somebody looks."""
        table = self.table()
        shown = {"text/plain": table.to_string(), "text/html": table.to_html()}
        return with_widgets(shown, lambda: self.page.box)


class Page:
    """The widgets: `buttons` by their label, `status`, `view`, `keys`, `message`; `box` holds them all."""

    def __init__(self, rater: Rater) -> None:
        self.rater, self.place = rater, 0
        self.status, self.view, self.message = ipywidgets.HTML(), ipywidgets.HTML(layout=WIDE), ipywidgets.HTML()
        last = len(rater.pairs)
        self._actions: dict[str, Callable[[], None]] = {
            "l": lambda: self._choose("left"),
            "r": lambda: self._choose("right"),
            "e": lambda: self._choose(TIE),
            "n": lambda: self._show((self.place + 1) % last),
            "p": lambda: self._show((self.place - 1) % last),
        }
        self.buttons = {label: self._button(key, label) for key, label in BUTTONS.items()}
        help_ = ", ".join(f"{key} {label.lower()}" for key, label in BUTTONS.items())
        self.keys = ipywidgets.Text(description="Keys", placeholder=help_, layout=WIDE)
        self.keys.observe(self._press, "value")
        row = ipywidgets.HBox(list(self.buttons.values()))
        self.box = ipywidgets.VBox([self.status, self.view, row, self.keys, self.message])
        self._show(self._next_open())

    def _button(self, key: str, label: str) -> ipywidgets.Button:
        button = ipywidgets.Button(description=f"{label} ({key})", tooltip=f"{label}: {key} in the keys box")
        button.on_click(lambda _: self._actions[key]())
        return button

    def _press(self, change: Any) -> None:
        """One letter in the keys box. Several at once were typed ahead of what is shown, and do nothing."""
        if change["new"]:
            self.keys.value = ""
            self._actions.get(change["new"].lower(), lambda: self._say(f"{change['new']!r} does nothing here."))()

    def _choose(self, side: str) -> None:
        number = self.place + 1
        try:
            self.rater.choose(self.place, side)
        except Explained as error:  # raised out of a widget, it would not be seen
            self._say(str(error))
            return
        self._show(self._next_open())
        self._say(f"Pair {number}: saved." + ("" if self.rater.open() else " All pairs are chosen for."))

    def _next_open(self) -> int:
        """The next pair that nothing is chosen for, from here on and then from the start; here where there is none."""
        return min(self.rater.open(), key=lambda place: (place < self.place, place), default=self.place)

    def _show(self, place: int) -> None:
        self.place, rater = place, self.rater
        pair, count = rater.pairs[place], len(rater.pairs)
        columns = "".join(
            f'<section style="flex:1;min-width:16em;padding:0 1em"><h4>{side}</h4>'
            f'<div style="white-space:pre-wrap">{html.escape(answer)}</div></section>'
            for side, answer in zip(("Left", "Right"), _sides(rater, pair), strict=True)
        )
        asked = example_html({"messages": [m for m in pair.messages if m.get("role") != "system"]})
        self.view.value = f'{asked}<div style="display:flex;flex-wrap:wrap">{columns}</div>'
        self.status.value = html.escape(
            f"{rater.rater}: pair {place + 1} of {count}, {count - len(rater.open())} chosen for; this one: "
            f"{rater.side(place) or 'not yet'}"
        )
        self._say("")

    def _say(self, text: str) -> None:
        self.message.value = f"<b>{html.escape(text)}</b>"


def _sides(rater: Rater, pair: Pair) -> tuple[str, str]:
    """The answers on the left and on the right."""
    return (pair.first, pair.second) if rater.left(pair) == FIRST else (pair.second, pair.first)
