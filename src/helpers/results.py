"""Measured figures in one place: build/results.json, one row a figure, with the service and model that made it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd

from .errors import Explained
from .tokens import base_of
from .workspace import build, write_whole

COLUMNS = ("notebook", "task", "metric", "system", "value", "low", "high", "n", "failed", "seed", "service", "model")
BEGIN, END = "<!-- results of `make notebooks` -->", "<!-- end of results -->"
USUAL = ("base", "prompt", "few_shot", "tuned")
CASES = {  # what a reader looks for first: the running example and the three cases
    "support": ("house_compliant", "facts_correct", "json_valid"),
    "legal": ("rule_compliance", "all_rules", "facts_correct", "editing_saved"),
    "soap": ("section_placement", "fact_recall", "invented_facts", "doses_exact", "editing_saved"),
    "voice": ("on_brand", "facts_kept", "channel_rules"),
}
IDENTITY = ("notebook", "task", "metric", "system", "model")  # a row measured anew replaces the one with these


def record(
    notebook: str,
    task: str,
    metric: str,
    system: str,
    value: float,
    low: float | None,
    high: float | None,
    n: int,
    seed: int,
    service: str,
    model: str,
    failed: int = 0,
) -> None:
    """Keep one measured figure: a fraction from 0 to 1, its interval, how many cases it rests on, how many failed.

    A figure that a job reports, such as its loss, comes without an interval: low and high are None then.
    What is saved, a metric such as editing_saved, can be below 0: then more is needed than before. Raises ValueError
    for a figure that cannot be one (a percentage, an interval that does not hold the value).
    """
    value = float(value)
    low, high = (None if end is None else float(end) for end in (low, high))
    least = -math.inf if metric.endswith("_saved") else 0
    if not all(math.isfinite(x) and least <= x <= 1 for x in (value, low, high) if x is not None):
        raise ValueError(f"{task}, {metric}, {system}: {value} ({low} to {high}) must be fractions from 0 to 1.")
    if low is not None and high is not None and not low - 1e-9 <= value <= high + 1e-9:
        raise ValueError(f"{task}, {metric}, {system}: the interval {low} to {high} does not hold the value {value}.")
    if int(n) < 1:
        raise ValueError(f"{task}, {metric}, {system}: n is {n}; a figure rests on at least one case.")
    texts = {"notebook": notebook, "task": task, "metric": metric, "system": system, "service": service, "model": model}
    empty = [name for name, text in texts.items() if not text]
    if empty:
        raise ValueError(f"{task}, {metric}, {system}: {', '.join(empty)} must not be empty.")
    row = {**texts, "value": value, "low": low, "high": high, "n": int(n), "failed": int(failed), "seed": int(seed)}
    rows = [old for old in _rows() if any(old[name] != row[name] for name in IDENTITY)]
    rows.append({name: row[name] for name in COLUMNS})
    write_whole(build("results.json"), json.dumps(rows, indent=1, ensure_ascii=False) + "\n")


def load() -> pd.DataFrame:
    """Return all figures, oldest first."""
    return pd.DataFrame(_rows(), columns=list(COLUMNS))


def latest() -> pd.DataFrame:
    """Return the figures without those that the same notebook measured again later."""
    return load().drop_duplicates(["notebook", "task", "metric", "system"], keep="last")


def summary() -> pd.DataFrame:
    """Return the systems side by side: notebook, task, metric, the usual systems, and all others in one column.

    Cells such as "0.87 (0.80-0.92) n=130"; where a notebook measured the same thing several times, the latest. Tasks
    that know the usual systems come first.
    """
    frame = latest()
    frame = frame.assign(cell=[f"{cell} n={n}" for cell, n in zip(_cells(frame), frame["n"], strict=True)])
    rows = []
    for (notebook, task, metric), part in frame.groupby(["notebook", "task", "metric"], sort=False):
        said = dict(zip(part["system"], part["cell"], strict=True))
        usual = {name: said.pop(name, "") for name in USUAL}
        others = "; ".join(f"{name} {cell}" for name, cell in said.items())
        rows.append({"notebook": notebook, "task": task, "metric": metric, **usual, "others": others})
    found = pd.DataFrame(rows, columns=["notebook", "task", "metric", *USUAL, "others"])
    found = found.sort_values("notebook", kind="stable")
    return found.sort_values("tuned", key=lambda cells: cells.eq(""), kind="stable", ignore_index=True)


def _cells(frame: pd.DataFrame) -> list[str]:
    """Values with their intervals, where they have one."""
    return [f"{r.value:.2f}" + (f" ({r.low:.2f}-{r.high:.2f})" if pd.notna(r.low) else "") for r in frame.itertuples()]


def made_by() -> str:
    """Return which services and models made the figures, in a line."""
    makers = latest()[["service", "model"]].drop_duplicates()
    return "; ".join(f"{row.model} ({row.service})" for row in makers.itertuples())


def write_into(page: Path) -> None:
    """Put the figures into the page (README.md) between its two marks, so that they are always those of a run.

    The running example and the cases stand first, all other figures folded under them.
    """
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise Explained(f"{page} has no place for results: the lines {BEGIN!r} and {END!r}.")
    bases = sorted(set(map(base_of, load()["model"])))
    table = summary()
    named = [metric in CASES.get(task, ()) for task, metric in zip(table["task"], table["metric"], strict=True)]
    first = table[pd.Series(named, index=table.index) & table["tuned"].ne("")]
    told = [
        f"Made by {', '.join(bases)} and models tuned from these; cells: value (95% interval), items.",
        markdown(first.drop(columns=["notebook", "others"])),
        "<details><summary>All figures of this run: other test sets, systems and traps</summary>",
        markdown(table.drop(index=first.index)),
        "</details>",
    ]
    write_whole(page, before + begin + "\n" + "\n\n".join(told) + "\n" + end + after)


def markdown(frame: pd.DataFrame) -> str:
    """Return the frame as a Markdown table, without its index."""
    rows = [list(frame.columns), ["---"] * len(frame.columns), *frame.astype(str).to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _rows() -> list[dict[str, Any]]:
    path = build("results.json")
    if not path.is_file():
        return []
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Explained(
            f"{path} cannot be read ({error}). Move it away, then run the notebooks again to make the figures anew."
        ) from error
    return rows
