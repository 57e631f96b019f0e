"""Step 1: a datasheet for a data set: what can be counted is counted; what only a person knows is left visibly open.

    write_whole(path, datasheet({"train": "train.jsonl", "test": "test.jsonl"}, answers={"purpose": "To answer …"}))

After the idea of Gebru et al., Datasheets for Datasets (Communications of the ACM 64, 2021).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.check import check_file
from helpers.coverage import asked, coverage_view, intent_of, turns_of
from helpers.errors import Explained
from helpers.personal import find, names_in
from helpers.split import leakage
from helpers.tokens import count_table
from helpers.workspace import read_jsonl

QUESTIONS = {
    "purpose": "What is the model to do, and for whom?",
    "authors": "Who wrote the questions, and who the answers? Were they chosen, and how?",
    "basis": "What allows training on these texts (consent, contract, law), and who in the business decided so?",
    "notice": "Do the people concerned know, and how does one of them have their texts taken out?",
    "rights": "Who owns the texts, and may the service that trains on them have them?",
    "personal": "Who read a sample for names and other personal data after cleaning, when, and what did they find?",
    "quality": "Who judged that the answers are right, by which rules, and what happens when a rule changes?",
    "missing": "Which people, cases and languages will the model meet that are rare or missing here?",
    "harm": "Which wrong answer would do harm, and what stands between it and a customer?",
    "limits": "What must neither the data nor the model be used for?",
    "keeping": "Who keeps the data, until when, and whom does one ask about it?",
}
OPEN = "**OPEN: only a person can answer this.**"


def datasheet(
    files: Mapping[str, Path | str],
    *,
    title: str = "Datasheet",
    answers: Mapping[str, str] | None = None,
    sources: pd.DataFrame | None = None,
    left_out: pd.DataFrame | None = None,
    kind: Callable[[Any], str] = intent_of,
    expected: Iterable[str] = (),
    reference: str | None = None,
) -> str:
    """Return a datasheet in Markdown for files of chat examples in JSON Lines, by split, the training file first.

    `answers` to QUESTIONS, by their names; those without one stay open. `sources` says where the rows that were used
    stood (the places from helpers.convert), `left_out` where the others did, and why (unread and left, put together by
    pd.concat). `kind`, `expected` and `reference` are those of coverage_view. Raises Explained for a file that cannot
    be read or holds other rows, and for an answer to no question.
    """
    paths = {name: Path(path) for name, path in files.items()}
    examples = {name: _examples(path) for name, path in paths.items()}
    if not paths:
        raise Explained("There is nothing to describe. Give the files by split, for example {'train': 'train.jsonl'}.")
    parts = [
        f"# {title}\n\nCounted from the files by helpers.datasheet, except for the answers in the first section.",
        _questions(answers or {}),
        "## Files and splits\n\n" + _files(paths, examples),
        "## Sources\n\n" + _sources(sources, left_out),
        "## Kinds\n\n" + _by_file({name: map(kind, rows) for name, rows in examples.items()}, "kind"),
        "## Lengths\n\n" + _lengths(examples),
        "## Duplicates and overlap\n\n" + _duplicates(paths, examples),
        "## Personal data found\n\n" + _personal(examples),
        "## What to collect\n\n" + _gaps(next(iter(examples.values())), kind, expected, reference),
    ]
    return "\n\n".join(parts) + "\n"


def _examples(path: Path) -> list[dict[str, Any]]:
    rows = read_jsonl(path)
    for number, row in enumerate(rows, start=1):
        messages = row.get("messages")
        if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
            raise Explained(
                f"{path}: example {number} is not a chat example with messages. Run `python -m helpers check {path}`, "
                "mend the file, then write the datasheet."
            )
    return rows


def _table(rows: Iterable[Iterable[Any]], *columns: str) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(_cell(value) for value in line)} |" for line in lines)


def _cell(value: Any) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return " ".join(text.replace("|", "\\|").split())


def _questions(answers: Mapping[str, str]) -> str:
    if unknown := sorted(set(answers) - set(QUESTIONS)):
        raise Explained(f"There is no question {', '.join(unknown)}. There are: {', '.join(QUESTIONS)}.")
    given = {name: answers.get(name, "").strip() for name in QUESTIONS}
    left = sum(not answer for answer in given.values())
    state = f"{left} of {len(QUESTIONS)} are open" if left else "all answered"
    asked_of = "\n\n".join(f"**{QUESTIONS[name]}** ({name})\n\n{answer or OPEN}" for name, answer in given.items())
    return f"## Questions for a person: {state}\n\n{asked_of}"


def _files(paths: Mapping[str, Path], examples: Mapping[str, list[dict[str, Any]]]) -> str:
    rows = [
        (
            name,
            path.name,
            len(examples[name]),
            path.stat().st_size,
            f"`{hashlib.sha256(path.read_bytes()).hexdigest()}`",
        )
        for name, path in paths.items()
    ]
    systems = [[str(m.get("content")) for m in row["messages"] if _leads(m)] for e in examples.values() for row in e]
    system = (
        f"Different system messages: {len({text for texts in systems for text in texts})}. "
        f"Examples without one: {systems.count([]):,}."
    )
    return f"{_table(rows, 'split', 'file', 'examples', 'bytes', 'SHA-256')}\n\n{system}"


def _leads(message: Mapping[str, Any]) -> bool:
    return message.get("role") in ("system", "developer")


def _sources(used: pd.DataFrame | None, left_out: pd.DataFrame | None) -> str:
    if used is None:
        return OPEN + " Where do the examples come from? `sources=` would have it counted."
    counts, left = Counter(used["file"]), Counter(left_out["file"] if left_out is not None else ())
    table = _table(((name, counts[name], left[name]) for name in counts | left), "source", "rows used", "left out")
    if left_out is None:
        return f"{table}\n\n{OPEN} What was left out, and why? `left_out=` would have it counted."
    whys = _table(
        Counter(left_out["why"].str.slice(0, 120)).most_common(10), "why left out (the 10 most frequent)", "rows"
    )
    return f"{table}\n\n{whys}" if left else f"{table}\n\nNothing was left out."


def _by_file(labels: Mapping[str, Iterable[str]], what: str) -> str:
    """A table of how often each label is in each file, the most frequent first."""
    counts = {name: Counter(found) for name, found in labels.items()}
    names = [name for name, _ in sum(counts.values(), Counter()).most_common()]
    return _table(([name, *(count[name] for count in counts.values())] for name in names), what, *counts)


def _lengths(examples: Mapping[str, list[dict[str, Any]]]) -> str:
    rows = []
    for name, listed in examples.items():
        words = pd.Series([len(asked(row).split()) for row in listed], dtype=int)
        table, turns = count_table([row["messages"] for row in listed]), [len(turns_of(row)) for row in listed]
        several = sum(n > 2 for n in turns)
        if listed:
            tokens = (
                int(table.total.sum()),
                f"{table.total.median():.0f}",
                int(table.total.max()),
                int(table.learned.sum()),
            )
            rows.append((name, several, f"{words.median():.0f}", int(words.max()), *tokens))
    columns = ("of several turns", "words asked, median", "longest", "tokens", "median", "longest", "learned from")
    return _table(rows, "split", *columns) + "\n\nTokens are o200k_base, counted as helpers.tokens does."


def _duplicates(paths: Mapping[str, Path], examples: Mapping[str, list[dict[str, Any]]]) -> str:
    """What the checker found within each file, and how much of the later files is in the first one."""
    codes = {name: [found.code for found in check_file(path).findings] for name, path in paths.items()}
    inside = (
        _by_file(codes, "finding of `python -m helpers check`") if any(codes.values()) else "The checker found nothing."
    )
    first, *others = examples
    if not others:
        return f"{inside}\n\n{OPEN} There is one file only: what will the model be judged by?"
    frames = {name: leakage(examples[first], examples[name]).set_index("measure")["n"] for name in others}
    rows = [[measure, *(int(frame[measure]) for frame in frames.values())] for measure in frames[others[0]].index]
    return f"{inside}\n\n{_table(rows, f'examples also in {first}', *others)}"


def _personal(examples: Mapping[str, list[dict[str, Any]]]) -> str:
    found: dict[str, list[str]] = {}
    for name, listed in examples.items():
        texts = [[text for _, text in turns_of(row)] for row in listed]
        kinds = [{span.kind for text in said for span in find(text, names_in(said))} for said in texts]
        found[name] = [kind for held in kinds for kind in sorted(held)]
    table = _by_file(found, "examples that hold") if any(found.values()) else "None was found."
    return f"{table}\n\nFound by helpers.personal. No tool finds all, names least of all: a person must read a sample."


def _gaps(
    rows: list[dict[str, Any]], kind: Callable[[Any], str], expected: Iterable[str], reference: str | None
) -> str:
    view = coverage_view(rows, kind, expected=expected, reference=reference)
    short = view[view["collect_more"] > 0]
    lines = [(r.part, r.what, int(r.n), int(r.collect_more)) for r in short.itertuples()]
    table = (
        _table(lines, "part", "what", "in the first split", "to collect") if lines else "Nothing is below 10 examples."
    )
    return f"{table}\n\nCollect only what users of the model do write."
