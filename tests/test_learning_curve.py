"""Learning curves: a known curve is found again, forecasts hold the truth, and too little is said to be too little."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from helpers.errors import Explained
from helpers.learning_curve import curve_plot, describe_curve, fit

SIZES = [50, 100, 200, 400]


def truth(size: float) -> float:
    return 1 - (0.05 + 0.6 * (size / 50) ** -0.7)


def measured(n: int, seed: int, sizes: list[int] = SIZES, times: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = [(size, rng.binomial(n, truth(size)) / n, n) for size in sizes for _ in range(times)]
    return pd.DataFrame(rows, columns=["size", "value", "n"])


def test_a_curve_that_was_put_in_is_found_again() -> None:
    exact = pd.DataFrame([(s, truth(s), 10_000) for s in SIZES], columns=["size", "value", "n"])
    curve = fit(exact)
    assert curve.value(1600) == pytest.approx(truth(1600), abs=0.005)
    found = curve.forecast(800)
    assert found.can_tell and found.gain == pytest.approx(truth(800) - truth(400), abs=0.005)
    assert "if the curve goes on as it did" in str(found)


def test_forecasts_hold_the_truth_about_as_often_as_they_say() -> None:
    found = [fit(measured(300, seed)).forecast(800) for seed in range(12)]
    held = np.mean([forecast.low <= truth(800) <= forecast.high for forecast in found])
    assert held >= 10 / 12
    assert all(f.low <= f.value <= f.high and f.gain_low <= f.gain_high for f in found)


def test_small_tests_cannot_tell() -> None:
    found = fit(measured(12, 1, times=1)).forecast(3200)
    assert not found.can_tell and "too wide to tell" in str(found)
    with pytest.raises(Explained, match="at 3 sizes"):
        fit(measured(100, 1, sizes=SIZES[:3]))


def test_a_flat_curve_promises_nothing() -> None:
    flat = pd.DataFrame([(s, 0.9, 2000) for s in SIZES], columns=["size", "value", "n"])
    found = fit(flat).forecast(800)
    assert found.gain_high < 0.02 and found.gain_low < 0.005


def test_the_plot_says_in_words_what_it_shows() -> None:
    curve = fit(measured(200, 1))
    forecasts = [curve.forecast(800)]
    said = describe_curve(curve, forecasts)
    assert "50 " in said and "800 examples" in said
    axes = curve_plot(curve, forecasts).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["50", "100", "200", "400", "800"]
