"""Writes raw/: the shop's catalogue, the tool for social media and the mailing program, each in its own form."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from generator.records import Record

CATALOGUE = ["sku", "live_since", "writer", "brief", "page_text", "views", "baskets", "sold_90_days", "state"]
MAILINGS = ["mailing", "sent_on", "author", "request", "content", "recipients", "opens", "clicks", "orders", "state"]


def write_raw(records: list[Record], folder: Path) -> list[dict[str, Any]]:
    """Writes the three files and returns the planted truth: id, channel, voice, defects, in the order of the files."""
    of = {channel: [r for r in records if r.facts.channel == channel] for channel in ("description", "post", "email")}
    catalogue = [_catalogue(record) for record in of["description"]]
    (folder / "catalogue.csv").write_bytes(b"\xef\xbb\xbf" + _table(CATALOGUE, catalogue, ",").encode("utf-8"))
    posts = "".join(json.dumps(_post(record), ensure_ascii=False) + "\n" for record in of["post"])
    (folder / "social_posts.jsonl").write_bytes(posts.encode("utf-8"))
    mailings = [_mailing(record) for record in of["email"]]
    (folder / "mailings.csv").write_bytes(_table(MAILINGS, mailings, ";").encode("cp1252", "replace"))
    listed = [record for channel in of.values() for record in channel]
    return [{"id": r.id, "channel": r.facts.channel, "voice": r.voice, "defects": r.defects} for r in listed]


def _table(columns: list[str], rows: list[list[Any]], delimiter: str) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    writer.writerows([columns, *rows])
    return out.getvalue()


def _numbers(record: Record, *keys: str) -> list[Any]:
    return [record.figures.get(key, "") for key in keys]


def _catalogue(record: Record) -> list[Any]:
    numbers = _numbers(record, "reach", "clicks", "sold")
    state = {"published": "live"}.get(record.status, record.status)
    return [record.id, record.facts.day.isoformat(), record.writer, record.brief, record.text, *numbers, state]


def _post(record: Record) -> dict[str, Any]:
    names = {"impressions": "reach", "likes": "opens", "clicks": "clicks", "sold": "sold"}
    numbers = {name: record.figures.get(key) for name, key in names.items()}
    return {
        "id": record.id,
        "published": record.facts.day.isoformat(),
        "writer": record.writer,
        "brief": record.brief,
        "text": record.text,
        "boosted": record.boosted,
        **numbers,
        "status": record.status,
    }


def _mailing(record: Record) -> list[Any]:
    day = f"{record.facts.day:%d/%m/%Y}"
    state = {"published": "sent"}.get(record.status, record.status)
    return [
        record.id,
        day,
        record.writer,
        record.brief,
        record.text,
        *_numbers(record, "reach", "opens", "clicks", "sold"),
        state,
    ]
