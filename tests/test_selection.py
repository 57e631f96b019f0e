"""Selecting: rules keep what they say and say why they drop; the off-topic filter is measured on planted labels."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.alike import alike
from helpers.clean import clean_record
from helpers.collect import read_support_exports
from helpers.coverage import asked
from helpers.errors import Explained
from helpers.load import load
from helpers.selection import Rule, filter_errors, select, topicality
from helpers.workspace import read_jsonl

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "support"


def test_rules_keep_the_best_and_say_why_others_go() -> None:
    rows = pd.DataFrame(
        {
            "csat": ["5", "2", "", "4", "soon", None],
            "solved": ["yes", "yes", "yes", "no", "yes", "yes"],
            "minutes": range(6),
        }
    )
    kept, dropped = select(rows, [Rule("csat", "keep", at_least=4), Rule("solved", "drop", among=["yes"])])
    assert kept.index.tolist() == [0, 2, 5] and list(kept.columns) == list(rows.columns)
    assert dropped.why.to_dict() == {1: "csat is 2", 3: "solved is 'no'", 4: "csat is 'soon', not a number"}
    kept, dropped = select(rows, [Rule("csat", "drop"), Rule("minutes", "drop", at_most=3)])
    assert kept.index.tolist() == [0, 1, 3]
    assert dropped.why.to_dict() == {2: "csat is missing", 4: dropped.why[4], 5: "csat is missing; minutes is 5"}
    assert select(rows, []).kept.equals(rows)
    with pytest.raises(Explained, match="no column 'opens'; there are 'csat'"):
        select(rows, [Rule("opens", "drop")])


def test_the_best_of_each_kind_are_chosen_by_rank() -> None:
    rows = pd.DataFrame({"kind": ["mail"] * 4 + ["post"] * 4, "clicks": [1, 2, 3, 4, 10, 20, 30, 40]})
    rows["rank"] = rows.groupby("kind")["clicks"].rank(pct=True)
    assert select(rows, [Rule("rank", "drop", at_least=0.75)]).kept.clicks.tolist() == [3, 4, 30, 40]


def test_the_sample_is_selected_by_its_scores() -> None:
    rows, _ = load(SAMPLE / "raw" / "tickets.csv", {"reply": "agent_reply", "csat": "csat"})
    kept, dropped = select(rows, [Rule("csat", "keep", at_least=4)])
    assert len(kept) + len(dropped) == len(rows)
    assert set(kept.csat) == {"", "4", "5"} and set(dropped.csat) == {"1", "2", "3"}


def test_likeness_to_what_is_known() -> None:
    known = ["where is my parcel", "my parcel is late", "the kettle broke"]
    scores = topicality(["my parcel is late", "is my kettle late?", "crypto coins", ""], known)
    assert scores[0] > scores[1] > scores[2] == scores[3] == 0
    assert topicality(["the kettle broke"], ["the kettle broke"]) == pytest.approx([1])
    assert len(topicality([], known)) == 0
    with pytest.raises(Explained, match="no text that is known"):
        topicality(["a"], ["", "?"])


def test_errors_are_counted_against_labels() -> None:
    frame = filter_errors([0.1, 0.2, 0.3, 0.4], [True, False, True, False], below=[0.05, 0.35]).set_index("below")
    assert frame.loc[0.35, ["flagged", "right", "precision", "recall"]].tolist() == [3, 2, pytest.approx(2 / 3), 1]
    assert frame.precision_low[0.35] < 2 / 3 < frame.precision_high[0.35] <= 1
    assert frame.flagged[0.05] == 0 and np.isnan(frame.precision[0.05]) and frame.recall[0.05] == 0


def test_the_filter_finds_what_is_off_the_topic_of_the_sample() -> None:
    """Known: the curated training questions. Judged: other records, one of each near-copy. The bound that is best on
    one half is measured on the other, both ways."""
    planted = {
        (row["file"], row["record"]): set(row["defects"])
        for row in json.loads((SAMPLE / "defects.json").read_text(encoding="utf-8"))
    }
    trained = set(json.loads((SAMPLE / "split_ids.json").read_text(encoding="utf-8"))["train"])
    unusable = {"empty", "swapped_roles", "snapshot", "exact_duplicate", "near_duplicate"}
    texts, labels = [], []
    for record in read_support_exports(SAMPLE / "raw"):
        defects = planted[record.source, record.raw.get("row")]
        if record.id not in trained and not defects & unusable:
            texts.append(asked(clean_record(record)))
            labels.append(bool(defects & {"off_topic", "spam"}))
    groups = alike(texts)
    first = [place for place, group in enumerate(groups) if groups.index(group) == place]
    truth = np.array(labels)[first]
    scores = topicality([texts[place] for place in first], [asked(row) for row in read_jsonl(SAMPLE / "train.jsonl")])
    assert truth.sum() >= 20 and (~truth).sum() >= 350
    half = np.arange(len(first)) % 2 == 0
    flagged, bounds = np.zeros(len(first), dtype=bool), np.arange(0.05, 0.3, 0.01)
    for judge in (half, ~half):
        found = filter_errors(scores[~judge], truth[~judge], bounds).fillna(0)
        best = found.below[(found.precision * found.recall / (found.precision + found.recall)).idxmax()]
        flagged |= judge & (scores < best)
    right, wrong, missed = (flagged & truth).sum(), (flagged & ~truth).sum(), (~flagged & truth).sum()
    print(f"\noff topic: {truth.sum()} of {len(first)}; {right} found, {wrong} wrongly, {missed} missed")
    assert right / truth.sum() >= 0.8 and right / flagged.sum() >= 0.8
