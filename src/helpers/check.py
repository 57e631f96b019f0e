"""Step 2: what is wrong with a training file, all of it in one pass: where, what, why, and the fix.

    report = check_file("train.jsonl", against="validation.jsonl")
    report.frame()

On the command line: python -m helpers check train.jsonl --against validation.jsonl. The file is read line by line; one
bad line never stops the rest from being checked. Shown in notebook 02.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd

from helpers import tokens
from helpers.checks.files import LEAST, Collection
from helpers.checks.findings import Finding, finding
from helpers.checks.rows import Row, check_row, parse_line
from helpers.checks.texts import check_texts

MOST_BYTES = 512 * 1024 * 1024  # OpenAI's limit for one uploaded file (API reference, files)
SHOWN = 5  # places named a kind of finding on the command line
TROUBLES = (b"\xff\xfe", b"\xfe\xff")  # byte order marks of UTF-16


@dataclass
class Report:
    """What check found: `findings` in order of their lines, those of the whole file first."""

    path: str
    examples: int = 0  # lines that hold something
    findings: list[Finding] = field(default_factory=list)

    @property
    def errors(self) -> list[Finding]:
        """The findings that would make a service refuse or ignore something."""
        return [found for found in self.findings if found.severity == "error"]

    @property
    def warnings(self) -> list[Finding]:
        """The findings that would harm the model."""
        return [found for found in self.findings if found.severity == "warning"]

    @property
    def ok(self) -> bool:
        """Whether there is no error; warnings may remain."""
        return not self.errors

    def frame(self) -> pd.DataFrame:
        """Return the findings as a table, one row each."""
        table = pd.DataFrame(self.findings, columns=list(Finding._fields))
        return table.astype({"line": "Int64", "message": "Int64"})

    def to_json(self) -> str:
        """Return the report as JSON: path, examples, ok, findings."""
        rows = [found._asdict() for found in self.findings]
        return json.dumps({**asdict(self), "ok": self.ok, "findings": rows}, ensure_ascii=False, indent=1)

    def __str__(self) -> str:
        head = (
            f"{self.path}: {self.examples} examples, {_many(self.errors, 'error')}, {_many(self.warnings, 'warning')}"
        )
        ordered = sorted(self.findings, key=lambda f: (f.severity, f.code, f.fix, f.line or 0))
        blocks = [head]
        for (severity, code, fix), group in groupby(ordered, key=lambda f: (f.severity, f.code, f.fix)):
            same = list(group)
            places = "; ".join(_place(found) for found in same[:SHOWN])
            more = f" and {len(same) - SHOWN} more" if len(same) > SHOWN else ""
            blocks.append(f"\n{severity} {code}: {places}{more}\n  {same[0].why}\n  Fix: {fix}")
        return "\n".join(blocks)


def check_file(path: Path | str, against: Path | str | None = None, model: str = tokens.DEFAULT_MODEL) -> Report:
    """Return the report on a training file for chat models. Never raises for a bad file, nor for a missing one.

    `against` is another file, validation for example, in which none of these examples should be. `model` decides how
    long an example may be.
    """
    path = Path(path)
    report = Report(str(path))
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            report.findings.append(finding("too_large", None, f"The file has {size / 1024 / 1024:,.0f} MB."))
        if path.suffix.lower() != ".jsonl":
            report.findings.append(finding("extension", None, f"The file is called {path.name}."))
        _check(report, _lines(path), against, model)
    except OSError as error:
        report.findings.append(finding("unreadable", None, f"{path} cannot be read: {error.strerror or error}."))
    return _sorted(report)


def check_examples(
    examples: Iterable[Any], against: Path | str | None = None, model: str = tokens.DEFAULT_MODEL
) -> Report:
    """Return the report on examples in memory; a finding's line is their place, from 1. Never raises for a bad one."""
    report = Report("examples")

    def lines() -> Iterator[tuple[bytes, bool]]:
        for example in examples:
            try:
                yield json.dumps(example).encode(), False
            except (TypeError, ValueError, RecursionError):
                yield repr(type(example)).encode(), False  # no JSON, which is found there

    _check(report, lines(), against, model)
    return _sorted(report)


def _lines(path: Path) -> Iterator[tuple[bytes, bool]]:
    """Every line without its end, and whether it is a last one that has none."""
    with path.open("rb") as file:
        for line in file:
            yield line.rstrip(b"\r\n"), not line.endswith(b"\n")


