"""Splitting: sizes, dates, groups that stay whole, the same again for a seed; and leakage where it was planted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.clean import clean_record, keep
from helpers.collect import read_support_exports
from helpers.errors import Explained
from helpers.split import leakage, masked, split

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "support"


def test_sizes_are_kept_and_a_seed_gives_the_same_again() -> None:
    items = list(range(100))
    parts = split(items, {"train": None, "validation": 10, "test": 0.2}, seed=3)
    assert {name: len(part) for name, part in parts.items()} == {"train": 70, "validation": 10, "test": 20}
    assert sorted(place for part in parts.values() for place in part) == items and all(
        part == sorted(part) for part in parts.values()
    )
    assert parts == split(items, {"train": None, "validation": 10, "test": 0.2}, seed=3)
    assert parts != split(items, {"train": None, "validation": 10, "test": 0.2}, seed=4)
    assert len(split(items, {"train": 5, "test": 5})["train"]) == 5


@dataclass(frozen=True)
class Dated:
    created: datetime


def test_by_date_the_last_part_gets_the_newest() -> None:
    items = [Dated(datetime(2025, 1, 1 + (7 * i) % 31)) for i in range(31)]
    parts = split(items, {"train": None, "validation": 5, "test": 6}, by="date")
    days = {name: sorted(item.created.day for item in part) for name, part in parts.items()}
    assert days == {"train": list(range(1, 21)), "validation": list(range(21, 26)), "test": list(range(26, 32))}


@given(
    st.lists(st.sampled_from("abcdefgh"), min_size=4, max_size=60),
    st.integers(0, 9),
    st.floats(0.1, 0.4),
    st.integers(0, 2),
)
def test_no_group_is_on_both_sides(groups: list[str], seed: int, share: float, validation: int) -> None:
    places = list(range(len(groups)))
    parts = split(places, {"train": None, "validation": validation, "test": share}, seed=seed, by=groups)
    assert sorted(place for part in parts.values() for place in part) == places
    assert len(parts["test"]) <= share * len(groups) and len(parts["validation"]) <= validation
    kinds = [{groups[i] for i in part} for part in parts.values()]
    assert sum(map(len, kinds)) == len(set(groups))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sizes": {"train": 90, "test": 20}}, "need 110 items, and there are 100"),
        ({"sizes": {"train": None, "test": None}}, "Only one part"),
        ({"sizes": {"train": None, "test": 5}, "by": "name"}, "not a way to split"),
        ({"sizes": {"train": None, "test": 5}, "by": "date"}, "items with a date"),
        ({"sizes": {"train": None, "test": 5}, "by": ["a"]}, "100 items but 1 groups"),
    ],
)
def test_what_cannot_be_split_is_explained(options: dict[str, Any], said: str) -> None:
    with pytest.raises(Explained, match=said):
        split(list(range(100)), **options)


def test_the_sample_splits_by_date_as_curated() -> None:
    """The kept records, split by date, give the curated test set; training and validation are the earlier ones."""
    kept, _ = keep([clean_record(record) for record in read_support_exports(SAMPLE / "raw")])
    parts = split(kept, {"train": None, "validation": 80, "test": 130}, by="date")
    ids = json.loads((SAMPLE / "split_ids.json").read_text(encoding="utf-8"))
    assert {record.id for record in parts["test"]} == set(ids["test"])
    assert {record.id for record in parts["train"] + parts["validation"]} == {*ids["train"], *ids["validation"]}


def example(question: str, answer: str = "Yes.") -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def test_leakage_is_found_in_each_degree() -> None:
    asked = "Where is the parcel of Ann, number LM-12345, that should have come on Monday last week?"
    train = [example(asked), example("Does anybody mend toasters here, or only kettles?")]
    held_out = [
        example(asked),
        example(asked, "No."),
        example(asked.replace("Ann", "Bo").replace("12345", "99")),
        example(asked.replace("Ann", "Bo").replace("last week", "last weeks")),
        example("What does it cost to send a lamp to Norway before the end of the month?"),
    ]
    found = leakage(train, held_out)
    assert found.n.tolist() == [1, 2, 3, 4]
    assert found.lines.tolist() == [[1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]
    assert found.share.tolist() == [0.2, 0.4, 0.6, 0.8]
    assert leakage(train, []).n.sum() == 0 and leakage([], held_out).n.sum() == 0


def test_masking_takes_names_and_numbers_in_any_script() -> None:
    assert masked("Dear Zoë, LM-12345 is 3 weeks late!") == "_ _ _ 0 is 0 weeks late"
    assert masked("水果 in Łódź, ÉCOLE nº2") == "水果 in _ _ 0"


@pytest.mark.parametrize("name", ["validation", "test", "test_new_phrasings"])
def test_the_sample_does_not_leak(name: str) -> None:
    train, held_out = (
        [json.loads(line) for line in (SAMPLE / f"{part}.jsonl").read_text(encoding="utf-8").splitlines()]
        for part in ("train", name)
    )
    assert (leakage(train, held_out).share < 0.05).all()
