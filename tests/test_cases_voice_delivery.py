"""Calendar and preview: what goes out, when, what is held back and why, and that both files are safe to open."""

from __future__ import annotations

import csv
import io
import itertools
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers.cases.voice import HASHTAGS, SIGN_OFF
from helpers.cases.voice_calendar import SLOTS, Plan, schedule, write_calendar
from helpers.cases.voice_preview import preview, write_preview
from helpers.workspace import read_jsonl

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "voice"
FACTS = [row for row in read_jsonl(SAMPLE / "facts.jsonl") if row["split"] == "test"]
PIECES = [example["messages"][-1]["content"] for example in read_jsonl(SAMPLE / "test.jsonl")]
START = date(2026, 1, 7)  # a Wednesday


def running(rows: list[dict[str, Any]], ends: str = "2027-12-31") -> list[dict[str, Any]]:
    """The same facts, their offers ending on this day."""
    return [row | {"offer": row["offer"] and row["offer"] | {"ends": ends}} for row in rows]


@pytest.fixture(scope="module")
def plan() -> Plan:
    return schedule(PIECES, running(FACTS), START)


def test_every_sound_piece_gets_a_slot_of_its_own(plan: Plan) -> None:
    calendar = plan.calendar
    assert len(calendar) == len(PIECES) and plan.held_back.empty
    assert not calendar.duplicated(["date", "time"]).any()
    assert calendar["date"].min() >= START.isoformat() and calendar["date"].is_monotonic_increasing
    for row in calendar.to_dict("records"):
        assert (date.fromisoformat(row["date"]).weekday(), row["time"]) in SLOTS[row["channel"]]


def test_an_offer_goes_out_while_it_runs_and_the_first_to_end_goes_first() -> None:
    emails = [place for place, row in enumerate(FACTS) if row["channel"] == "email" and row["offer"]][:4]
    days = [START + timedelta(days=days) for days in (60, 9, 2, 30)]
    rows = [running([FACTS[place]], day.isoformat())[0] for place, day in zip(emails, days, strict=True)]
    found = schedule([PIECES[place] for place in emails], rows, START)
    assert found.calendar["product"].tolist() == [rows[1]["name"], rows[3]["name"], rows[0]["name"]]
    assert found.held_back["product"].tolist() == [rows[2]["name"]]
    assert "before its offer ends" in found.held_back["why"][0]


def test_a_piece_that_must_not_go_out_is_held_back_with_every_reason() -> None:
    place = next(place for place, row in enumerate(FACTS) if row["channel"] == "post" and row["secret"])
    facts, piece = running(FACTS)[place], PIECES[place]
    wrong = piece.replace(f"{facts['price']} quid", "9999 quid").replace(HASHTAGS, f"{facts['secret'][0]} #New")
    found = schedule([wrong, piece], [facts, facts], START)
    assert len(found.calendar) == 1 and len(found.held_back) == 1
    why = found.held_back["why"][0]
    for reason in ("rule_14_kept_quiet", "rule_18_hashtags", "'9999'", "does not tell the price"):
        assert reason in why


@pytest.mark.parametrize("sign", ["\x00", "\x07", "\u202e", "\ufffd"])
def test_a_character_that_nobody_sees_is_held_back(sign: str) -> None:
    found = schedule([PIECES[0].replace(" quid, ", f" quid, {sign}")], running(FACTS)[:1], START)
    assert found.calendar.empty and found.held_back["why"].tolist() == [f"holds the character {sign!r}"]


def test_the_csv_comes_back_as_it_was(plan: Plan, tmp_path: Path) -> None:
    content = write_calendar(tmp_path / "calendar.csv", plan.calendar).read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert [row["text"] for row in rows] == plan.calendar["text"].tolist()
    assert {row["channel"]: bool(row["subject"]) for row in rows} == {
        "description": False,
        "post": False,
        "email": True,
    }


def test_no_text_is_a_formula(plan: Plan, tmp_path: Path) -> None:
    texts = ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "fine"]
    calendar = plan.calendar.head(5).assign(text=texts)
    rows = pd.read_csv(write_calendar(tmp_path / "calendar.csv", calendar))
    assert rows["text"].tolist() == [f"'{text}" for text in texts[:4]] + ["fine"]


class Page(HTMLParser):
    """What matters of a page: tags with their attributes, and whether each is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "circle", "path", "rect"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_shows_every_piece_and_needs_nothing_else(plan: Plan, tmp_path: Path) -> None:
    text = write_preview(tmp_path / "preview.html", plan, "ft:pocket-6m").read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert sum(tag == "article" for tag, _ in page.tags) == len(plan.calendar)
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in page.tags}
    assert all(value.startswith("#") for _, attrs in page.tags if (value := attrs.get("href")))
    assert "url(" not in text and "ft:pocket-6m" in text and text.count(SIGN_OFF.replace("&", "&amp;")) > 10


def test_the_page_can_be_read_by_a_screen_reader(plan: Plan) -> None:
    page = Page(preview(plan))
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {attrs["aria-labelledby"] for _, attrs in page.tags if "aria-labelledby" in attrs} <= set(ids)
    assert {attrs["href"] for tag, attrs in page.tags if tag == "a"} <= {f"#{name}" for name in ids}
    heads = [int(tag[1]) for tag, _ in page.tags if tag in ("h1", "h2", "h3")]
    assert heads[0] == 1 and heads.count(1) == 1 and all(b - a <= 1 for a, b in itertools.pairwise(heads))
    assert ("html", {"lang": "en-GB"}) in page.tags
    assert all(attrs.get("aria-hidden") == "true" for tag, attrs in page.tags if tag == "svg")


def test_what_a_model_writes_is_shown_as_text() -> None:
    facts = running(FACTS)[0]
    held = schedule(["<script>alert(1)</script> & more"], [facts], START)
    assert "&lt;script&gt;" in preview(held) and "<script" not in preview(held)
    assert "Nothing is planned" in preview(held) and "1 of 1 pieces" in preview(held)


def test_pieces_without_their_facts_are_refused() -> None:
    with pytest.raises(ValueError, match="one line a piece"):
        schedule(["a"], [], START)
