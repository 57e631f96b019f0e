"""Step 4: how sure a measured figure is. Intervals of 95% and one test; the mathematics is scipy's.

Shown in notebook 04.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest
from scipy.stats import bootstrap as resample


class Interval(NamedTuple):
    """The range that holds the true value in 95 of 100 such measurements."""

    low: float
    high: float


def wilson(successes: int, n: int) -> Interval:
    """Return the interval of a share, `successes` of `n`, by Wilson's score method (JASA 22, 1927).

    Unlike "share plus or minus two standard errors" it stays inside 0 to 1 and is honest for 0 of n and n of n.
    Where nothing was measured (n is 0) anything is possible: 0 to 1. Raises ValueError for successes outside 0 to n.
    """
    if n == 0 and successes == 0:
        return Interval(0.0, 1.0)
    found = binomtest(int(successes), int(n)).proportion_ci(method="wilson")
    return Interval(float(found.low), float(found.high))


def bootstrap(values: Sequence[float], seed: int = 1, times: int = 2000) -> Interval:
    """Return the interval of the mean of `values`: the middle 95% of the means of `times` samples drawn from them.

    For figures that are not yes or no, such as a similarity or a difference. Raises ValueError for fewer than two.
    """
    if len(values) < 2:
        raise ValueError(f"An interval of a mean needs two values or more; there are {len(values)}.")
    drawn = resample(
        (np.asarray(values, dtype=float),),
        np.mean,
        n_resamples=times,
        method="percentile",
        random_state=np.random.default_rng(seed),
    )
    return Interval(float(drawn.confidence_interval.low), float(drawn.confidence_interval.high))


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


def _same_questions(a: Sequence[bool], b: Sequence[bool]) -> None:
    if len(a) != len(b):
        raise ValueError(f"The two systems must answer the same questions; there are {len(a)} and {len(b)} answers.")
