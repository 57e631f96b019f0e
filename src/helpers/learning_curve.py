"""Step 4: what more data would buy: a power law through scores at several sizes of training file, and its forecast.

    curve = fit(points)          # columns size, value and n; a size may have several rows, one a seed
    print(curve.forecast(800))

Errors fall with the number of examples as a power law with a floor: error = floor + scale * size^-slope (Hestness and
others, arXiv 1712.00409, 2017; for small sets Figueroa and others, BMC Medical Informatics 12:8, 2012). Shown in
notebook 04.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure
from scipy.optimize import curve_fit

from helpers.errors import Explained
from helpers.plots import COLOURS, STYLE, new_axes
from helpers.stats import with_interval

LEAST = 4  # sizes: three numbers are fitted, and one more size has to contradict them if they are wrong
TIMES = 200
WIDE = 0.2  # a forecast whose interval is wider says next to nothing


class Forecast(NamedTuple):
    """What `size` examples are likely to give, each with the middle 95% of refitted curves.

    `value` is the score, from 0 to 1; `gain` how much that is above the largest size measured.
    """

    size: int
    value: float
    low: float
    high: float
    gain: float
    gain_low: float
    gain_high: float

    @property
    def can_tell(self) -> bool:
        """Whether the measured scores say anything about this size."""
        return self.high - self.low <= WIDE

    def __str__(self) -> str:
        head = f"{self.size:,} examples: {with_interval(self.value, self.low, self.high)}"
        if not self.can_tell:
            return f"{head}. That is too wide to tell anything: measure more sizes, more seeds, or a larger test set."
        gain = f"{self.gain * 100:+.0f} points ({self.gain_low * 100:+.0f} to {self.gain_high * 100:+.0f})"
        return f"{head}, {gain} on the largest size measured, if the curve goes on as it did"


class Curve:
    """A fitted curve: `value(size)` is its score there, `forecast(size)` the same with intervals."""

    def __init__(self, points: pd.DataFrame, fitted: np.ndarray, refitted: np.ndarray) -> None:
        self.points, self.largest = points, int(points["size"].max())
        self._smallest = float(points["size"].min())
        self._fitted, self._refitted = fitted, refitted

    def value(self, size: float) -> float:
        """Return the score of the curve at a size."""
        return float(1 - _error(size / self._smallest, *self._fitted))

    def forecast(self, size: int) -> Forecast:
        """Return what so many examples are likely to give."""
        values, now = (1 - _error(s / self._smallest, *self._refitted.T) for s in (size, self.largest))
        low, high = np.quantile(values, [0.025, 0.975])
        gain_low, gain_high = np.quantile(values - now, [0.025, 0.975])
        value = self.value(size)
        low, high = min(low, value), max(high, value)
        gain = value - self.value(self.largest)
        return Forecast(size, value, float(low), float(high), gain, float(gain_low), float(gain_high))


def fit(points: pd.DataFrame, seed: int = 1) -> Curve:
    """Return the curve through the points: columns size, value (a share from 0 to 1), n (test items behind it).

    Intervals come from refitting to scores drawn anew: of each size's rows (seeds) as many by chance, of each row its
    items. All sizes are usually scored on the same test items, so a test set that flatters, flatters the whole curve.
    Raises Explained below four sizes, and where no curve fits.
    """
    sizes = points["size"].nunique()
    if sizes < LEAST:
        raise Explained(
            f"Scores at {sizes} sizes cannot tell a curve from a line: measure {LEAST} or more, each about twice the "
            "one before."
        )
    x = (points["size"] / points["size"].min()).to_numpy(dtype=float)
    value, n = points["value"].to_numpy(dtype=float), points["n"].to_numpy(dtype=int)
    rng = np.random.default_rng(seed)
    groups = [np.flatnonzero(points["size"].to_numpy() == size) for size in points["size"].unique()]
    refitted = []
    for _ in range(TIMES):
        rows = np.concatenate([rng.choice(group, len(group)) for group in groups])
        drawn = rng.binomial(n[rows], value[rows]) / n[rows]
        refitted.append(_fit(x[rows], drawn, n[rows]))
    return Curve(points, _fit(x, value, n), np.array(refitted))


def _fit(x: np.ndarray, value: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Floor, scale and slope of the errors; each point weighs by its standard error."""
    near = (value * n + 0.5) / (n + 1)  # never quite 0 or 1, where the standard error would be none
    sigma, error = np.sqrt(near * (1 - near) / n), 1 - value
    start = (error.min() / 2, max(error.max() - error.min() / 2, 0.01), 0.5)
    try:
        found, _ = curve_fit(_error, x, error, p0=start, sigma=sigma, bounds=([0, 0, 0], [1, 1, 3]), max_nfev=2000)
    except RuntimeError as problem:
        raise Explained(f"No learning curve fits these scores ({problem}). Measure more sizes.") from problem
    return np.asarray(found)


def _error(x: np.ndarray | float, floor: np.ndarray, scale: np.ndarray, slope: np.ndarray) -> np.ndarray:
    return floor + scale * x ** (-slope)


@rc_context(STYLE)
def curve_plot(curve: Curve, forecasts: list[Forecast], title: str = "Score by size of the training file") -> Figure:
    """Return the measured scores, the fitted curve, and the forecasts with their intervals."""
    figure, axes = new_axes(title)
    last = max([curve.largest, *(forecast.size for forecast in forecasts)])
    sizes = np.geomspace(curve.points["size"].min(), last, 100)
    axes.plot(sizes, [curve.value(size) for size in sizes], color=COLOURS[0], linestyle="--", label="fitted curve")
    axes.plot(curve.points["size"], curve.points["value"], "o", color=COLOURS[0], label="measured")
    for place, found in enumerate(forecasts):
        reach = [[found.value - found.low], [found.high - found.value]]
        label = "forecast" if place == 0 else None
        axes.errorbar([found.size], [found.value], yerr=reach, fmt="s", color=COLOURS[3], capsize=4, label=label)
    axes.set_xscale("log")
    ticks = sorted({*map(int, curve.points["size"]), *(forecast.size for forecast in forecasts)})
    axes.set_xticks(ticks, [f"{size:,}" for size in ticks])
    axes.minorticks_off()
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("training examples")
    axes.set_ylabel("score")
    axes.legend(loc="lower right")
    return figure


def describe_curve(curve: Curve, forecasts: list[Forecast]) -> str:
    """Return alt text for the plot: every measured score, and every forecast."""
    means = curve.points.groupby("size")["value"].mean()
    measured = ", ".join(f"{size:,} {value:.0%}" for size, value in means.items())
    return f"Scores by training examples: {measured}. Forecasts: {'; '.join(map(str, forecasts))}."