def _check(report: Report, lines: Iterable[tuple[bytes, bool]], against: Path | str | None, model: str) -> None:
    limit = _limit(report, model)
    others = _others(report, against)
    name = Path(against).name if against is not None else ""
    seen, found = Collection(), report.findings
    for number, (line, unended) in enumerate(lines, start=1):
        if number == 1 and line.startswith(TROUBLES):
            found.append(finding("utf16", None, "The file is UTF-16; its lines were not checked."))
            return
        if not line.strip():
            found.append(finding("blank_line", number, "The line is blank."))
            continue
        report.examples += 1
        row, wrong = parse_line(line, number, unended)
        found += wrong
        if row is None:
            continue
        try:
            found += _check_example(row, number, seen, others, name)
        except RecursionError:  # read in C, but too deep for Python
            found.append(finding("invalid_json", number, "Lists or objects are nested too deep to be read."))
            continue
        if limit is not None and len(line) > limit:  # a token is a byte or more, so shorter lines cannot be too long
            count = _count(row.get("messages"))
            if count > limit:
                found.append(finding("too_long", number, f"The example has {count:,} tokens; {model} takes {limit:,}."))
    if not report.examples:
        found.append(finding("empty_file", None, "The file holds no examples."))
    elif report.examples < LEAST:
        found.append(finding("too_few", None, f"There are {report.examples} examples."))
    found += seen.finish()


def _check_example(row: Row, number: int, seen: Collection, others: Collection | None, name: str) -> list[Finding]:
    found = list(check_row(row, number))
    messages = row.get("messages")
    if isinstance(messages, list) and messages:
        found += check_texts(messages, number)
        found += seen.add(messages, number)
        found += others.leak(messages, number, name) if others is not None else []
    return found


def _limit(report: Report, model: str) -> int | None:
    """How many tokens an example may have; None where that is not known."""
    models = tokens.price_table()["models"]
    if model in models:
        if models[model]["training"] is None:
            report.findings.append(finding("no_fine_tuning", None, f"{model} cannot be fine-tuned."))
        return models[model]["max_example_tokens"]
    snapshots = [name for name in models if name.startswith(f"{model}-20")]
    if snapshots:
        what = f"{model} is an alias, not a snapshot."
        report.findings.append(finding("no_fine_tuning", None, what, fix=f"Name one of {', '.join(snapshots)}."))
    else:
        report.findings.append(finding("unknown_model", None, f"{model} is not in the price table."))
    return None


def _others(report: Report, against: Path | str | None) -> Collection | None:
    """The examples of the other file; what is wrong with them is for a check of that file."""
    if against is None:
        return None
    others = Collection()
    try:
        for number, (line, unended) in enumerate(_lines(Path(against)), start=1):
            row = parse_line(line, number, unended)[0] if line.strip() else None
            if row is not None and isinstance(row.get("messages"), list):
                for _ in others.add(row["messages"], number):
                    pass
    except OSError as error:
        what = f"{against} cannot be read: {error.strerror or error}."
        report.findings.append(finding("against_unreadable", None, what))
        return None
    return others


def _count(messages: Any) -> int:
    try:
        return tokens.count_example(messages)
    except (AttributeError, TypeError, ValueError):  # the row's form is wrong, which has its own finding
        return tokens.count_text(json.dumps(messages))


def _sorted(report: Report) -> Report:
    report.findings.sort(key=lambda found: (found.line or 0, found.message or 0))
    return report


def _many(findings: list[Finding], what: str) -> str:
    return f"{len(findings)} {what}" + ("" if len(findings) == 1 else "s")


def _place(found: Finding) -> str:
    places = [f"line {found.line}" if found.line else "the file", f"message {found.message}" if found.message else ""]
    return ", ".join(filter(None, places)) + (f" ({found.key})" if found.key else "")


def main(argv: list[str] | None = None) -> int:
    """python -m helpers check FILE: print the report; return 1 where there is an error, else 0."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers check", description="Says what is wrong with a training file."
    )
    parser.add_argument("file", help="a .jsonl file of chat examples")
    parser.add_argument("--against", metavar="OTHER", help="a file that must not hold the same examples")
    parser.add_argument(
        "--model", default=tokens.DEFAULT_MODEL, help="decides how long an example may be (%(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    given = parser.parse_args(argv)
    report = check_file(given.file, against=given.against, model=given.model)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a console that lacks a letter shows its number
    print(report.to_json() if given.json else report)
    return 0 if report.ok else 1
