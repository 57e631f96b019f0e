"""Intervals and the test against published or exactly known values, and what they must never do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from helpers.stats import (
    bootstrap,
    detectable,
    holm,
    mcnemar,
    paired_difference,
    sign_flip,
    unpaired_difference,
    wilson,
)


def test_wilson_has_the_published_values() -> None:
    # Newcombe 1998 (Statistics in Medicine 17, 857-872), table I, method 3
    for successes, n, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)):
        assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)
    assert wilson(0, 0) == (0, 1)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_stays_inside_and_holds_the_share(case: tuple[int, int]) -> None:
    low, high = wilson(*case)
    assert 0 <= low <= case[0] / case[1] + 1e-12 and case[0] / case[1] - 1e-12 <= high <= 1


def test_wilson_refuses_the_impossible() -> None:
    with pytest.raises(ValueError):
        wilson(5, 3)


def test_bootstrap_is_seeded_and_near_the_textbook_interval() -> None:
    values = [float(i % 10) for i in range(200)]
    first = bootstrap(values)
    assert first == bootstrap(values) != bootstrap(values, seed=2)
    assert first == pytest.approx((4.5 - 0.398, 4.5 + 0.398), abs=0.06)  # 1.96 standard errors of the mean
    assert bootstrap([0.5, 0.5]) == (0.5, 0.5)
    with pytest.raises(ValueError, match="two values or more"):
        bootstrap([1.0])


def test_mcnemar_is_the_exact_sign_test_of_what_differs() -> None:
    a = [True] * 3 + [False] * 12 + [True] * 50
    b = [False] * 3 + [True] * 12 + [True] * 50
    assert mcnemar(a, b) == mcnemar(b, a) == pytest.approx(2 * binom.cdf(3, 15, 0.5))
    assert mcnemar(a, a) == 1
    with pytest.raises(ValueError, match="same questions"):
        mcnemar(a, b[1:])


@pytest.mark.parametrize(
    ("both", "only_a", "only_b", "neither", "p_value"),
    [  # statsmodels 0.15.0, contingency_tables.mcnemar(table, exact=True)
        (50, 3, 12, 0, 0.03515625),
        (10, 25, 9, 40, 0.00904118549078703),
        (5, 1, 7, 5, 0.0703125),
        (90, 4, 4, 2, 1.0),
        (80, 40, 70, 110, 0.005447429511444476),
    ],
)
def test_mcnemar_is_that_of_statsmodels(both: int, only_a: int, only_b: int, neither: int, p_value: float) -> None:
    a = [True] * (both + only_a) + [False] * (only_b + neither)
    b = [True] * both + [False] * only_a + [True] * only_b + [False] * neither
    assert mcnemar(a, b) == pytest.approx(p_value, rel=1e-9)


def test_holm_is_that_of_statsmodels() -> None:
    found = holm([0.01, 0.04, 0.03, 0.005, 0.6])  # multitest.multipletests(…, method="holm"), 0.15.0
    assert found == pytest.approx([0.04, 0.09, 0.09, 0.025, 0.6])
    assert holm([]) == [] and holm([0.7, 0.9]) == [1, 1]


def test_the_sign_flip_test_is_exact_for_few_and_turns_whole_clusters() -> None:
    assert sign_flip([1, 2, 3, 4, 5]) == pytest.approx(2 / 2**5)
    assert sign_flip([1, 2, 3, 4, 5], clusters="aabbc") == pytest.approx(2 / 2**3)
    assert sign_flip([0, 0]) == sign_flip([]) == sign_flip([0.5, 0]) == 1
    many = [0.1 * (i % 5) for i in range(60)]
    assert sign_flip(many) == sign_flip(many) < 0.001
    with pytest.raises(ValueError, match="one a value"):
        sign_flip([1, 2], clusters="a")


def test_what_is_detectable_is_what_mcnemar_shows_four_times_in_five() -> None:
    rng = np.random.default_rng(1)
    for n, differ in ((60, 0.3), (130, 0.2), (30, 0.0)):
        least = detectable(n, differ)
        share = max(differ, least)
        chances = [1 - share, (share - least) / 2, (share + least) / 2]  # alike, only a right, only b right
        drawn = rng.choice(3, size=(1000, n), p=chances)
        shown = [mcnemar(row == 1, row == 2) < 0.05 for row in drawn]
        assert np.mean(shown) == pytest.approx(0.8, abs=0.04)
    sizes = [detectable(n, 0.2) for n in (20, 50, 130, 400)]
    assert sizes == sorted(sizes, reverse=True) and np.isnan(detectable(5, 0.5))


def test_a_paired_difference_has_the_published_interval() -> None:
    # Newcombe 1998 (Statistics in Medicine 17, 2635-2650), table II, method 10: 36, 12, 2, 0 and 0, 54, 0, 0 of 54
    both, only_a, only_b, neither = 36, 12, 2, 0
    a = [True] * (both + only_a) + [False] * (only_b + neither)
    b = [True] * both + [False] * only_a + [True] * only_b + [False] * neither
    low, high = paired_difference(b, a)
    assert low == pytest.approx(0.0569, abs=1e-3) and high == pytest.approx(0.3404, abs=1e-3)
    with pytest.raises(ValueError, match="no answers"):
        paired_difference([], [])


def test_an_unpaired_difference_has_the_published_interval() -> None:
    # Newcombe 1998 (Statistics in Medicine 17, 873-890), table II, method 10: 56/70 - 48/80 and 9/10 - 3/10
    assert unpaired_difference(48, 80, 56, 70) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    assert unpaired_difference(3, 10, 9, 10) == pytest.approx((0.1705, 0.8090), abs=1e-4)
    with pytest.raises(ValueError):
        unpaired_difference(1, 0, 1, 2)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_a_paired_difference_lies_in_its_interval(pairs: list[tuple[bool, bool]]) -> None:
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    low, high = paired_difference(a, b)
    assert -1 - 1e-9 <= low <= (sum(b) - sum(a)) / len(a) <= high <= 1 + 1e-9
    assert paired_difference(b, a) == pytest.approx((-high, -low))
