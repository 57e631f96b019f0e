"""Step 2: mend a training file line by line: its encoding, its blank and double lines, keys, roles, weights and texts.

A line in which nothing is to be mended comes out byte for byte as it was. Used by helpers.repair.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import json
import re
from collections.abc import Collection, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from ftfy.badness import is_bad

from helpers.checks.lines import Row, wide_encoding
from helpers.checks.messages import MESSAGE_KEYS, ROLES
from helpers.checks.rows import CHAT_KEYS, OUTPUTS, message_lists
from helpers.errors import Explained
from helpers.remnants import MENDS, mend_text

CODES = [*MENDS, "blank_line", "bom", "bad_weight", "duplicate", "not_utf8", "unknown_key", "unknown_role", "utf16"]
KEYS = {"supervised": CHAT_KEYS, "dpo": {"input", *OUTPUTS}, "reinforcement": {"messages"}}
WEIGHTS = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "true": 1, "false": 0}
WHITE = " \t\r\n\x0b\x0c"  # a line of nothing else is blank, as check has it


class Change(NamedTuple):
    """One thing that was done: where (in the old file), for which of check's codes, and the text before and after."""

    line: int | None
    message: int | None
    key: str | None
    code: str
    before: str
    after: str | None  # None: the line was dropped


class Mender:
    """Goes through a file line by line and notes what it does."""

    def __init__(self, method: str, leave: Collection[str]) -> None:
        self.method = method
        self.leave = leave
        self.lines: list[tuple[int, int | None, str, int | None]] = []
        self.changes: list[Change] = []
        self.seen: dict[bytes, int] = {}
        self.written = 0

    def mend(self, path: Path) -> Iterator[bytes]:
        """Yield the lines of the new file."""
        for number, line in enumerate(self._read(path), start=1):
            body = line.rstrip(b"\r\n")
            text, done = self._decoded(body, number)
            if not (body.strip() if text is None else text.strip(WHITE)) and "blank_line" not in self.leave:
                self._drop(number, "blank_line", "")
                continue
            row = readable(text) if text is not None else None
            if row is not None and text is not None:
                made = list(self._mend_row(row, number))
                text = written(row, text) if made else text
                done += made
                first = self.seen.setdefault(_digest(row), number)
                if first != number and "duplicate" not in self.leave:
                    self._drop(number, "duplicate", text, first)
                    continue
            self.written += 1
            self.changes += done
            self.lines.append((number, self.written, "mended" if done else "kept", None))
            yield text.encode() + line[len(body) :] if done and text is not None else line

    def _drop(self, number: int, code: str, text: str, first: int | None = None) -> None:
        self.changes.append(Change(number, None, None, code, text, None))
        self.lines.append((number, None, code.removesuffix("_line"), first))

    def _read(self, path: Path) -> Iterator[bytes]:
        """The file's lines with their ends; those of a UTF-16 or UTF-32 file as UTF-8."""
        try:
            with path.open("rb") as file:
                encoding = wide_encoding(file.read(4))
                file.seek(0)
                if encoding is None or "utf16" in self.leave:
                    yield from file
                    return
                text = file.read().decode(encoding).removeprefix("\ufeff")
        except OSError as error:
            raise Explained(f"{path} cannot be read ({error.strerror or error}). Check its path.") from error
        except UnicodeDecodeError as error:
            what = f"{error.encoding.upper()} (byte {error.start})"
            raise Explained(f"{path} is broken {what}. Save it again as UTF-8.") from error
        self.changes.append(Change(None, None, None, "utf16", encoding, "utf-8"))
        yield from io.BytesIO(text.encode("utf-8", "surrogatepass"))

    def _decoded(self, body: bytes, number: int) -> tuple[str | None, list[Change]]:
        """A line as text, or None where its encoding is not known for sure, and what was done."""
        plain, done = body, []
        while "bom" not in self.leave and plain.startswith(codecs.BOM_UTF8):
            plain = plain.removeprefix(codecs.BOM_UTF8)
        try:
            text = plain.decode("utf-8")
        except UnicodeDecodeError:
            found = western(plain) if "not_utf8" not in self.leave else None
            if found is None:
                return None, []
            text = found
            done.append(Change(number, None, None, "not_utf8", plain.decode("ascii", "backslashreplace"), text))
        if plain != body:
            done.append(Change(number, None, None, "bom", f"\ufeff{text}", text))
        return text, done

    def _mend_row(self, row: Row, line: int) -> Iterator[Change]:
        """Mend a row in place; yield what was done."""
        given = row.get("input") if self.method == "dpo" else None
        yield from self._mend_keys(row, KEYS[self.method], line)
        if isinstance(given, dict):
            yield from self._mend_keys(given, CHAT_KEYS, line)
        for within, messages in message_lists(row):
            for place, message in enumerate(messages, start=1):
                if isinstance(message, dict):
                    for change in self._mend_message(message, line):
                        yield change._replace(message=place, key=f"{within}{change.key}")

    def _mend_keys(self, holder: Row, known: Collection[str], line: int) -> Iterator[Change]:
        """Write known keys as the service does; their order stays."""
        items = list(holder.items())
        holder.clear()
        names = {key for key, _ in items}
        for key, value in items:
            meant = key.strip().lower()
            if key not in known and meant in known and meant not in names and "unknown_key" not in self.leave:
                names.add(meant)
                yield Change(line, None, key, "unknown_key", key, meant)
                key = meant
            holder[key] = value

    def _mend_message(self, message: Row, line: int) -> Iterator[Change]:
        yield from self._mend_keys(message, MESSAGE_KEYS["assistant"] | MESSAGE_KEYS["tool"], line)
        role = message.get("role")
        if isinstance(role, str) and role not in ROLES and "unknown_role" not in self.leave:
            meant = role.strip().lower()
            if meant in ROLES:
                message["role"] = meant
                yield Change(line, None, "role", "unknown_role", role, meant)
        weight = message.get("weight")
        number = WEIGHTS.get(str(weight).strip().lower()) if type(weight) is not int else None
        if number is not None and message.get("role") == "assistant" and "bad_weight" not in self.leave:
            message["weight"] = number
            yield Change(line, None, "weight", "bad_weight", json.dumps(weight), str(number))
        content = message.get("content")
        if isinstance(content, str):
            message["content"], done = mend_text(content, self.leave)
            yield from (Change(line, None, "content", *step) for step in done)
        for place, part in enumerate(content if isinstance(content, list) else []):
            if isinstance(part, dict) and isinstance(part.get("text"), str):
                part["text"], done = mend_text(part["text"], self.leave)
                yield from (Change(line, None, f"content[{place}]", *step) for step in done)


