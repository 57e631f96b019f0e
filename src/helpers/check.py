"""Step 2: what is wrong with a training file, all of it in one pass: where, what, why, and the fix.

    report = check_file("train.jsonl", against="validation.jsonl")
    report.frame()

On the command line: python -m helpers check train.jsonl --against validation.jsonl. The file is read line by line; one
bad line never stops the rest from being checked. What is kept of a line is a few numbers; only the index of
near-duplicates keeps texts, within a budget (helpers.checks.near). Shown in notebook 02.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from helpers import tokens
from helpers.checks.examples import example_of
from helpers.checks.files import LEAST, Collection
from helpers.checks.findings import Finding, finding
from helpers.checks.lines import Row, parse_line, wide_encoding
from helpers.checks.report import Report
from helpers.checks.rows import METHODS, message_lists, read_row
from helpers.checks.texts import check_texts
from helpers.errors import Explained

MOST_BYTES = 512 * 1024 * 1024  # OpenAI's limit for one uploaded file (API reference, files)
AT_ONCE = 256 * 1024  # bytes read from a file at a time
REINFORCED = "o4-mini-2025-04-16, the one model that could, was shut down on 2026-10-23"  # OpenAI's deprecations page


def check_file(
    path: Path | str, against: Path | str | None = None, model: str | None = None, method: str = "supervised"
) -> Report:
    """Return the report on a training file for chat models. Never raises for a bad file, nor for a missing one.

    `against` is another file, validation for example, in which none of these examples should be. `model` decides how
    long an example may be (default: gpt-4o-2024-08-06, and for reinforcement none). `method` is supervised, dpo or
    reinforcement; Explained is raised for another.
    """
    path = Path(path)
    report = Report(str(path))
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            report.findings.append(finding("too_large", None, f"The file has {size / 1024 / 1024:,.0f} MB."))
        if path.suffix.lower() != ".jsonl":
            report.findings.append(finding("extension", None, f"The file is called {path.name}."))
        with path.open("rb", buffering=AT_ONCE) as file:
            _check(report, file, against, model, method)
    except OSError as error:
        report.findings.append(finding("unreadable", None, f"{path} cannot be read: {error.strerror or error}."))
    return report.sort()


def check_examples(
    examples: Iterable[Any],
    against: Path | str | None = None,
    model: str | None = None,
    method: str = "supervised",
) -> Report:
    """Return the report on examples in memory; a finding's line is their place, from 1. Otherwise like check_file."""
    report = Report("examples")

    def lines() -> Iterator[bytes]:
        for example in examples:
            try:
                yield json.dumps(example).encode() + b"\n"
            except (TypeError, ValueError, RecursionError):
                yield repr(type(example)).encode() + b"\n"  # no JSON, which is found there

    _check(report, lines(), against, model, method)
    return report.sort()


def _check(
    report: Report,
    lines: Iterable[bytes],
    against: Path | str | None,
    model: str | None,
    method: str,
) -> None:
    if method not in METHODS:
        raise Explained(f"method={method!r} is not a way to fine-tune. Use {', '.join(METHODS)}.")
    limit = _limit(report, model, method)
    others = _others(report, against)
    name = Path(against).name if against is not None else ""
    seen, found = Collection(), report.findings
    for number, line in enumerate(lines, start=1):
        if number == 1 and (encoding := wide_encoding(line)) is not None:
            found.append(finding("utf16", None, f"The file is {encoding.upper()}; its lines were not checked."))
            return
        row, wrong = read_row(line, number, method)
        found += wrong
        if row is None:
            report.examples += bool(line.strip())
            continue
        report.examples += 1
        found += _check_example(row, number, seen, others, name)
        if limit is not None and len(line) > limit:  # a token is a byte or more, so shorter lines cannot be too long
            count = _count(row)
            if count > limit:
                found.append(finding("too_long", number, f"The example has {count:,} tokens; its limit is {limit:,}."))
    if not report.examples:
        found.append(finding("empty_file", None, "The file holds no examples."))
    elif report.examples < LEAST:
        many = "is 1 example" if report.examples == 1 else f"are {report.examples} examples"
        found.append(finding("too_few", None, f"There {many}."))
    found += seen.finish(method)


def _check_example(row: Row, number: int, seen: Collection, others: Collection | None, name: str) -> Iterator[Finding]:
    for within, messages in message_lists(row):
        yield from check_texts(messages, number, within)
    example = example_of(row)
    if example is not None:
        yield from seen.add(example, number)
        if others is not None:
            yield from others.leak(example, number, name)


def _limit(report: Report, model: str | None, method: str) -> int | None:
    """How many tokens an example may have; None where that is not known."""
    if method == "reinforcement":
        if model is not None:
            what = f"{model} cannot learn by reinforcement: {REINFORCED}."
            report.findings.append(finding("no_fine_tuning", None, what, fix="Use supervised fine-tuning or dpo."))
        return None
    model, models = model or tokens.DEFAULT_MODEL, tokens.price_table()["models"]
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
        with Path(against).open("rb", buffering=AT_ONCE) as file:
            for number, line in enumerate(file, start=1):
                row = parse_line(line, number)[0]
                example = example_of(row) if row is not None else None
                for _ in others.add(example, number) if example is not None else ():
                    pass
    except OSError as error:
        what = f"{against} cannot be read: {error.strerror or error}."
        report.findings.append(finding("against_unreadable", None, what))
        return None
    report.findings += others.near_finding(Path(against).name)
    return others


def _count(row: Row) -> int:
    """The tokens of an example; of a preference those of the longer pair. Tools are counted as they are written."""
    lists = dict(message_lists(row))
    asked = lists.get("", []) or lists.get("input.", [])
    outputs = [messages for name, messages in lists.items() if name not in ("", "input.")] or [[]]
    given = row.get("input")
    tools = (row if "messages" in row or not isinstance(given, dict) else given).get("tools")
    extra = tokens.count_text(json.dumps(tools)) if tools else 0
    return extra + max(_count_messages(asked + output) for output in outputs)


def _count_messages(messages: list[Any]) -> int:
    try:
        return tokens.count_example(messages)
    except (AttributeError, TypeError, ValueError):  # the row's form is wrong, which has its own finding
        return tokens.count_text(json.dumps(messages))


def main(argv: list[str] | None = None) -> int:
    """python -m helpers check FILE: print the report; return 1 where there is an error, else 0."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers check", description="Says what is wrong with a training file."
    )
    parser.add_argument("file", help="a .jsonl file of chat examples")
    parser.add_argument("--method", choices=METHODS, default=METHODS[0], help="what the rows are for (%(default)s)")
    parser.add_argument("--against", metavar="OTHER", help="a file that must not hold the same examples")
    parser.add_argument("--model", help=f"decides how long an example may be ({tokens.DEFAULT_MODEL})")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    given = parser.parse_args(argv)
    report = check_file(given.file, against=given.against, model=given.model, method=given.method)
    print(report.to_json() if given.json else report)
    return 0 if report.ok else 1
