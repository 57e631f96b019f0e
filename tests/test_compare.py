"""Figures from graded answers, comparisons pair by pair, and the verdict in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from helpers.compare import BETTER, UNKNOWN, WORSE, as_table, compare, rates, rates_by, verdict, verdicts
from helpers.errors import Explained
from helpers.stats import wilson


def frame(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_a_failure_counts_as_no_and_is_told() -> None:
    graded = frame(ok=[True, True, None, False], score=[0.5, 0.7, None, 0.9], error=["", "", "timed out", ""])
    found = rates(graded, ["ok", "score"]).set_index("metric")
    assert found.loc["ok", ["value", "n", "failed"]].tolist() == [0.5, 4, 1]
    assert (found.loc["ok", "low"], found.loc["ok", "high"]) == wilson(2, 4)
    assert found.loc["score", ["value", "n", "failed"]].tolist() == [pytest.approx(0.7), 3, 1]
    with pytest.raises(Explained, match="no_such"):
        rates(graded, ["no_such"])


def test_a_mean_of_one_has_no_interval() -> None:
    found = rates_by({"tuned": frame(score=[0.5])}, ["score"])
    assert found.value[0] == 0.5 and np.isnan(found.low[0])
    assert as_table(found).loc["score", "tuned"] == "50%, n\u00a0=\u00a01"


def test_answers_that_are_all_alike_are_not_certain() -> None:
    alike = frame(ok=[True] * 12, score=[0.0] * 12)
    found = rates(alike, ["ok", "score"]).set_index("metric")
    assert (found.loc["ok", "low"], found.loc["score", "high"]) == (wilson(12, 12).low, wilson(0, 12).high)
    talks = rates(alike, ["ok", "score"], [place // 3 for place in range(12)]).set_index("metric")
    assert (talks.loc["ok", "low"], talks.loc["score", "high"]) == (wilson(4, 4).low, wilson(0, 4).high)
    assert rates(alike, ["ok"], ["one"] * 12).low[0] == wilson(1, 1).low


def test_what_cannot_be_compared_is_told_or_stays_open() -> None:
    one, other = frame(score=[0.2]), frame(score=[0.9])
    single = compare(one, other, "score")
    assert verdict(single) == UNKNOWN and str(single).startswith("score: +0.70 (no interval); higher in 1")
    wrong, right = frame(ok=[False] * 30), frame(ok=[True] * 30)
    assert verdict(compare(wrong, right, "ok", ["one talk"] * 30)) == UNKNOWN
    with pytest.raises(Explained, match="On no question do both"):
        compare(frame(score=[0.5] * 10), frame(score=[None] * 10), "score")
    for measure in (lambda: rates(right, ["ok"], [1, 2]), lambda: compare(wrong, right, "ok", [1, 2])):
        with pytest.raises(ValueError, match="30 answers and 2 names"):
            measure()


def test_zeros_and_ones_are_compared_as_yes_and_no() -> None:
    no, yes = [False] * 5 + [True] * 9, [True] * 14
    assert compare(frame(x=no), frame(x=yes), "x") == compare(
        frame(x=[float(v) for v in no]), frame(x=[float(v) for v in yes]), "x"
    )


def test_figures_become_a_table_of_words_in_the_order_they_come() -> None:
    base, tuned = frame(ok=[True, False], also=[False, False]), frame(ok=[True] * 4)
    rows = [rates_by({"tuned": tuned}, ["ok"]), rates_by({"base": base}, ["ok", "also"])]
    table = as_table(pd.concat(rows, ignore_index=True))
    assert list(table.index) == ["ok", "also"] and list(table.columns) == ["tuned", "base"]
    low, high = wilson(1, 2)
    assert table.loc["ok", "base"] == f"50% ({low:.0%} to {high:.0%}), n\u00a0=\u00a02"
    assert table.loc["ok", "tuned"].endswith("n\u00a0=\u00a04") and table.loc["also", "tuned"] == ""


def test_whole_conversations_make_a_wider_interval() -> None:
    right, talk = [True] * 20 + [False] * 20, [i // 10 for i in range(40)]
    alone, together = rates(frame(ok=right), ["ok"]).iloc[0], rates(frame(ok=right), ["ok"], talk).iloc[0]
    assert alone.value == together.value and together.high - together.low > 2 * (alone.high - alone.low)


def test_the_verdict_is_better_worse_or_not_enough_to_tell() -> None:
    low, high = frame(ok=[True] * 10 + [False] * 30), frame(ok=[True] * 30 + [False] * 10)
    assert verdict(compare(low, high, "ok")) == BETTER
    assert verdict(compare(high, low, "ok")) == WORSE
    assert verdict(compare(low, low, "ok")) == UNKNOWN
    few = compare(low[8:13], high[8:13], "ok")
    assert verdict(few) == UNKNOWN and np.isnan(few.detectable)


def test_scores_are_compared_by_their_differences() -> None:
    rng = np.random.default_rng(1)
    base = rng.normal(0.5, 0.2, size=60)
    a, b = frame(score=base), frame(score=base + rng.normal(0.05, 0.02, size=60))
    found = compare(a, b, "score")
    assert found.low < 0.05 < found.high and found.p_value < 0.001 and verdict(found) == BETTER
    assert 0 < found.detectable < 0.02
    a.loc[0, "score"] = None
    assert compare(a, b, "score").n == 59


def test_several_comparisons_are_each_held_to_more() -> None:
    a, b = frame(ok=[False] * 6 + [True] * 20), frame(ok=[True] * 26)
    one = compare(a, b, "ok")
    assert one.p_value == pytest.approx(2 / 2**6) and verdict(one) == BETTER
    found = verdicts({f"try {number}": one for number in range(5)})
    assert set(found.verdict) == {UNKNOWN} and found.p_holm.tolist() == pytest.approx([5 / 2**5] * 5)
    assert len(verdicts({})) == 0


def test_other_questions_are_refused() -> None:
    a, b = frame(item=["1", "2"], ok=[True, True]), frame(item=["1", "3"], ok=[True, True])
    with pytest.raises(Explained, match="not asked the same questions"):
        compare(a, b, "ok")
    with pytest.raises(ValueError, match="the same questions"):
        compare(a[["ok"]], b[["ok"]][:1], "ok")
