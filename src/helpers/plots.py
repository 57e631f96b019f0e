"""Plots with readable defaults, each shown as a picture with alt text.

    show(loss_curves(metrics), alt=describe_curves(metrics))

Colours are Okabe and Ito's (2008), which people with any of the common colour blindnesses tell apart; line styles and
labels say the same once more.
"""

from __future__ import annotations

import base64
import html
import io
import sys
from collections.abc import Iterable
from typing import Any

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from helpers.stats import with_interval

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000")
SIZE = (8.0, 4.0)  # inches
STYLE: Any = {
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.frameon": False,
}
PERCENT = [0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"]  # ticks, and what they say
CURVES = {  # metric: (what to call it, line style, marker)
    "train_loss": ("training loss", "-", ""),
    "valid_loss": ("validation loss, one batch", ":", ""),
    "full_valid_loss": ("validation loss, whole file", "--", "o"),
}


def png(figure: Figure) -> bytes:
    """Return the figure as a PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()


def show(figure: Figure, alt: str) -> None:
    """Show the figure as a PNG with alt text, the same words to unfold below it, and close it."""
    show_png(png(figure), alt)
    if "matplotlib.pyplot" in sys.modules:  # a figure made with pyplot would stay in memory and be shown once more
        sys.modules["matplotlib.pyplot"].close(figure)


def show_png(picture: bytes, alt: str) -> None:
    """Show a PNG with alt text, and the same words to unfold below it.

    The words are there once more because JupyterLab, unlike the course's HTML pages, does not pass alt text on.
    """
    from IPython.display import HTML, display

    content = base64.b64encode(picture).decode()
    display({"image/png": content, "text/plain": alt}, raw=True, metadata={"image/png": {"alt": alt}})
    display(HTML(f"<details><summary>The picture in words</summary>{html.escape(alt)}</details>"))


def new_axes(title: str = "", height: float = SIZE[1]) -> tuple[Figure, Any]:
    """Return a figure of the course's width and its axes, in its style where STYLE is set."""
    figure = Figure(figsize=(SIZE[0], height), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, loc="left")
    return figure, axes


@rc_context(STYLE)
def loss_curves(metrics: pd.DataFrame, title: str = "Loss at each step") -> Figure:
    """Return the loss curves of a job, from training_metrics: training, and validation where it was measured."""
    figure, axes = new_axes(title)
    for colour, (column, (label, style, marker)) in zip(COLOURS, CURVES.items(), strict=False):
        values = _measured(metrics, column)
        if len(values):
            axes.plot(values["step"], values[column], linestyle=style, marker=marker, color=colour, label=label)
    axes.set_xlabel("step")
    axes.set_ylabel("loss (lower is better)")
    if axes.lines:
        axes.set_ylim(bottom=0)
        figure.legend(loc="outside lower center", ncols=len(CURVES))  # inside, it would lie on some job's curves
    return figure


def describe_curves(metrics: pd.DataFrame) -> str:
    """Return alt text for the loss curves: where each begins, is lowest and ends."""
    parts = []
    for column, (label, _, _) in CURVES.items():
        values = _measured(metrics, column)
        if len(values):
            lowest = values.loc[values[column].idxmin()]
            parts.append(
                f"{label} begins at {values[column].iloc[0]:.2f}, is lowest at step {lowest['step']:.0f} "
                f"({lowest[column]:.2f}) and ends at {values[column].iloc[-1]:.2f}"
            )
    return f"Line chart over training steps: {'; '.join(parts)}." if parts else "Line chart with no steps yet."


def _measured(metrics: pd.DataFrame, column: str) -> pd.DataFrame:
    """The rows in which a column was measured."""
    if column not in metrics:
        return pd.DataFrame({"step": [], column: []})
    return metrics[["step", column]].dropna()


@rc_context(STYLE)
def bars(frame: pd.DataFrame, title: str = "", ylabel: str = "share of replies") -> Figure:
    """Return grouped bars: a group for each metric, a bar for each system, whiskers for the interval.

    The frame has columns system, metric, value, low and high, in fractions; order in the frame is order in the plot.
    Few bars stand. Many lie, one below the other, or the figures at their ends would touch.
    """
    systems, metrics = list(dict.fromkeys(frame["system"])), list(dict.fromkeys(frame["metric"]))
    n_bars = len(systems) * len(metrics)
    lie = n_bars > 15
    figure, axes = new_axes(title, height=0.2 * n_bars + 1.3 if lie else SIZE[1])
    groups, scale = (axes.yaxis, axes.xaxis) if lie else (axes.xaxis, axes.yaxis)
    draw, whisker = (axes.barh, "xerr") if lie else (axes.bar, "yerr")
    width = 0.8 / max(len(systems), 1)
    for index, system in enumerate(systems):
        rows = frame[frame["system"] == system]
        places = [metrics.index(m) + (index - (len(systems) - 1) / 2) * width for m in rows["metric"]]
        reach = {whisker: [rows["value"] - rows["low"], rows["high"] - rows["value"]], "capsize": 2 if lie else 3}
        colour = COLOURS[index % len(COLOURS)]
        drawn = draw(places, rows["value"], width * 0.92, color=colour, label=system, **reach)
        axes.bar_label(drawn, [f"{value:.0%}" for value in rows["value"]], padding=3, fontsize=9 if lie else 10)
    wrap = "\n" if len(metrics) > 4 and not lie else " "
    groups.set_ticks(range(len(metrics)), [str(metric).replace("_", wrap) for metric in metrics])
    scale.set_ticks(*PERCENT)
    scale.set_label_text(ylabel)
    groups.grid(visible=False)
    if lie:
        axes.set_xlim(0, 1.08)
        axes.set_ylim(len(metrics) - 0.5, -0.5)  # the first on top
    else:
        axes.set_ylim(0, 1.12)
    figure.legend(loc="outside lower center", ncols=min(max(len(systems), 1), 5))
    return figure


def describe_bars(frame: pd.DataFrame) -> str:
    """Return alt text for such bars: every value with its interval."""
    parts = []
    for metric, rows in frame.groupby("metric", sort=False):
        values = (f"{r.system} {with_interval(r.value, r.low, r.high)}" for r in rows.itertuples())
        parts.append(f"{str(metric).replace('_', ' ')}: {', '.join(values)}")
    return f"Bar chart with intervals. {'; '.join(parts)}."


@rc_context(STYLE)
def intervals(frame: pd.DataFrame, title: str = "", xlabel: str = "share of replies") -> Figure:
    """Return a row of its own for each value: a point and its interval; the frame's order from the top.

    The frame has columns label, value, low and high, in fractions.
    """
    figure, axes = new_axes(title, height=max(2.0, 0.4 * len(frame) + 1))
    places = range(len(frame))
    reach = [frame["value"] - frame["low"], frame["high"] - frame["value"]]
    axes.errorbar(frame["value"], places, xerr=reach, fmt="o", color=COLOURS[0], capsize=4)
    axes.set_yticks(places, frame["label"])
    axes.set_ylim(len(frame) - 0.5, -0.5)  # the first on top
    axes.set_xlim(-0.02, 1.02)  # a point at nothing or all is seen whole
    axes.set_xticks(*PERCENT)
    axes.set_xlabel(xlabel)
    axes.grid(visible=False, axis="y")
    return figure


def describe_intervals(frame: pd.DataFrame) -> str:
    """Return alt text for such points: every value with its interval."""
    values = (f"{r.label} {with_interval(r.value, r.low, r.high)}" for r in frame.itertuples())
    return f"Points with intervals: {'; '.join(values)}."


@rc_context(STYLE)
def lengths(values: Iterable[float], limit: float | None = None, xlabel: str = "tokens in an example") -> Figure:
    """Return a histogram of lengths; a dashed line marks the limit, where there is one."""
    figure, axes = new_axes()
    axes.hist(list(values), bins=30, color=COLOURS[0], edgecolor="white")
    if limit is not None:
        axes.axvline(limit, color=COLOURS[3], linestyle="--")
        axes.annotate(f" limit {limit:,.0f}", (limit, 0.95), xycoords=("data", "axes fraction"), color=COLOURS[3])
    axes.set_xlabel(xlabel)
    axes.set_ylabel("how many")
    return figure


@rc_context(STYLE)
def counts(series: pd.Series, xlabel: str = "how many") -> Figure:
    """Return horizontal bars of a series of counts, labelled by its index, in its order from the top."""
    figure, axes = new_axes(height=max(2.0, 0.32 * len(series) + 0.8))
    drawn = axes.barh([str(name) for name in series.index], series.to_numpy(), color=COLOURS[0])
    axes.bar_label(drawn, [f"{value:,.0f}" for value in series], padding=3, fontsize=10)
    axes.invert_yaxis()
    axes.set_xlabel(xlabel)
    axes.margins(x=0.1)
    axes.grid(visible=False, axis="y")
    return figure
