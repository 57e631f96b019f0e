"""One line of a training file: its bytes and its JSON."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

from helpers.checks.findings import Finding, finding

BOM = "\ufeff"
HALVES = re.compile("[\ud800-\udfff]")
HALF = "A text holds half of a surrogate pair."
WIDE = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff", b"{\0", b"\0{", b"\0\0\0{")  # marks, or a first brace without one
MESSAGES = {"messages", "preferred_output", "non_preferred_output"}
Row = dict[str, Any]


def wide_encoding(begin: bytes) -> str | None:
    """Return "utf-16…" or "utf-32…" for a file that begins so, known by its mark or its first brace, or None."""
    encoding = json.detect_encoding(begin[:4])
    return encoding if begin.startswith(WIDE) and not encoding.startswith("utf-8") else None


def parse_line(line: bytes, number: int) -> tuple[Row | None, list[Finding]]:
    """Return the row on this line, or None, and what is wrong with its bytes and its JSON. Never raises."""
    if not line.strip():
        return None, [finding("blank_line", number, "The line is blank.")]
    is_last, line = not line.endswith(b"\n"), line.rstrip(b"\r\n")
    found: list[Finding] = []
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        what = f"Byte 0x{line[error.start]:02x} at position {error.start} is not UTF-8."
        found.append(finding("not_utf8", number, what))
        text = line.decode("cp1252", "replace")
    if text.startswith(BOM):
        found.append(finding("bom", number, "The line begins with a byte order mark."))
        text = text.lstrip(BOM)
    text = text.strip(" \t\r\n")  # what JSON takes for white space, and no more
    repeated: list[str] = []
    strange: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> Row:
        made = dict(items)
        if len(made) < len(items):
            repeated.extend(key for key, count in Counter(key for key, _ in items).items() if count > 1)
        return made

    try:
        row = json.loads(text, object_pairs_hook=pairs, parse_constant=strange.append)
        found += [finding("half_character", number, HALF, message=n, key=key) for n, key in _halves(row)]
    except (ValueError, RecursionError) as error:
        return None, [*found, _broken(text, number, is_last, error)]
    found += [finding("duplicate_key", number, f"The key {key!r} stands twice.", key=key) for key in repeated]
    found += [finding("not_json_value", number, f"The line holds {word}.") for word in strange[:1]]
    if isinstance(row, list):
        return None, [*found, finding("json_array", number, "The line is a JSON list.")]
    if not isinstance(row, dict):
        return None, [*found, finding("not_an_object", number, f"The line is {kind(row)}.")]
    return row, found


def _halves(value: Any, message: int | None = None, key: str | None = None) -> Iterator[tuple[int | None, str | None]]:
    """Where the halves of characters stand: message and key."""
    if isinstance(value, str) and HALVES.search(value):
        yield message, key
    elif isinstance(value, list):
        for place, part in enumerate(value, start=1):
            yield from _halves(part, place if key in MESSAGES else message, key)
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _halves(name, message, key)
            yield from _halves(part, message, name)


def _broken(text: str, number: int, is_last: bool, error: Exception) -> Finding:
    start = f"The line begins with {text[:30]!r}"
    if not text.startswith("{"):
        if text.startswith("["):
            return finding("json_array", number, f"{start}, as a JSON list does.")
        return finding("not_an_object", number, f"{start}.")
    if isinstance(error, RecursionError):
        return finding("invalid_json", number, "Lists or objects are nested too deep to be read.")
    what, ended = f"{error}.", False
    if isinstance(error, json.JSONDecodeError):
        what, ended = f"{error.msg} (column {error.colno}).", error.pos >= len(text)
    if ended or "Unterminated string" in what:
        if is_last:
            return finding("truncated", number, f"The file ends in the middle of an object: {what}")
        what = f"The line ends in the middle of an object, as when it is pretty-printed: {what}"
    elif re.search(r",\s*\}\s*$", text):
        what = "A comma stands before the last bracket, where JSON has none."
    elif _is_python(text):
        what = "This is Python's way to print a dict (single quotes, True, None), not JSON."
    elif "“" in text[:20] or "”" in text[:40]:
        what = "Curly quotation marks stand where JSON needs straight ones."
    elif "Extra data" in what:
        what = "Something follows the object; there may be several on the line."
    elif "delimiter" in what or "property name" in what:
        what = f"{what} A comma or quotation mark is missing or too many."
    return finding("invalid_json", number, what)


def _is_python(text: str) -> bool:
    try:
        with warnings.catch_warnings(action="ignore"):  # Python has a word to say about odd escapes
            return len(text) < 200_000 and isinstance(ast.literal_eval(text), dict)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False


def kind(value: Any) -> str:
    """Return what a JSON value is, in words."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return "an empty list" if value == [] else names.get(type(value), "a number")
