"""Small training files for the tests of check: a valid one, and ways to plant one fault in its third line."""

from __future__ import annotations

import copy
import json
import random
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

from helpers.check import Report, check_file

FRUITS = ["apple", "banana", "cherry", "damson", "elder", "fig", "grape", "hazel", "iris", "juniper", "kiwi", "lemon"]
OTHERS = ["mango", "nectarine", "olive", "peach", "quince", "raisin", "sloe", "tamarind", "ugli", "vanilla"]
Row = dict[str, Any]


def example(word: str, **more: Any) -> Row:
    """A valid example, unlike those of other words."""
    rng = random.Random(word)
    words = ["".join(rng.sample(string.ascii_lowercase, 6)) for _ in range(12)]
    messages = [
        {"role": "system", "content": "You are a grocer."},
        {"role": "user", "content": f"Tell me of the {word}: {' '.join(words[:6])}?"},
        {"role": "assistant", "content": f"The {word} is {' '.join(words[6:])}."},
    ]
    return {"messages": messages, **more}


def valid() -> list[Row]:
    return [example(word) for word in FRUITS]


def text(rows: list[Row]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def report_on(content: bytes, folder: Path, name: str = "train.jsonl", **options: Any) -> Report:
    path = folder / name
    path.write_bytes(content)
    return check_file(path, **options)


def codes(report: Report) -> set[str]:
    return {found.code for found in report.findings}


def in_line(change: Callable[[bytes], bytes]) -> Callable[[list[Row]], bytes]:
    """A file whose line 3 is changed as bytes."""

    def make(rows: list[Row]) -> bytes:
        lines = text(rows).splitlines(keepends=True)
        lines[2] = change(lines[2].rstrip(b"\n")) + b"\n"
        return b"".join(lines)

    return make


def in_row(change: Callable[[Row], Any]) -> Callable[[list[Row]], bytes]:
    """A file whose third row is changed, in place or to what `change` returns."""

    def make(rows: list[Row]) -> bytes:
        changed = change(rows[2])
        rows[2] = changed if isinstance(changed, dict) else rows[2]
        return text(rows)

    return make


def in_message(place: int, **changes: Any) -> Callable[[list[Row]], bytes]:
    return in_row(lambda row: row["messages"][place - 1].update(changes))


def saying(words: str, place: int = 3) -> Callable[[list[Row]], bytes]:
    """A file in whose third row a message says this beside its own words."""
    return in_row(
        lambda row: row["messages"][place - 1].update(content=f"{row['messages'][place - 1]['content']} {words}")
    )


def renamed(row: Row, old: str, new: str) -> None:
    message = row["messages"][1]
    message[new] = message.pop(old)


CALL = {"id": "c1", "type": "function", "function": {"name": "weigh", "arguments": '{"fruit": "fig"}'}}
TOOLS = [{"type": "function", "function": {"name": "weigh", "parameters": {"type": "object"}}}]
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}


def with_messages(*between: Row, tools: Any = TOOLS) -> Callable[[list[Row]], bytes]:
    """A file whose third row has messages between the question and the answer."""

    def change(row: Row) -> None:
        row["messages"][2:2] = copy.deepcopy(list(between))
        row.update({"tools": tools} if tools is not None else {})

    return in_row(change)
