"""Step 4: from graded answers to figures, from two systems' figures to a verdict in plain words.

    rates(frame, ["accuracy"])                                   every share or mean with its interval
    figures = rates_by({"base": ..., "tuned": ...}, ["accuracy"])   the same for several systems
    as_table(figures)                                            these in words, side by side
    change = compare(first.frame, second.frame, "accuracy")      the same questions, pair by pair
    verdict(change)                                              better, worse, or not enough data to tell
    verdicts({"prompt": ..., "few_shot": ...})                   several comparisons, each held to more

Shown in notebooks 04 and 05.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.errors import Explained
from helpers.stats import (
    Interval,
    bootstrap,
    detectable,
    holm,
    mcnemar,
    paired_difference,
    sign_flip,
    wilson,
    with_interval,
)

LEVEL = 0.05
NORMAL_95, NORMAL_80 = 1.960, 0.842  # quantiles: an interval of 95% on both sides, a power of 80%
NO_INTERVAL = Interval(float("nan"), float("nan"))
BETTER, WORSE, UNKNOWN = "better", "worse", "not enough data to tell: do not ship"


class Comparison(NamedTuple):
    """System b against system a on the same questions: the difference of their shares, and whether it may be chance.

    For a grade that is a number: the difference of the means; only_a and only_b count where a's or b's is higher.
    """

    metric: str
    difference: float
    low: float
    high: float
    p_value: float
    only_a: int
    only_b: int
    n: int
    detectable: float  # the smallest true difference that so many questions show 4 times in 5

    def __str__(self) -> str:
        chance = "p < 0.001" if self.p_value < 0.001 else f"p = {self.p_value:.3f}"
        interval = "no interval" if np.isnan(self.low) else f"{self.low:+.2f} to {self.high:+.2f}"
        return (
            f"{self.metric}: {self.difference:+.2f} ({interval}); "
            f"higher in {self.only_b}, lower in {self.only_a} of {self.n}; {chance}"
        )


def rates(frame: pd.DataFrame, metrics: Iterable[str], clusters: Sequence[Hashable] | None = None) -> pd.DataFrame:
    """Return one row a metric: metric, value, low, high (95%), n, failed.

    A yes-or-no grade gives the share of yes, with Wilson's interval; a row with an `error` counts as no. A grade that
    is a number gives the mean of the n rows that have it, with a bootstrap interval (NaN below two), or with Wilson's
    where every number is 0 or 1: samples of answers that are all alike would promise too much. `clusters` names
    the conversation each row belongs to, where one has several: intervals then draw whole conversations. `failed`
    counts the rows that have an error. Raises Explained for a metric that no row has.
    """
    failed = int(_failed(frame).sum())
    rows = []
    for metric in metrics:
        values = _values(frame, metric)
        kept = _conversations(clusters, values.notna())
        values = values.dropna().astype(float)
        n, drawn = len(values), len(values if kept is None else set(kept))
        value = float(values.mean()) if n else float("nan")
        alike = values.nunique() < 2  # then a conversation counts once
        if values.isin([0, 1]).all() and (kept is None or alike):
            low, high = wilson(round(value * drawn) if n else 0, drawn)
        elif drawn < 2:
            low, high = NO_INTERVAL
        else:
            low, high = bootstrap(values.tolist(), clusters=kept)
        rows.append({"metric": metric, "value": value, "low": low, "high": high, "n": n, "failed": failed})
    return pd.DataFrame(rows, columns=["metric", "value", "low", "high", "n", "failed"])


def rates_by(
    frames: Mapping[str, pd.DataFrame], metrics: Sequence[str], clusters: Sequence[Hashable] | None = None
) -> pd.DataFrame:
    """Return the rows of `rates` for the graded answers of several systems, whose name is in the column `system`."""
    parts = [rates(frame, metrics, clusters).assign(system=system) for system, frame in frames.items()]
    return pd.concat(parts, ignore_index=True)


def as_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return figures in words, "63% (55% to 71%), n = 130": a row a metric, a column a system, in the order they come.

    `rows` are those of `rates_by`; empty where a system has no figure. The spaces of "n = 130" do not break, so that a
    narrow column keeps it in one line.
    """
    words = [f"{with_interval(r.value, r.low, r.high)}, n\u00a0=\u00a0{r.n}" for r in rows.itertuples()]
    wide = rows.assign(words=words).pivot(index="metric", columns="system", values="words")
    return wide.loc[rows["metric"].unique(), rows["system"].unique()].fillna("")


