"""Step 5: what goes wrong, grouped by cause and by slice, and the answers themselves to read.

    failures = Failures(evaluation, slices={"lower case": [question == question.lower() for question in questions]})
    failures.by_cause(), failures.by_slice()
    failures                                    # as the last line of a cell: a page to leaf through them

A failure is an answer that a cause applies to; where several do, the first one counts, so the groups add up. Shown in
notebook 05.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd

from helpers.errors import Explained
from helpers.evaluate import Evaluation, gold, prompts
from helpers.frontend import with_widgets
from helpers.review import example_html
from helpers.stats import wilson

Row = dict[str, Any]  # a row of an evaluation's frame
ALL = "all"
BEFORE_GRADES: dict[str, Callable[[Row], bool]] = {
    "not answered or graded": lambda row: bool(row["error"]),
    "cut at the token limit": lambda row: row["finish_reason"] == "length",
}


class Failures:
    """The failures of one evaluation. `causes` holds the cause of each example, "" where nothing is wrong.

    Causes are looked for in this order: no graded answer; cut at the token limit; those given by name, each a function
    of a row of the evaluation's frame; then every yes-or-no grade that is no, in the frame's order or that of
    `metrics`. `slices` says by name which examples belong to it. Raises Explained for a slice of another length.
    """

    def __init__(
        self,
        evaluation: Evaluation,
        causes: Mapping[str, Callable[[Row], bool]] | None = None,
        slices: Mapping[str, Sequence[bool]] | None = None,
        metrics: Sequence[str] | None = None,
    ) -> None:
        self.evaluation, count = evaluation, len(evaluation.frame)
        self.slices = {ALL: [True] * count, **{name: list(flags) for name, flags in (slices or {}).items()}}
        for name, flags in self.slices.items():
            if len(flags) != count:
                raise Explained(
                    f"The slice '{name}' has {len(flags)} entries for {count} examples: give one an example."
                )
        rows = evaluation.frame.to_dict("records")
        graded = list(metrics if metrics is not None else evaluation.metrics)
        looked_for: dict[str, Callable[[Row], bool]] = {**BEFORE_GRADES, **(causes or {})}
        looked_for |= {f"not {name}": lambda row, name=name: _is_no(row[name]) for name in graded}  # type: ignore[misc]
        self.causes = [next((cause for cause, holds in looked_for.items() if holds(row)), "") for row in rows]

    def by_cause(self) -> pd.DataFrame:
        """Return one row a cause, commonest first: n, share of all examples with its interval, and n in each slice."""
        rows = []
        for cause in dict.fromkeys(filter(None, self.causes)):
            n = self.causes.count(cause)
            low, high = wilson(n, len(self.causes))
            inside = {name: len(self.places(cause, name)) for name in self.slices if name != ALL}
            rows.append({"cause": cause, "n": n, "share": n / len(self.causes), "low": low, "high": high, **inside})
        columns = ["cause", "n", "share", "low", "high", *(name for name in self.slices if name != ALL)]
        return pd.DataFrame(rows, columns=columns).sort_values("n", ascending=False, kind="stable", ignore_index=True)

    def by_slice(self) -> pd.DataFrame:
        """Return one row a slice: examples, how many fail, that share with its interval, the commonest cause."""
        rows = []
        for name, flags in self.slices.items():
            causes = [cause for cause, inside in zip(self.causes, flags, strict=True) if inside]
            wrong = [cause for cause in causes if cause]
            low, high = wilson(len(wrong), len(causes))
            share = len(wrong) / len(causes) if causes else float("nan")
            most = max(dict.fromkeys(wrong), key=wrong.count, default="")
            rows.append((name, len(causes), len(wrong), share, low, high, most))
        return pd.DataFrame(rows, columns=["slice", "examples", "n", "share", "low", "high", "commonest cause"])

    def places(self, cause: str = ALL, inside: str = ALL) -> list[int]:
        """Return the places, from 0, of the failures with this cause in this slice."""
        return [
            place
            for place, (found, belongs) in enumerate(zip(self.causes, self.slices[inside], strict=True))
            if found and belongs and cause in (ALL, found)
        ]

    def table(self, cause: str = ALL, inside: str = ALL) -> pd.DataFrame:
        """Return the failures to read, one row each: place, cause, question, answer, right answer."""
        right, asked = gold(self.evaluation.examples), prompts(self.evaluation.examples)
        rows = [
            (place, self.causes[place], asked[place][-1]["content"], self._answer(place), right[place])
            for place in self.places(cause, inside)
        ]
        return pd.DataFrame(rows, columns=["place", "cause", "question", "answer", "right"])

    def show(self, place: int) -> str:
        """Return one example as HTML: what was asked, answered, and right, and the grades that are no."""
        row, example = self.evaluation.frame.iloc[place], self.evaluation.examples[place]
        asked = {"messages": [m for m in example["messages"][:-1] if m.get("role") != "system"]}
        wrong = [name for name in self.evaluation.metrics if _is_no(row[name])]
        said = [("answer", self._answer(place)), ("right", gold([example])[0]), ("not", ", ".join(wrong))]
        answers = {"messages": [{"role": role, "content": text} for role, text in said if text]}
        return example_html(asked) + example_html(answers)

    def _answer(self, place: int) -> str:
        row = self.evaluation.frame.iloc[place]
        return str(row["answer"] or f"({row['error']})")

    @cached_property
    def page(self) -> Page:
        """The widgets, made when they are first asked for."""
        return Page(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """The table of causes, and before it the widgets where somebody looks."""
        table = self.by_cause().round(2)
        shown = {"text/plain": table.to_string(), "text/html": table.to_html()}
        return with_widgets(shown, lambda: self.page.box)


class Page:
    """The widgets: `cause` and `inside` choose a group, `buttons` leaf through it; `box` holds them all."""

    def __init__(self, failures: Failures) -> None:
        self.failures, self.place = failures, 0
        self.cause = ipywidgets.Dropdown(options=[ALL, *failures.by_cause()["cause"]], description="Cause")
        self.inside = ipywidgets.Dropdown(options=list(failures.slices), description="Slice")
        self.status, self.view = ipywidgets.HTML(), ipywidgets.HTML(layout={"width": "95%"})
        self.buttons = {label: ipywidgets.Button(description=label) for label in ("Previous", "Next")}
        for step, button in zip((-1, 1), self.buttons.values(), strict=True):
            button.on_click(lambda _, step=step: self._show(self.place + step))
        for chooser in (self.cause, self.inside):
            chooser.observe(lambda _: self._show(0), "value")
        rows = [ipywidgets.HBox([self.cause, self.inside]), ipywidgets.HBox(list(self.buttons.values()))]
        self.box = ipywidgets.VBox([rows[0], self.status, self.view, rows[1]])
        self._show(0)

    def _show(self, place: int) -> None:
        places = self.failures.places(self.cause.value, self.inside.value)
        if not places:
            self.place, self.view.value, self.status.value = 0, "", "No failures here."
            return
        self.place = place % len(places)
        found = places[self.place]
        self.view.value = self.failures.show(found)
        said = f"{self.place + 1} of {len(places)} (example {found + 1}): {self.failures.causes[found]}"
        self.status.value = html.escape(said)


def _is_no(grade: Any) -> bool:
    return isinstance(grade, bool | np.bool_) and not grade
