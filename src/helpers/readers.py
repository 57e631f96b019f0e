"""Step 1: what stands in a CSV, Excel or JSON file, row by row; see helpers.load. helpers.documents reads the others.

A broken row is kept apart, with its text and the reason; a broken file raises Explained.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.errors import Explained

csv.field_size_limit(2**31 - 1)  # the usual limit, 131,072 characters, is shorter than some e-mail threads


@dataclass
class Table:
    """What a file, a sheet or a folder of mails holds: rows of (file, row, values); unread: (file, row, why, text)."""

    name: str
    columns: list[str] = field(default_factory=list)
    rows: list[tuple[str, int, dict[str, Any]]] = field(default_factory=list)
    unread: list[tuple[str, int | None, str, str]] = field(default_factory=list)

    def add(self, row: int, values: dict[str, Any], file: str = "") -> None:
        """Take in a row, whose columns may be others than those before it."""
        self.rows.append((file or self.name, row, values))
        self.columns += [name for name in values if name not in self.columns]


def decoded(path: Path, encoding: str | None = None) -> str:
    """Return a file's text, read as UTF-8 (with or without a byte order mark) or, failing that, as cp1252.

    Few texts in cp1252 happen to be valid UTF-8, so the order decides rightly; cp1252 is what older Windows programs
    write. UTF-16 is known by its mark. With `encoding`, that one alone is tried. Raises Explained when the file is
    missing or none fits.
    """
    try:
        return decode(path.read_bytes(), path, encoding)
    except OSError as error:
        raise Explained(
            f"{path} cannot be read: {error.strerror}. Check the path and that the file is closed."
        ) from error


def decode(content: bytes, path: Path, encoding: str | None = None) -> str:
    """Return the content of `path` as text; see decoded."""
    tried = [encoding] if encoding else ["utf-8-sig", "cp1252"]
    if not encoding and content.startswith((b"\xff\xfe", b"\xfe\xff")):
        tried = ["utf-16"]
    elif not encoding and content[:1000].count(0) * 10 > len(content[:1000]):
        tried = []  # cp1252 would take a picture for a text
    for name in tried:
        try:
            return content.decode(name)
        except UnicodeDecodeError:
            continue
        except LookupError as error:
            raise Explained(f"There is no encoding {name!r}. Python's names are 'cp1250', 'mac_roman', …") from error
    if encoding:
        raise Explained(f"{path} is not {encoding} text. Name another encoding, or none to have it recognised.")
    raise Explained(
        f"{path} is neither UTF-8 nor cp1252 text. Save it as UTF-8 in the program that wrote it, or name its encoding."
    )


def unique(names: Iterable[Any]) -> list[str]:
    """Return column names of which none is empty or there twice: they become "column 3" or "Name (2)"."""
    found: dict[str, None] = {}
    for place, given in enumerate(names, start=1):
        name = str(given).strip() or f"column {place}"
        tries = itertools.chain([name], (f"{name} ({number})" for number in itertools.count(2)))
        found[next(name for name in tries if name not in found)] = None
    return list(found)


def read_csv(file: Path, name: str, encoding: str | None = None) -> list[Table]:
    """Return one table. The first line tells what parts the values: comma, semicolon (Excel in Europe), tab or bar.

    A line "sep=;" before it, with which programs tell Excel the same, is no header.
    """
    lines = list(io.StringIO(decoded(file, encoding), newline=""))
    if lines and re.fullmatch(r'"?sep=[,;\t|]"?\s*', lines[0]):
        del lines[0]
    delimiter = max(",;\t|", key=lambda mark: len(next(csv.reader(lines, delimiter=mark), [])))
    return [_table(name, _csv_records(lines, delimiter))]


def _csv_records(lines: list[str], delimiter: str) -> Iterator[tuple[list[str] | str, str]]:
    """Values and their raw text, or what is wrong with a line: reading then goes on with the line after it."""
    start = 0
    while start < len(lines):
        begin, rest = start, itertools.islice(lines, start, None)
        reader = csv.reader(rest, delimiter=delimiter, strict=True)
        try:
            for values in reader:
                end = begin + reader.line_num
                yield values, "".join(lines[start:end])
                start = end
        except csv.Error as error:
            yield f"Line {start + 1} of the file is broken: {error}. Mend its quotation marks.", lines[start]
            start += 1


def _table(name: str, records: Iterable[tuple[Sequence[Any] | str, str]]) -> Table:
    """The table whose first record is its header. A record without any value is passed over."""
    table, number = Table(name), 0
    for given, text in records:
        values = [] if isinstance(given, str) else list(given)
        while len(values) > len(table.columns) and values[-1] == "":  # commas at the end of a line
            values.pop()
        if not isinstance(given, str) and not any(value != "" for value in values):
            continue
        if not table.columns and values:
            table.columns = unique(values)
            continue
        number += 1
        if len(values) == len(table.columns) and values:
            table.rows.append((name, number, dict(zip(table.columns, values, strict=True))))
            continue
        why = (
            f"It has {len(values)} values and the header {len(table.columns)}. Quote texts with commas or line breaks."
        )
        table.unread.append((name, number, given if isinstance(given, str) else why, text))
    return table


def read_excel(file: Path, name: str, encoding: str | None = None) -> list[Table]:
    """Return a table for each sheet. Formulas give the value last calculated."""
    try:
        sheets = pd.read_excel(file, sheet_name=None, header=None, dtype=object, na_filter=False, engine="openpyxl")
    except Exception as error:  # a damaged file raises whatever the library comes upon
        raise Explained(
            f"{file} cannot be read as an Excel workbook ({error}). Open it in Excel and save it again as .xlsx, "
            "without a password."
        ) from error
    return [
        _table(
            f"{name}, sheet {sheet}" if len(sheets) > 1 else name, ((row, str(row)) for row in frame.values.tolist())
        )
        for sheet, frame in sheets.items()
    ]


def read_json(file: Path, name: str, encoding: str | None = None) -> list[Table]:
    """Return one table of JSON Lines, a list of objects, or an object with one such list: {"rows": […], "count": 2}."""
    text, table = decoded(file, encoding), Table(name)
    whole = _parsed(text)
    if isinstance(whole, Exception):
        lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
        if file.suffix.lower() == ".json" and not (lines and isinstance(_parsed(lines[0][1]), dict)):
            raise Explained(f"{file} is not JSON: {whole}. Export it again, or mend that place.") from whole
        items = [(number, _parsed(line), line) for number, line in lines]
    else:
        if isinstance(whole, dict):
            lists = [key for key, value in whole.items() if isinstance(value, list) and any(map(_is_object, value))]
            whole = whole[lists[0]] if len(lists) == 1 and lists[0] not in ("messages", "conversations") else [whole]
        whole = whole if isinstance(whole, list) else [whole]
        items = [(number, item, json.dumps(item)) for number, item in enumerate(whole, start=1)]
    for number, item, text in items:
        if isinstance(item, dict):
            table.add(number, item)
        else:
            what = f"not JSON: {item}" if isinstance(item, Exception) else f"a {type(item).__name__}, not an object"
            table.unread.append((name, number, f"It is {what}.", text))
    return [table]


def _parsed(text: str) -> Any:
    """What JSON says, or the error: bad JSON, a key that stands twice, or lists nested too deep."""
    try:
        return json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        return error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):  # json would keep the last one and drop the others
        raise ValueError(f"a key stands twice among {', '.join(key for key, _ in pairs)}")
    return found


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)
