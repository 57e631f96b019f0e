"""Step 1: read what a business exported into one table, with the place of each row and a list of what is unread.

    rows, unread = load("exports/tickets.xlsx", {"prompt": "message", "completion": "agent_reply"})

helpers.readers and helpers.documents read the files; helpers.convert makes chat examples of the rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from helpers.documents import read_docx, read_mails
from helpers.errors import Explained
from helpers.readers import Table, read_csv, read_excel, read_json, unique

PLACE = ["file", "row"]
READERS: dict[str, Callable[[Path, str, str | None], list[Table]]] = {
    ".csv": read_csv,
    ".tsv": read_csv,
    ".xlsx": read_excel,
    ".json": read_json,
    ".jsonl": read_json,
    ".docx": read_docx,
}
ADVICE = {
    ".xls": "Save it as .xlsx in Excel.",
    ".doc": "Save it as .docx in Word.",
    ".msg": "Save it as .eml in the mail program.",
}


class Loaded(NamedTuple):
    """`rows` are what was asked for; `unread` lists what could not be read: file, row, why, and the text there."""

    rows: pd.DataFrame
    unread: pd.DataFrame


def load(path: Path | str, columns: Mapping[str, str] | None = None, encoding: str | None = None) -> Loaded:
    """Return the rows of a file, or of all files in a folder and below, and the list of what could not be read.

    Reads CSV, Excel (.xlsx), JSON, JSON Lines, mails (.eml) and Word (.docx). `columns` maps what we call a column to
    what the export calls it, {"message": "Body"}; without it all columns come, under their own names. Then follow
    `file` and `row`. Rows count from 1 after the header; in JSON Lines they are lines, in Word paragraphs and rows of
    tables. `encoding` is for texts that are neither UTF-8 nor cp1252.

    Values are as they came, those of a CSV texts, so that 00123 keeps its zeros. Of a workbook all sheets that have the
    columns are read. See helpers.documents for the columns of mails and of Word. Hidden files are passed over.

    Raises Explained for a file that cannot be read, a column that is missing, and a path that leads nowhere. A broken
    row is in `unread`; so is a broken file among others, and a row with nothing under the columns. Prints how many.
    """
    path = Path(path)
    found = [table for tables in _tables(path, encoding) for table in with_columns(path, tables, columns)]
    names = list(columns or dict.fromkeys(name for table in found for name in table.columns))
    data, unread = [], [entry for table in found for entry in table.unread]
    for file, row, values in (entry for table in found for entry in table.rows):
        wanted = [values.get(columns[name] if columns else name) for name in names]
        if columns and all(value is None for value in wanted):
            why = f"There is nothing under the columns asked for; it has {_listed(values) or 'none'}."
            unread.append((file, row, why, json.dumps(values, default=str)))
        else:
            data.append([*wanted, file, row])
    if unread:
        print(f"{path.name}: {len(data):,} rows were read, {len(unread):,} could not be: see `unread`.")
    # The type is object because others make 4.0 of a whole number beside a gap, and refuse half a surrogate pair.
    rows = pd.DataFrame(data, columns=[*unique([*PLACE, *names])[2:], *PLACE], dtype=object).astype({"row": int})
    listed = pd.DataFrame(unread, columns=[*PLACE, "why", "text"], dtype=object)
    return Loaded(rows, listed.astype({"row": "Int64"}))


def _tables(path: Path, encoding: str | None) -> Iterator[list[Table]]:
    """What stands in each file; mails are one table together."""
    if not path.exists():
        raise Explained(f"{path} is not there. Check its name and folder.")
    files = [path]
    if path.is_dir():  # names with a dot and a tilde in front are hidden files and Office's locks
        files = [file for file in sorted(path.rglob("*")) if file.is_file() and not file.name.startswith((".", "~$"))]
    if not files:
        raise Explained(f"The folder {path} holds no files. Check the path of the exports.")
    named = [(file, file.relative_to(path).as_posix() if path.is_dir() else path.name) for file in files]
    mails = [(file, name) for file, name in named if file.suffix.lower() == ".eml"]
    for file, name in named:
        try:
            if (file, name) not in mails:
                yield _read(file, name, encoding)
        except Explained as error:
            if path.is_file():
                raise
            yield [Table(name, unread=[(name, None, str(error), "")])]
    if mails:
        yield read_mails(mails)


def _read(file: Path, name: str, encoding: str | None) -> list[Table]:
    kind = file.suffix.lower()
    if kind not in READERS:
        kinds = ", ".join([*READERS, ".eml"])
        raise Explained(
            f"{file} is of no kind that is read ({kinds}). {ADVICE.get(kind, 'Convert it to one of these.')}"
        )
    return READERS[kind](file, name, encoding)


def with_columns(path: Path, tables: list[Table], columns: Mapping[str, str] | None) -> list[Table]:
    """Return the tables of one file; a sheet that lacks a column is unread. Raises Explained where all lack one."""
    checked, whys = [], []
    for table in tables:
        missing = [name for name in (columns or {}).values() if name not in table.columns]
        if missing and (table.columns or not table.unread):  # a table with no readable row has been listed as such
            where = path if table.name == path.name else f"{path}, {table.name},"
            has = f"its columns are {_listed(table.columns)}" if table.columns else "it is empty"
            whys.append(f"{where} has no column {_listed(missing)}; {has}.")
            table = Table(table.name, unread=[*table.unread, (table.name, None, whys[-1], "")])
        checked.append(table)
    if whys and len(whys) == len(tables):
        raise Explained(
            f"{' '.join(whys)} Say which column holds what, for example {{'message': 'body'}}. The first row must hold "
            "the columns' names. Or export the data again with all columns."
        )
    return checked


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