def compare(
    frame_a: pd.DataFrame, frame_b: pd.DataFrame, metric: str, clusters: Sequence[Hashable] | None = None
) -> Comparison:
    """Return how much better b is than a in one metric: the difference with its interval, and a p value.

    Yes or no, 0 or 1: Newcombe's interval and McNemar's exact test. Other numbers, and all in `clusters` (see rates):
    the bootstrap of the pairs' differences (NaN for one pair or one conversation) and a sign-flip test; pairs of which
    one has no number are left out of n. Both frames judge answers to the same questions in the same order; raises
    ValueError where they cannot, and Explained where they name other items or no pair has two grades.
    """
    if "item" in frame_a and "item" in frame_b and frame_a["item"].tolist() != frame_b["item"].tolist():
        raise Explained(
            "The two were not asked the same questions in the same order, so they cannot be compared pair by pair. "
            "Evaluate both on the same examples."
        )
    a, b = _values(frame_a, metric), _values(frame_b, metric)
    if len(a) != len(b):
        raise ValueError(f"The two must answer the same questions; there are {len(a)} and {len(b)} answers.")
    if not a.dtype == b.dtype == bool:  # numbers; where every answer of one failed, none of them is a no
        a, b = frame_a[metric].astype(float), frame_b[metric].astype(float)
    both = a.notna().to_numpy() & b.notna().to_numpy()
    before, after = a.to_numpy(dtype=float)[both], b.to_numpy(dtype=float)[both]
    change = after - before
    if not len(change):
        raise Explained(f"On no question do both have a grade '{metric}', so there is nothing to compare.")
    if clusters is None and np.isin([before, after], [0, 1]).all():
        right = (before == 1).tolist(), (after == 1).tolist()
        low, high = paired_difference(*right)
        p_value = mcnemar(*right)
        least = detectable(len(change), float(np.abs(change).mean()))
    else:
        kept = _conversations(clusters, both)
        enough = len(change if kept is None else set(kept)) > 1
        low, high = bootstrap(change.tolist(), clusters=kept) if enough else NO_INTERVAL
        p_value = sign_flip(change.tolist(), clusters=kept)
        least = (high - low) / 2 / NORMAL_95 * (NORMAL_95 + NORMAL_80)
    difference, lower, higher = float(change.mean()), int((change < 0).sum()), int((change > 0).sum())
    return Comparison(metric, difference, low, high, p_value, lower, higher, len(change), least)


def verdict(comparison: Comparison, p_value: float | None = None) -> str:
    """Return "better" or "worse" of the second system, or "not enough data to tell: do not ship".

    It is better or worse where chance is unlikely (p below 0.05) and the whole interval is on one side of none.
    `p_value` stands in for the comparison's own where several are made, see verdicts.
    """
    sure = (comparison.p_value if p_value is None else p_value) < LEVEL
    if sure and comparison.low > 0:
        return BETTER
    return WORSE if sure and comparison.high < 0 else UNKNOWN


def verdicts(comparisons: Mapping[str, Comparison]) -> pd.DataFrame:
    """Return one row a comparison with its verdict, each held to more the more there are (Holm).

    Columns: name, metric, difference, low, high, n, detectable, p_value, p_holm, verdict.
    """
    adjusted = holm([comparison.p_value for comparison in comparisons.values()])
    columns = ["metric", "difference", "low", "high", "n", "detectable", "p_value"]
    rows = [
        {"name": name, **{c: getattr(made, c) for c in columns}, "p_holm": p_value, "verdict": verdict(made, p_value)}
        for (name, made), p_value in zip(comparisons.items(), adjusted, strict=True)
    ]
    return pd.DataFrame(rows, columns=["name", *columns, "p_holm", "verdict"])


def _failed(frame: pd.DataFrame) -> pd.Series:
    """Which rows have no graded answer."""
    return frame["error"].ne("") if "error" in frame else pd.Series(False, index=frame.index)


def _values(frame: pd.DataFrame, metric: str) -> pd.Series:
    """A grade's values: bool where it is yes or no, with no for failures; else numbers, NaN where there is none."""
    if metric not in frame:
        raise Explained(f"No answer has a grade called '{metric}'. There is: {', '.join(map(str, frame.columns))}.")
    values = frame[metric]
    if values.dropna().map(lambda value: isinstance(value, bool | np.bool_)).all():
        return values.eq(True).astype(bool)  # and no where there is none
    return values.astype(float)


def _conversations(clusters: Sequence[Hashable] | None, known: Sequence[bool]) -> list[Hashable] | None:
    """The conversations of the rows whose value is known; None where no conversations are named."""
    if clusters is None:
        return None
    if len(clusters) != len(known):
        raise ValueError(f"There are {len(known)} answers and {len(clusters)} names of conversations: one an answer.")
    return [cluster for cluster, has_value in zip(clusters, known, strict=True) if has_value]
