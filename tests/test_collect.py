"""Collecting: every export is read whole and in its own encoding, and what cannot be read is said with its place."""

from __future__ import annotations

import json
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from helpers.collect import (
    TICKET_COLUMNS,
    Record,
    coverage,
    decoded,
    intent_of,
    load_chats,
    load_mail_folder,
    load_tickets_csv,
    read_support_exports,
    to_example,
)
from helpers.errors import Explained

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "support"
HEAD = "ticket_id,created,customer_name,message,agent_reply,intent_tag,csat\n"


def test_the_sample_is_read_whole() -> None:
    records = read_support_exports(SAMPLE / "raw")
    planted = json.loads((SAMPLE / "defects.json").read_text(encoding="utf-8"))
    assert len(records) == len(planted)
    assert {record.id for record in records} == {row["id"] for row in planted}
    assert {role for record in records for role, _ in record.turns} == {"user", "assistant"}
    assert all(datetime(2025, 1, 1) < record.created < datetime(2026, 1, 1) for record in records)
    assert any(not r.customer.isascii() for r in records if r.source == "tickets_old_helpdesk.csv")  # decoded rightly


def test_a_table_in_any_encoding_with_any_column_names(tmp_path: Path) -> None:
    table = HEAD + 'T1,2025-03-01 10:00,Zoë,"Hello,\nit\u2019s late",Hi Zoë,late,4\nT2,2025-03-02,Bo,Hello?,,,\n'
    path = tmp_path / "tickets.csv"
    for encoding in ("utf-8", "utf-8-sig", "cp1252"):
        path.write_bytes(table.encode(encoding))
        first, second = load_tickets_csv(path)
        assert (first.id, first.customer, first.tag, first.csat) == ("T1", "Zoë", "late", 4)
        assert first.turns == [("user", "Hello,\nit\u2019s late"), ("assistant", "Hi Zoë")]
        assert second.turns == [("user", "Hello?")] and second.csat is None and second.raw["row"] == 2
    path.write_text(table.replace("message", "body", 1), encoding="utf-8")
    assert load_tickets_csv(path, {"message": "body"})[1].turns == [("user", "Hello?")]


def test_a_missing_column_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "tickets.csv"
    path.write_text(HEAD.replace("agent_reply", "answer"), encoding="utf-8")
    with pytest.raises(Explained, match=r"tickets\.csv has no column 'agent_reply'; its columns are .*'answer'"):
        load_tickets_csv(path)
    path.write_text("", encoding="utf-8")
    with pytest.raises(Explained, match="has no column"):
        load_tickets_csv(path)
    assert "agent_reply" in TICKET_COLUMNS.values()


def test_what_cannot_be_read_is_explained(tmp_path: Path) -> None:
    with pytest.raises(Explained, match="holds no tickets"):
        read_support_exports(tmp_path)
    with pytest.raises(Explained, match="cannot be read"):
        decoded(tmp_path / "none.csv")
    (tmp_path / "odd.csv").write_bytes(b"\x81\x8d\x8f")
    with pytest.raises(Explained, match="neither UTF-8 nor cp1252"):
        decoded(tmp_path / "odd.csv")
    (tmp_path / "tickets.csv").write_text(HEAD + "T1,soon,Bo,Hello,,,\n", encoding="utf-8")
    with pytest.raises(Explained, match=r"tickets\.csv, row 1: 'soon' is no date"):
        read_support_exports(tmp_path)


def test_chats_are_read_and_a_bad_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "chats.jsonl"
    turns = [{"from": "system", "text": "Open."}, {"from": "customer", "text": "Hi"}, {"from": "agent", "text": "Yes?"}]
    chat = {"chat_id": 7, "started": "2025-03-01 10:00", "customer": "Bo", "turns": turns}
    path.write_text(json.dumps(chat) + "\n\n", encoding="utf-8")
    [record] = load_chats(path)
    assert (record.id, record.turns) == ("7", [("user", "Hi"), ("assistant", "Yes?")])
    for bad, said in (("{", "line 3 is not JSON"), ("{}", "line 3 is not a chat: 'turns'"), ("[1]", "not a chat")):
        path.write_text(json.dumps(chat) + "\n\n" + bad, encoding="utf-8")
        with pytest.raises(Explained, match=said):
            load_chats(path)


def mail(sender: str, text: str, html: str = "", **headers: str) -> bytes:
    message = EmailMessage()
    message["From"], message["Date"] = sender, "Sat, 01 Mar 2025 10:00:00 +0000"
    for key, value in headers.items():
        message[key.replace("_", "-")] = value
    if text:
        message.set_content(text)
    if html and text:
        message.add_alternative(html, subtype="html")
    elif html:
        message.set_content(html, subtype="html")
    return message.as_bytes()


def test_mail_threads_are_read(tmp_path: Path) -> None:
    (tmp_path / "E-1-1.eml").write_bytes(mail("Zoë <zoe@a.example>", "Where is it?", "<p>Where is it?</p>"))
    (tmp_path / "E-1-2.eml").write_bytes(mail("Desk <desk@b.example>", "", "<p>Here.</p>", X_Intent_Tag="late"))
    (tmp_path / "E-1-10.eml").write_bytes(mail("Zoë <zoe@a.example>", "Thanks"))
    [record] = load_mail_folder(tmp_path)
    assert [role for role, _ in record.turns] == ["user", "assistant", "user"]
    assert (record.id, record.customer, record.created) == ("E-1", "Zoë", datetime(2025, 3, 1, 10))
    assert record.turns[1][1].strip() == "<p>Here.</p>"
    (tmp_path / "letter.eml").write_bytes(mail("a@b.example", "?"))
    with pytest.raises(Explained, match=r"letter\.eml is not named"):
        load_mail_folder(tmp_path)


def record(tag: str, words: int = 3, replies: int = 1) -> Record:
    turns = [("user", "word " * words)] + [("assistant", "Yes."), ("user", "And?")] * replies
    return Record("1", "x", datetime(2025, 3, 1), "Bo", turns[:-1] if replies else turns, tag)


def test_coverage_shows_where_to_collect_more() -> None:
    records = [record("late", 5)] * 12 + [record("gift", 3, replies=0)] * 2 + [record("", 4, replies=2)]
    frame = coverage(records).set_index("kind")
    assert list(frame.index) == ["late", "gift", "(none)"]
    assert frame.loc["late"].to_dict() == {
        "n": 12, "share": 0.8, "words": 5.0, "longest": 5, "unanswered": 0, "several_turns": 0, "collect_more": 0
    }  # fmt: skip
    assert frame.loc["gift", ["unanswered", "collect_more"]].tolist() == [2, 8]
    assert frame.loc["(none)", "several_turns"] == 1
    assert coverage([]).empty
    examples = [to_example(r, "Be kind.") for r in records]
    assert coverage(examples, kind=lambda example: len(example["messages"])).n.tolist() == [12, 2, 1]


def test_an_example_has_the_system_message_first() -> None:
    example = to_example(record("late"), "Be kind.")
    assert [m["role"] for m in example["messages"]] == ["system", "user", "assistant"]
    assert example["messages"][0]["content"] == "Be kind."
    example["messages"][-1]["content"] = 'Hello.\n{"intent": "mend", "order": null}'
    assert intent_of(example) == "mend"
