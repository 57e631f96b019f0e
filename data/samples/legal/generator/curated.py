"""Writes the curated files in chat format, and the facts behind every line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from generator.plan import Request
from generator.requests import in_style


def facts_row(name: str, line: int, request: Request) -> dict[str, object]:
    """What one line is about, for graders, slices and tests."""
    facts = request.facts
    return {
        "split": name,
        "line": line,
        "raw_id": request.raw_id or None,
        "matter_type": facts.matter.type,
        "kind": facts.kind,
        "ask": facts.ask,
        "number": facts.number,
        "code": facts.matter.code,
        "to": facts.to,
        "client": facts.client,
        "attorney": facts.matter.attorney,
        "subject": facts.subject,
        "from": in_style(facts.first_day),
        "through": in_style(facts.last_day),
        "details": list(facts.details),
        "bates": list(facts.bates) if facts.bates else None,
        "days": facts.days,
    }


def write_lines(path: Path, rows: Iterable[object]) -> None:
    """JSON Lines in UTF-8."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8", newline="\n")


def write_curated(splits: dict[str, list[Request]], folder: Path) -> None:
    """Every split, and the facts of all lines."""
    rows = []
    for name, requests in splits.items():
        write_lines(folder / f"{name}.jsonl", [{"messages": request.messages} for request in requests])
        rows += [facts_row(name, line, request) for line, request in enumerate(requests, start=1)]
    write_lines(folder / "facts.jsonl", rows)
