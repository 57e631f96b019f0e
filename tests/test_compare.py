"""Figures from graded answers, comparisons pair by pair, and the verdict in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from helpers.compare import BETTER, UNKNOWN, WORSE, as_table, compare, rates, verdict, verdicts
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
    found = rates(frame(score=[0.5]), ["score"]).iloc[0]
    assert found.value == 0.5 and np.isnan(found.low)


def test_figures_become_a_table_of_words_in_the_order_they_come() -> None:
    base, tuned = frame(ok=[True, False], also=[False, False]), frame(ok=[True] * 4)
    rows = [rates(tuned, ["ok"]).assign(system="tuned"), rates(base, ["ok", "also"]).assign(system="base")]
    table = as_table(pd.concat(rows, ignore_index=True))
    assert list(table.index) == ["ok", "also"] and list(table.columns) == ["tuned", "base"]
    low, high = wilson(1, 2)
    assert table.loc["ok", "base"] == f"50% ({low:.0%} to {high:.0%}), n = 2"
    assert table.loc["ok", "tuned"].endswith("n = 4") and table.loc["also", "tuned"] == ""


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
