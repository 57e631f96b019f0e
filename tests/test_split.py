"""Splitting: sizes, dates, groups that stay whole, shares of every kind, copies on one side; and planted leakage."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.alike import alike, masked
from helpers.clean import clean_record, keep
from helpers.collect import read_support_exports
from helpers.errors import Explained
from helpers.split import leakage, question, split
from helpers.workspace import write_jsonl

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
        ({"sizes": {"train": None, "test": 5}, "strata": ["a"]}, "100 items but 1 kinds"),
        ({"sizes": {"train": None, "test": 5}, "texts": ["a"]}, "100 items but 1 texts"),
        ({"sizes": {"train": None, "test": 5}, "by": "date", "strata": ["a"] * 100}, "cannot be stratified"),
    ],
)
def test_what_cannot_be_split_is_explained(options: dict[str, Any], said: str) -> None:
    with pytest.raises(Explained, match=said):
        split(list(range(100)), **options)


def test_a_part_that_stays_empty_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    parts = split(range(40), {"train": None, "test": 8}, by=["one customer"] * 40)
    assert parts["test"] == [] and "Nothing fits into test: up to 40 items" in capsys.readouterr().out


def test_items_of_no_group_are_not_kept_together() -> None:
    for none in (None, float("nan")):
        parts = split(range(100), {"train": None, "test": 40}, by=[none] * 50 + ["one"] * 50)
        assert len(parts["test"]) == 40 and parts["test"][0] < 50


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.sampled_from("aaaabbcd"), min_size=4, max_size=80),
    st.lists(st.floats(0.05, 0.3), min_size=1, max_size=3),
    st.booleans(),
    st.integers(0, 9),
)
def test_each_part_gets_its_share_of_every_kind_to_within_two_items(
    kinds: list[str], shares: list[float], rest: bool, seed: int
) -> None:
    sizes: dict[str, int | float | None] = {f"part {number}": share for number, share in enumerate(shares)}
    parts = split(range(len(kinds)), {**sizes, **({"rest": None} if rest else {})}, seed=seed, strata=kinds)
    taken = [place for part in parts.values() for place in part]
    assert len(taken) == len(set(taken)) and (not rest or len(taken) == len(kinds))
    for name, part in parts.items():
        asked = len(kinds) - sum(map(len, parts.values())) + len(part) if name == "rest" else None
        assert len(part) == (asked if name == "rest" else int(sizes[name] * len(kinds)))  # type: ignore[operator]
        found = Counter(kinds[place] for place in part)
        for kind, count in Counter(kinds).items():
            assert abs(found[kind] - len(part) * count / len(kinds)) <= 2
    assert parts == split(range(len(kinds)), {**sizes, **({"rest": None} if rest else {})}, seed=seed, strata=kinds)


def test_stratified_groups_stay_whole_and_nearly_keep_their_shares() -> None:
    """300 customers with one to three messages each, all of one kind: shares within 3 of 100."""
    customers = [number for number in range(300) for _ in range(1 + number % 3)]
    kinds = ["rare" if customer % 10 == 0 else "usual" for customer in customers]
    parts = split(range(600), {"train": None, "test": 0.2}, by=customers, strata=kinds)
    train, test = ({customers[place] for place in parts[name]} for name in ("train", "test"))
    assert not train & test and len(train | test) == 300 and 110 <= len(parts["test"]) <= 120
    for part in parts.values():
        share = sum(kinds[place] == "rare" for place in part) / len(part)
        assert abs(share - kinds.count("rare") / 600) <= 0.03


ASKED = [
    "Where is the parcel that should have come on Monday? I have waited for it all week.",
    "Does anybody at your place mend toasters that are older than ten years?",
    "What would it cost to send two lamps to an address in Norway before Easter?",
    "The lid of my kettle broke when it fell from the table. Can I buy a new lid?",
]
COPIES = [  # a changed name and number, reordered sentences, a light edit, all in small letters
    "Where is the parcel that should have come on Friday? I have waited for it all week.",
    "I have waited for it all week. Where is the parcel that should have come on Monday?",
    "Does anyone at your place mend toasters that are older than ten years?",
    ASKED[3].lower(),
]


def test_nearly_equal_texts_are_known_as_such_and_others_are_not() -> None:
    numbers = alike([*ASKED, *COPIES, "", "?"])
    assert numbers[4:8] == [numbers[0], numbers[0], numbers[1], numbers[3]]
    assert len(set(numbers)) == 6
    assert alike([]) == []
    shouted = ["WHERE IS MY PARCEL NOW", "WHEN CAN YOU MEND IT", "I WANT MY MONEY BACK"]
    assert len(set(alike(shouted))) == 3
    assert len(set(alike([f"How can I cancel order {number}?" for number in range(3000)]))) == 1


@settings(deadline=None, max_examples=20)
@given(st.permutations([*ASKED, *COPIES]), st.integers(0, 9), st.booleans())
def test_nearly_equal_texts_stay_on_one_side(texts: list[str], seed: int, by_kind: bool) -> None:
    strata = ["x", "y"] * 4 if by_kind else None
    parts = split(range(8), {"train": None, "test": 3}, seed=seed, texts=texts, strata=strata)
    train, test = ([example(texts[place]) for place in parts[name]] for name in ("train", "test"))
    assert len(train) + len(test) == 8
    assert leakage(train, test).n.sum() == 0


def test_by_date_copies_go_with_the_newest_of_them() -> None:
    items = [Dated(datetime(2025, 1, day)) for day in (1, 2, 3, 4)]
    parts = split(items, {"train": None, "test": 2}, by="date", texts=[ASKED[0], ASKED[1], ASKED[2], COPIES[0]])
    assert parts["test"] == [items[0], items[3]]


def test_the_sample_splits_by_date_as_curated() -> None:
    """The kept records, split by date, give the curated test set; training and validation are the earlier ones."""
    kept, _ = keep([clean_record(record) for record in read_support_exports(SAMPLE / "raw")])
    parts = split(kept, {"train": None, "validation": 80, "test": 130}, by="date")
    ids = json.loads((SAMPLE / "split_ids.json").read_text(encoding="utf-8"))
    # A conversation or two look like copies of another's, so the oldest of the test set may differ.
    assert len({record.id for record in parts["test"]} & set(ids["test"])) >= 0.98 * len(ids["test"])
    earlier = {record.id for record in parts["train"] + parts["validation"]}
    assert len(earlier & {*ids["train"], *ids["validation"]}) >= 0.995 * len(earlier)


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


def test_a_leak_between_two_files_is_found_whatever_their_rows(tmp_path: Path) -> None:
    asked = ASKED[0]
    train = write_jsonl(tmp_path / "train.jsonl", [example(text) for text in ASKED])
    user = [{"role": "user", "content": [{"type": "text", "text": asked}]}]
    good, bad = ([{"role": "assistant", "content": text}] for text in ("Yes.", "No."))
    rows = [
        {"input": {"messages": user}, "preferred_output": good, "non_preferred_output": bad},
        {"prompt": asked, "completion": "Yes."},
        {"messages": [{"role": "system", "content": "Be brief."}, *user, *good]},
        {"prompt": "What is the time in Oslo?", "completion": "Noon."},
    ]
    found = leakage(train, str(write_jsonl(tmp_path / "test.jsonl", rows)))
    assert found.lines.tolist() == [[1, 2, 3]] * 4
    with pytest.raises(Explained, match="Example 2 has neither messages nor a prompt"):
        leakage(train, [*rows[:1], {"question": asked}])
    with pytest.raises(Explained, match="could not be read"):
        leakage(train, tmp_path / "none.jsonl")
    assert question(rows[0]) == asked


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
