"""Cleaning: each step takes out what it says and nothing else, and the whole gives back the curated conversations.

The planted truth (defects.json) judges here; helpers.clean never reads it.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.clean import (
    clean_record,
    clean_text,
    fault,
    keep,
    mend_encoding,
    normalise,
    redact,
    strip_controls,
    strip_html,
    strip_notices,
    strip_quoted,
    strip_signature,
)
from helpers.collect import Record, read_support_exports, to_example

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "support"
DROPS = {
    "exact_duplicate", "near_duplicate", "snapshot", "old_policy", "stale_policy", "off_style", "unanswered",
    "swapped_roles", "spam", "off_topic", "empty",
}  # fmt: skip
GOOD = """{"intent": "mend", "order": "LM-12345", "product": "Tarn kettle", "priority": "normal", "action": "book_mend"}
Hello Bo, LM-12345 and the Tarn kettle are on the bench. \
Mends are free for 4 years, then 18 pounds. Next: we offer a bench slot in 3 days.
From the bench, Lindermoor"""


# Steps --------------------------------------------------------------------------------------------------------------


def test_mojibake_is_mended() -> None:
    assert mend_encoding("Itâ€™s my cafÃ©, “really”") == 'It\'s my café, "really"'
    assert mend_encoding("naïve café, 12 €") == "naïve café, 12 €"


@pytest.mark.parametrize(
    ("given_text", "wanted"),
    [
        ("One.<br>Two &amp; three", "One.\nTwo & three"),
        ("<p>One.</p><p>Two.</p>", "One.\n\nTwo.\n\n"),
        ("a &lt; b&nbsp;c", "a < b c"),
        ("5 < 6 and 7 > 2 & so on", "5 < 6 and 7 > 2 & so on"),
        ("<head><style>p {}</style></head><p>Hi</p><blockquote>old</blockquote>", "Hi\n\n"),
        ('<p>Hi</p><div class="signature">Bo</div><div class="footer">Buy</div>', "Hi\n\n"),
    ],
)
def test_html_is_taken_out(given_text: str, wanted: str) -> None:
    assert strip_html(given_text) == wanted


def test_controls_go_and_what_writing_needs_stays() -> None:
    assert strip_controls("a\x07b\u200bc\xadd\ufeff\x0b") == "abcd"
    assert strip_controls("a\r\nb\tc\rd") == "a\nb\tc\nd"
    assert strip_controls("👩\u200d🌾 نمی\u200cشود") == "👩\u200d🌾 نمی\u200cشود"


def test_quoted_mail_and_notices_are_cut() -> None:
    assert strip_quoted("Yes.\n\nOn 3 May 2025 Ann wrote:\n> No?\n> Or?\nMaybe.") == "Yes.\n\nMaybe."
    assert strip_quoted("Yes.\n-----Original Message-----\nFrom: Ann\nNo?") == "Yes.\n"
    assert strip_quoted("On Monday I wrote: nothing came.") == "On Monday I wrote: nothing came."
    for notice in (
        "This e-mail and any attachments are for you alone.",
        "This e-mail & any attachments are for you alone.",
        "CONFIDENTIAL: not for others.",
        "Please consider the environment before printing.",
        "Ticket closed by Ann - do not reply below this line",
    ):
        assert strip_notices(f"Yes.\n{notice}\nMore of it.") == "Yes.\n", notice
    assert strip_notices("I keep it confidential. Think of the price!") == "I keep it confidential. Think of the price!"


def test_signatures_are_cut_and_closings_stay() -> None:
    assert strip_signature("Hello.\nThanks, Bo\n-- \nBo Ek\nBoss").strip() == "Hello.\nThanks, Bo"
    assert strip_signature("Hello.\n\nBo Ek\nHead of Odds", "Bo Ek") == "Hello."
    assert strip_signature("Hello.\n\nSent from my phone", "") == "Hello."
    for text in ("Hello.\n\nThanks, Bo Ek", "Hello.\n\nBo Ek here.\nWhere is it?", "Hello.\n\nOne\nTwo"):
        assert strip_signature(text, "Bo Ek") == text


@pytest.mark.parametrize(
    ("given_text", "wanted"),
    [
        ("Mail bo.ek+x@shop.example.org, please", "Mail [email], please"),
        ("Ring 07700 900123 or +44 7700 900 123.", "Ring [phone] or [phone]."),
        ("Ring (01632) 960 983 or +49 30 1234567", "Ring [phone] or [phone]"),
        ("Card 4000 0012 3456 7899.", "Card [card]."),
        ("Card 4000001234567899", "Card [card]"),
        ("Come to Flat 2, 14 Mill Lane, Exeter QX4 2AB!", "Come to [address]!"),
        ("Order LM-12345, #54321, 12345, £39.95", "Order LM-12345, #54321, 12345, £39.95"),
        ("On 2025-03-01 at 10:30 I paid 1,000.50 for 3 lamps", "On 2025-03-01 at 10:30 I paid 1,000.50 for 3 lamps"),
        ("The number 4000 0012 3456 7890 is no card", "The number 4000 0012 3456 7890 is no card"),
    ],
)
def test_private_data_is_redacted(given_text: str, wanted: str) -> None:
    assert redact(given_text) == wanted


def test_white_space_is_evened() -> None:
    assert normalise(" a \n\n b\tc ") == "a b c"
    assert normalise(" a \n\n b\tc ", keep_lines=True) == "a\nb c"


@given(st.text(max_size=200))
def test_cleaning_never_fails(text: str) -> None:
    for role in ("user", "assistant"):
        assert isinstance(clean_text(text, role, text[:5]), str)


# One record -----------------------------------------------------------------------------------------------------------


def record(*turns: tuple[str, str], name: str = "1", day: int = 1) -> Record:
    return Record(name, "x", datetime(2025, 3, day), "Bo Ek", list(turns))


ASKED = ("user", "My Tarn kettle, order LM-12345, broke after two years. Bo")


def test_turns_are_joined_and_end_with_a_reply() -> None:
    cleaned = clean_record(record(("user", "One."), ("user", "<b>Two.</b>"), ("assistant", "Yes."), ("user", "ta")))
    assert cleaned.turns == [("user", "One. Two."), ("assistant", "Yes.")]
    assert clean_record(record(("user", "One."))).turns == [("user", "One.")]


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        ([ASKED, ("assistant", GOOD)], None),
        ([("user", "test"), ("assistant", GOOD)], "empty"),
        ([("user", "(attachment: a picture of it.jpg)")], "empty"),
        ([ASKED], "unanswered"),
        ([("user", GOOD), ("assistant", ASKED[1])], "swapped_roles"),
        ([("assistant", ASKED[1])], "swapped_roles"),
        ([ASKED, ("assistant", "Hi Bo! So sorry. We will refund you. Cheers, Dale")], "off_style"),
        ([ASKED, ("assistant", GOOD.replace("Mends", "Repairs"))], "off_style"),
        ([ASKED, ("assistant", GOOD.replace("18 pounds", "25 pounds"))], "stale_policy"),
        ([("user", "Congratulations, you have won a cruise for two of you!")], "spam"),
        ([("user", "When does the swimming pool in town open?")], "off_topic"),
    ],
)
def test_why_a_record_is_not_learned_from(turns: list[tuple[str, str]], reason: str | None) -> None:
    assert fault(record(*turns)) == reason


def test_copies_and_snapshots_are_dropped_once() -> None:
    again = ("user", ASKED[1].replace("My", "Hi, my"))
    records = [
        record(again, ("assistant", GOOD), name="near", day=3),
        record(ASKED, ("assistant", GOOD), name="first"),
        record(ASKED, ("assistant", GOOD), name="same", day=2),
        record(ASKED, name="first"),
    ]
    kept, dropped = keep(records)
    assert [r.id for r in kept] == ["first"] and len(kept[0].turns) == 2
    assert dict(zip(dropped.id, dropped.reason, strict=True)) == {
        "first": "snapshot",
        "same": "exact_duplicate",
        "near": "near_duplicate",
    }
    assert dropped.set_index("id").detail["same"] == "100% like first"
    assert keep([])[0] == []


# The sample -----------------------------------------------------------------------------------------------------------


@cache
def cleaned() -> list[Record]:
    return [clean_record(raw) for raw in read_support_exports(SAMPLE / "raw")]


def place(found: Record) -> tuple[str, Any]:
    """Where defects.json says that a record stands."""
    return found.source, found.raw.get("row")


@cache
def planted() -> dict[tuple[str, Any], set[str]]:
    rows = json.loads((SAMPLE / "defects.json").read_text(encoding="utf-8"))
    return {(row["file"], row["record"]): set(row["defects"]) for row in rows}


def test_the_kept_records_are_the_curated_conversations() -> None:
    """Raw to clean to kept, judged by the curated files: the same ones, word for word."""
    ids = json.loads((SAMPLE / "split_ids.json").read_text(encoding="utf-8"))
    wanted = {}
    for name, listed in ids.items():
        lines = (SAMPLE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        wanted |= dict(zip(listed, map(json.loads, lines), strict=True))
    kept, dropped = keep(cleaned())
    by_id = {r.id: r for r in kept}
    assert len(by_id) == len(kept) and len(kept) + len(dropped) == len(cleaned())
    recall = len(by_id.keys() & wanted.keys()) / len(wanted)
    precision = len(by_id.keys() & wanted.keys()) / len(by_id)
    same = [to_example(by_id[i], w["messages"][0]["content"]) == w for i, w in wanted.items() if i in by_id]
    print(f"\nkept: recall {recall:.3f}, precision {precision:.3f}, word for word {sum(same)} of {len(wanted)}")
    assert recall >= 0.99 and precision >= 0.99 and sum(same) >= 0.99 * len(wanted)


def test_reasons_agree_with_the_planted_truth() -> None:
    """How many of each planted kind are dropped, and for the reason that was planted."""
    _, dropped = keep(cleaned())
    ids = {r.id for r in cleaned()}
    assert set(dropped.id) <= ids and set(dropped.reason) <= DROPS
    truth: dict[str, list[set[str]]] = {}
    for r in cleaned():
        truth.setdefault(r.id, []).append(planted()[place(r)] & DROPS)
    rows = []
    for kind in sorted(DROPS - {"old_policy"}):
        fits = {"stale_policy": {kind, "old_policy"}, "off_topic": {kind, "spam"}}.get(kind, {kind})
        named = dropped[dropped.reason == kind]
        right = sum(any(fits & defects for defects in truth[i]) for i in named.id)
        count = sum(bool(fits & defects) for defects in truth.values() for defects in defects)
        rows.append({"reason": kind, "planted": count, "named": len(named), "right": right})
    frame = pd.DataFrame(rows)
    print(f"\n{frame.to_string(index=False)}")
    assert (frame.right >= 0.8 * frame.named).all()
    assert frame.right.sum() >= 0.95 * frame.named.sum()


def test_steps_find_what_was_planted() -> None:
    """Recall of each step: of the texts with a planted defect, how many the step changes; redact comes last."""

    def mended(text: str) -> str:
        return normalise(strip_controls(mend_encoding(strip_html(text))))

    steps = {
        "mojibake": (str, mend_encoding),
        "html_residue": (str, strip_html),
        "control_characters": (str, strip_controls),
        "personal_data": (mended, redact),
    }
    for name, (before, step) in steps.items():
        texts = [
            before(" ".join(text for _, text in raw.turns))
            for raw in read_support_exports(SAMPLE / "raw")
            if name in planted()[place(raw)]
        ]
        found = sum(step(text) != text for text in texts)
        print(f"\n{name}: {found} of {len(texts)}")
        assert found >= 0.98 * len(texts), name


def test_nothing_private_is_left_in_what_is_kept() -> None:
    kept, _ = keep(cleaned())
    texts = [text for r in kept for _, text in r.turns]
    assert [text for text in texts if "@" in text or "7700 900" in text or redact(text) != text] == []
