"""What a reader sees of a plot and of a table of texts: nothing on top of something else, nothing cut off."""

from __future__ import annotations

from itertools import combinations, product

import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from helpers import plots
from helpers.frontend import in_full


@pytest.mark.parametrize(("n_systems", "n_metrics"), [(1, 1), (2, 5), (3, 5), (4, 3), (4, 6), (5, 6), (8, 2)])
@pytest.mark.parametrize("value", [0.0, 0.985])
def test_the_figures_at_bars_do_not_touch(n_systems: int, n_metrics: int, value: float) -> None:
    rows = [
        {"system": f"system_{s}", "metric": f"house_compliant_{m}", "value": value, "low": 0.0, "high": 1.0}
        for s, m in product(range(n_systems), range(n_metrics))
    ]
    figure = plots.bars(pd.DataFrame(rows), title="Near all")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    [axes] = figure.axes
    figures = [text for text in axes.texts if text.get_text()]
    assert len(figures) == n_systems * n_metrics
    names = [*axes.get_xticklabels(), *axes.get_yticklabels()]
    for kind in (figures, names):
        boxes = [text.get_window_extent(canvas.get_renderer()) for text in kind]
        assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
        assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1 for box in boxes)


def test_the_legend_of_losses_lies_on_no_curve() -> None:
    steps = {
        "step": [1, 2, 3],
        "train_loss": [0.2, 0.1, 0.3],
        "valid_loss": [0.3, 0.2, 0.3],
        "full_valid_loss": [None, None, 0.3],
    }
    figure = plots.loss_curves(pd.DataFrame(steps))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    [legend], [axes] = figure.legends, figure.axes
    assert len(legend.get_texts()) == 3
    assert not legend.get_window_extent(canvas.get_renderer()).overlaps(axes.get_window_extent())


def test_points_at_nothing_and_at_all_are_seen_whole() -> None:
    rows = pd.DataFrame({"label": ["none", "all"], "value": [0.0, 1.0], "low": [0.0, 0.8], "high": [0.2, 1.0]})
    [axes] = plots.intervals(rows).axes
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert left < 0 and right > 1 and top < 0 and bottom > 1


def test_a_table_of_texts_shows_them_whole_and_as_they_are() -> None:
    said = "a long reason " * 20 + "for <NAME>"
    page = in_full(pd.DataFrame({"why": [said], "line": pd.array([None], dtype="Int64")})).to_html()
    assert (
        said.replace("<NAME>", "&lt;NAME&gt;") in page
        and "text-align: left" in page
        and "NA&gt;" not in page.replace("&lt;NAME&gt;", "")
    )