def western(body: bytes) -> str | None:
    """Return bytes as cp1252, of which latin-1 is a part; None where they look like another encoding.

    Western words have few accents beside one another, those in Cyrillic, Greek or Japanese nothing but such bytes.
    """
    if re.search(rb"[\x80-\xff]{4}", body):
        return None
    try:
        text = body.decode("cp1252")
    except UnicodeDecodeError:
        return None
    return None if is_bad(text) else text


def readable(text: str) -> Row | None:
    """Return the row on a line; None for no row, and for one that could not be written again without a loss.

    Lost would be a key that stands twice, NaN, and numbers longer than a computer's.
    """
    exactly: Any = {"object_pairs_hook": list, "parse_float": Decimal, "parse_constant": lambda word: object()}
    try:
        row = json.loads(text)
        same = json.loads(json.dumps(row), **exactly) == json.loads(text, **exactly)
    except (ValueError, ArithmeticError, RecursionError):
        return None
    return row if same and isinstance(row, dict) else None


def written(row: Row, text: str) -> str:
    """Return a row as JSON, in ASCII where the line was; half a character is written \\ud83d."""
    return json.dumps(row, ensure_ascii=text.isascii()).encode("utf-8", "backslashreplace").decode()


def _digest(row: Row) -> bytes:
    return hashlib.blake2b(json.dumps(row, sort_keys=True).encode(), digest_size=16).digest()
