"""Personal data: each kind is found as often as measured on labelled texts, and what is none is left alone."""

from __future__ import annotations

import itertools
import re
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.collect import read_support_exports
from helpers.personal import KINDS, Span, find, names_in

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "support"
LABELLED = Path(__file__).with_name("personal_labelled.txt").read_text(encoding="utf-8").split("\n----\n", 1)[1]
SHOWN, HELD_OUT = LABELLED.removesuffix("\n----\n").split("\nHELD OUT\n----\n")
MARK = re.compile(r"\{([A-Z_]+):([^{}]+)\}")
FLOORS = {  # recall and precision that were measured on the texts held out
    "URL": (1.0, 1.0),
    "EMAIL": (0.75, 0.75),
    "IBAN": (1.0, 1.0),
    "CARD": (1.0, 1.0),
    "BIRTH_DATE": (1.0, 1.0),
    "NATIONAL_ID": (1.0, 1.0),
    "RECORD": (1.0, 1.0),
    "ACCOUNT": (0.83, 1.0),
    "IP": (1.0, 1.0),
    "ADDRESS": (0.8, 1.0),
    "PHONE": (1.0, 0.88),
    "NAME": (0.73, 1.0),
}


def blocks(part: str) -> list[tuple[str, list[str], list[Span]]]:
    """(text, names of the data's column, labels) for each text of a part."""
    made = []
    for block in part.split("\n----\n"):
        names, _, rest = block.partition("\n") if block.startswith("names:") else ("", "", block)
        labels: list[Span] = []
        text, end = "", 0
        for mark in MARK.finditer(rest):
            text += rest[end : mark.start()]
            labels.append(Span(len(text), len(text) + len(mark[2]), mark[1]))
            text, end = text + mark[2], mark.end()
        made.append((text + rest[end:], [name.strip() for name in names[6:].split(";") if name], labels))
    return made


def places(spans: list[Span], kind: str) -> set[int]:
    return {place for span in spans if span.kind == kind for place in range(span.start, span.end)}


def measure(part: str) -> pd.DataFrame:
    """Recall (labels wholly inside what was found of their kind) and precision (finds mostly inside such labels)."""
    counts: Counter[tuple[str, str]] = Counter()
    for text, names, labels in blocks(part):
        found = find(text, [*names, *names_in([text])])
        for label in labels:
            counts[label.kind, "labelled"] += 1
            counts[label.kind, "found"] += places([label], label.kind) <= places(found, label.kind)
        for span in found:
            inside = places([span], span.kind) & places(labels, span.kind)
            counts[span.kind, "said"] += 1
            counts[span.kind, "right"] += 2 * len(inside) > span.end - span.start
    columns = ["labelled", "found", "said", "right"]
    frame = pd.DataFrame([[counts[kind, column] for column in columns] for kind in KINDS], KINDS, columns)
    return frame.assign(recall=frame.found / frame.labelled, precision=frame.right / frame.said)


def test_recall_and_precision_on_texts_held_out() -> None:
    frame = measure(HELD_OUT)
    print(f"\nheld out\n{frame.round(2).to_string()}")
    print(f"\nshown while the code was written\n{measure(SHOWN).round(2).to_string()}")
    assert frame.labelled.sum() + measure(SHOWN).labelled.sum() >= 200 and (frame.labelled >= 3).all()
    assert set(FLOORS) == set(KINDS)
    for kind, (recall, precision) in FLOORS.items():
        assert frame.recall[kind] >= recall and frame.precision[kind] >= precision, kind


def test_names_without_a_column_on_the_sample() -> None:
    """How many of the customers' names, which the sample's own column tells, the words around them give away."""
    present = found = 0
    for record in read_support_exports(SAMPLE / "raw"):
        texts = [text for _, text in record.turns]
        given_away = {part for name in names_in(texts) for part in name.split()}
        for part in {part for part in record.customer.split() if len(part) > 2}:
            if any(re.search(rf"\b{re.escape(part)}\b", text) for text in texts):
                present += 1
                found += part in given_away
    print(f"\nnames of customers: {found} of {present} found without the column")
    assert present > 500 and found >= 0.86 * present


@pytest.mark.parametrize(
    "text",
    [
        "Order LM-20417 of 3 March 2025 cost £1,249.00; version 2.4.1.0, build 10.0.0.1, EAN 4006381333931.",
        "The card 4539 9458 0730 2152 and the IBAN GB34 BARC 2065 8259 1513 11 have wrong check digits.",
        "3 Large Boxes and 20 Red Lamps, 12:30:45, ratio 16:9, std::vector, Hi there, Dear customer, Thank you",
        "Hello! Thanks for your help. Best regards",
        "Tracking 1Z999AA10123456784. The account is closed; the policy is clear; my case is hopeless.",
    ],
)
def test_what_only_looks_like_personal_data_is_left(text: str) -> None:
    assert find(text, names_in([text])) == []


def test_names_are_found_whole_and_in_parts() -> None:
    text = "Siobhan O'Connor wrote; SIOBHAN O\u2019CONNOR, siobhan o'connor and Siobhan's son will."
    found = [text[span.start : span.end] for span in find(text, ["Siobhan O'Connor", "Will Dr. May"])]
    assert found == ["Siobhan O'Connor", "SIOBHAN O\u2019CONNOR", "siobhan o'connor", "Siobhan"]


def test_a_column_without_a_name_hides_nothing() -> None:
    assert find("Customer - unknown. A test, n/a?", ["-", "", "Customer", "A", "?", "Unknown"]) == []


@given(st.text(max_size=200), st.lists(st.text(max_size=20), max_size=3))
def test_finding_never_fails_and_never_overlaps(text: str, names: list[str]) -> None:
    found = find(text, [*names, *names_in([text])])
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(one.end <= other.start for one, other in itertools.pairwise(found))


@pytest.mark.parametrize(
    "piece", ["a", "A1", "1 ", "Aa ", "5 Aa ", "1.", "ab:", "a@", "+1 ", "Hi Aa, ", "\n", "account 1", "A-1", "A. "]
)
def test_long_texts_take_no_long_time(piece: str) -> None:
    text = piece * (20_000 // len(piece))
    begun = time.process_time()
    find(text, names_in([text]))
    assert time.process_time() - begun < 5
