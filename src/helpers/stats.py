"""Step 4: how sure a measured figure is. Intervals of 95%, tests, and what a set of a given size can show.

The mathematics is scipy's. How often the intervals hold the true value is in tests/test_coverage_of_intervals.py.
Wilson's, for shares from 0.5 to 0.98 of 30 to 300 answers, does in 95.2 of 100 on average. Counts being whole numbers,
it is 92.2 to 97.8 at any one of them; for 0.98 of 30 to 80 answers no interval at all comes within two points of 95.

Shown in notebook 04.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.stats import binom, binomtest, norm, permutation_test
from scipy.stats import bootstrap as resample
from scipy.stats import t as student


class Interval(NamedTuple):
    """The range that holds the true value in 95 of 100 such measurements."""

    low: float
    high: float


def with_interval(value: float, low: float, high: float) -> str:
    """Return a share with its interval, "63% (55% to 71%)"; "63%" for a single number, whose interval is NaN."""
    return f"{value:.0%}" if math.isnan(low) else f"{value:.0%} ({low:.0%} to {high:.0%})"


def wilson(successes: int, n: int) -> Interval:
    """Return the interval of a share, `successes` of `n`, by Wilson's score method (JASA 22, 1927).

    Unlike "share plus or minus two standard errors" it stays inside 0 to 1 and is honest for 0 of n and n of n.
    Where nothing was measured (n is 0) anything is possible: 0 to 1. Raises ValueError for successes outside 0 to n.
    """
    if n == 0 and successes == 0:
        return Interval(0.0, 1.0)
    found = binomtest(int(successes), int(n)).proportion_ci(method="wilson")
    return Interval(float(found.low), float(found.high))


def bootstrap(
    values: Sequence[float], seed: int = 1, times: int = 2000, clusters: Sequence[Hashable] | None = None
) -> Interval:
    """Return the interval of the mean of `values`, from the means of `times` samples drawn from them.

    For figures that are not yes or no, such as a similarity or a difference. `clusters` names what each value belongs
    to, for example its conversation: whole clusters are drawn then, because answers in one conversation go together.
    Raises ValueError for fewer than two values, or two clusters.
    """
    sums, sizes = _by_cluster(values, clusters)
    if len(sums) < 2:
        what = "values" if clusters is None else "clusters"
        raise ValueError(f"An interval of a mean needs two {what} or more; there are {len(sums)}.")
    return bootstrap_ratio(sums, sizes, seed, times)


def bootstrap_ratio(parts: np.ndarray, wholes: np.ndarray, seed: int = 1, times: int = 2000) -> Interval:
    """Return the interval of sum(parts) / sum(wholes), each pair of them an item that is drawn whole.

    The middle 95% of the drawn figures is too narrow for few items: of 10 it holds the true mean 90 times in 100. So
    more than the middle 95% is taken, by as much as Student's t is wider than the normal distribution (the expanded
    percentile interval: Hesterberg, The American Statistician 69, 2015, 371-386). Needs two items or more.
    """
    n = len(parts)
    beyond = norm.cdf(student.ppf(0.025, n - 1) * np.sqrt(n / (n - 1)))
    drawn = resample(
        (parts, wholes),
        lambda some, of, axis=-1: some.sum(axis=axis) / np.maximum(of.sum(axis=axis), 1e-9),
        paired=True,
        vectorized=True,
        n_resamples=times,
        confidence_level=1 - 2 * beyond,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return Interval(float(drawn.confidence_interval.low), float(drawn.confidence_interval.high))


def sign_flip(differences: Sequence[float], seed: int = 1, clusters: Sequence[Hashable] | None = None) -> float:
    """Return the p value of the sign-flip test: could differences of pairs that are as often up as down be so large?

    With `clusters` the signs of a whole cluster turn together. Exact for up to 13 differences or clusters, else by
    9,999 random turns (scipy's permutation_test). Where at most one differs, the answer is 1.
    """
    sums, _ = _by_cluster(differences, clusters)
    sums = sums[sums != 0]
    if len(sums) < 2:  # one difference is as likely up as down
        return 1.0
    found = permutation_test(
        (sums,),
        np.sum,
        permutation_type="samples",
        vectorized=True,
        n_resamples=9999,
        rng=np.random.default_rng(seed),
    )
    return float(found.pvalue)


def _by_cluster(values: Sequence[float], clusters: Sequence[Hashable] | None) -> tuple[np.ndarray, np.ndarray]:
    """The sum and the number of the values in each cluster; each value is its own where none are named."""
    numbers = np.asarray(values, dtype=float)
    if clusters is None:
        return numbers, np.ones(len(numbers))
    names = {name: place for place, name in enumerate(dict.fromkeys(clusters))}
    places = np.array([names[name] for name in clusters], dtype=int)
    if len(places) != len(numbers):
        raise ValueError(f"There are {len(numbers)} values and {len(places)} names of clusters: one a value.")
    return np.bincount(places, numbers), np.bincount(places).astype(float)


def mcnemar(a: Sequence[bool], b: Sequence[bool]) -> float:
    """Return the p value of McNemar's exact test: could two systems that are equally good differ this much by chance?

    `a` and `b` are right or wrong on the same questions in the same order. Only questions where they differ count;
    where there is none the answer is 1. Raises ValueError when the two are not equally long.
    """
    _same_questions(a, b)
    only_a = sum(bool(x) and not y for x, y in zip(a, b, strict=True))
    only_b = sum(bool(y) and not x for x, y in zip(a, b, strict=True))
    return float(binomtest(only_a, only_a + only_b, 0.5).pvalue) if only_a + only_b else 1.0


def paired_difference(a: Sequence[bool], b: Sequence[bool]) -> Interval:
    """Return the interval of how much larger b's share of right answers is than a's, on the same questions.

    Newcombe's method 10 for paired shares (Statistics in Medicine 17, 1998, 2635-2650): Wilson's intervals of both,
    joined with regard to how often they are right together. Raises ValueError as mcnemar does, and for no answers.
    """
    _same_questions(a, b)
    if not len(a):
        raise ValueError("There are no answers to compare.")
    right_a, right_b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    share_a, share_b = right_a.mean(), right_b.mean()
    spread = float(right_a.std() * right_b.std())
    together = float(((right_a - share_a) * (right_b - share_b)).mean()) / spread if spread else 0.0
    low_a, high_a = wilson(int(right_a.sum()), len(a))
    low_b, high_b = wilson(int(right_b.sum()), len(b))

    def reach(one: float, other: float) -> float:
        return float(np.sqrt(max(0.0, one**2 - 2 * together * one * other + other**2)))

    difference = float(share_b - share_a)
    below, above = reach(share_b - low_b, high_a - share_a), reach(high_b - share_b, share_a - low_a)
    return Interval(difference - below, difference + above)


def unpaired_difference(successes_a: int, n_a: int, successes_b: int, n_b: int) -> Interval:
    """Return the interval of how much larger b's share is than a's, where each answered questions of its own.

    Newcombe's method 10 for independent shares (Statistics in Medicine 17, 1998, 873-890): Wilson's intervals of both,
    joined. Raises ValueError as wilson does.
    """
    a, b = wilson(successes_a, n_a), wilson(successes_b, n_b)
    share_a, share_b = successes_a / max(1, n_a), successes_b / max(1, n_b)
    below, above = np.hypot(share_b - b.low, a.high - share_a), np.hypot(b.high - share_b, share_a - a.low)
    return Interval(float(share_b - share_a - below), float(share_b - share_a + above))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p values of several tests, each raised so that all of them together keep to one level.

    Holm's step-down method (Scandinavian Journal of Statistics 6, 1979): the smallest counts as many times as there are
    tests, the next once less, and none falls below the one before. In the order given; at most 1.
    """
    order = np.argsort(p_values)
    raised = np.asarray(p_values, dtype=float)[order] * np.arange(len(order), 0, -1)
    found = np.empty(len(order))
    found[order] = np.minimum(np.maximum.accumulate(raised), 1) if len(order) else raised
    return [float(p_value) for p_value in found]


def detectable(n: int, differ: float, power: float = 0.8) -> float:
    """Return the smallest true difference of two shares that McNemar's exact test on `n` questions likely shows.

    Likely is in `power` of such measurements, at the 5% level; `differ` is the share of questions on which one system
    is right and the other wrong. A difference larger than that has every one of them on its side. NaN below 6
    questions, which can show none.
    """
    if n < 6:
        return float("nan")
    counts = np.arange(n + 1)
    needed = binom.isf(0.025, counts, 0.5) + 1  # so many of them on one side are more than chance

    def lacks(difference: float) -> float:
        share = min(1.0, max(differ, difference))
        side = (1 + difference / share) / 2
        shown = binom.sf(needed - 1, counts, side) + binom.cdf(counts - needed, counts, side)
        return float((binom.pmf(counts, n, share) * shown).sum()) - power

    return float(brentq(lacks, 1e-6, 1.0))


def _same_questions(a: Sequence[bool], b: Sequence[bool]) -> None:
    if len(a) != len(b):
        raise ValueError(f"The two systems must answer the same questions; there are {len(a)} and {len(b)} answers.")
