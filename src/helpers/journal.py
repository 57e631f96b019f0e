"""A file to which lines are only ever added, each on the disk before the next is thought of: decisions, preferences."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from helpers.errors import Explained, cannot_write

Entry = TypeVar("Entry")


def add(path: Path, row: dict[str, Any]) -> None:
    """Add a row as a line of JSON; it is on the disk when this returns. Raises Explained where it cannot be written."""
    try:
        with path.open("ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
            torn = file.read(1) not in (b"\n", b"")  # a line that a crash cut short must not swallow this one
            line = json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace")
            file.write(b"\n" * torn + line + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise cannot_write(path, error) from error


def entries(path: Path, parse: Callable[[Any], Entry], what: str) -> list[Entry]:
    """Return the parsed rows, oldest first; none without a file. `what` names one in messages: "decision".

    Prints which lines are not whole (a crash can cut one short): those for which `parse` raises ValueError, TypeError
    or KeyError. They are passed over. Raises Explained for a file that cannot be read.
    """
    found: list[Entry] = []
    broken = []
    try:
        lines = path.read_bytes().split(b"\n") if path.exists() else []
    except OSError as error:
        raise Explained(f"{path} could not be read ({error.strerror or error}). Check its folder.") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(parse(json.loads(line)))
        except (ValueError, TypeError, KeyError):
            broken.append(number)
    if broken:
        print(f"{path}: passed over what is not a whole {what}, on line {', '.join(map(str, broken))}.")
    return found
