"""Examples of your own, as checked files: mended, cut to what the base reads, split; every finding with its row.

    prepared = prepare(read("replies.csv", "question", "reply"), service)
    prepared.files["train"], prepared.findings

Nothing is dropped in silence: findings.csv names the file and row of each fault and what was done about it. Shown in
notebook 11.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from helpers.check import check_file
from helpers.connection import Service
from helpers.datasheet import datasheet
from helpers.errors import Explained
from helpers.load import PLACE
from helpers.mask import anonymise
from helpers.own_context import Cut, fit
from helpers.own_data import FINDING, KEPT, LEFT, Given, answer, refuse
from helpers.repair import Repair, repair
from helpers.split import question, split
from helpers.tokens import count_text
from helpers.workspace import build, read_jsonl, write_jsonl, write_whole

LEAST_TRAIN, LEAST_TEST, MOST_VALIDATION = 10, 10, 50
LONGEST_ANSWER = 400  # tokens asked for at most; a model that does not stop would take minutes
UNFIT = {"duplicate", "null_text", "special_token"}  # warnings of check with which a row is not to be learned from
CUT = "What the base cannot read, nobody learns from; a service would have cut the answer."
SHORTEN = "Shorten the question yourself, or take a base that reads more."
ALIKE = (
    "The questions are so alike, once names and numbers are masked, that like ones cannot all be kept on one side.",
    "Read the scores as those of familiar questions; collect questions in other words for the test.",
)


@dataclass(frozen=True)
class Prepared:
    """Checked files (train, validation, test) in `folder`, and all findings, a row each (FINDING)."""

    name: str
    folder: Path
    files: dict[str, Path]
    findings: pd.DataFrame
    is_labels: bool  # whether the answers are a few that come again and again, such as the kinds of a request
    answer_tokens: int  # how long an answer may be when the model is asked

    def __str__(self) -> str:
        sizes = ", ".join(f"{len(read_jsonl(path))} for {name}" for name, path in self.files.items())
        done = Counter(self.findings["done"])
        told = ", ".join(f"{count} {what}" for what, count in done.most_common()) or "none"
        return f"Examples: {sizes}.\nFindings: {told}; see {self.folder / 'findings.csv'}."


def prepare(
    given: Given,
    service: Service | None,
    *,
    name: str = "",
    n_train: int | None = None,
    n_test: int = 60,
    seed: int = 1,
    mask: bool | None = None,
) -> Prepared:
    """Write build/own/<name> and return what is in it: examples, splits, findings.csv and a datasheet.

    Mends what is safe to mend (helpers.repair), leaves out what a service would refuse, cuts questions that `service`'s
    base cannot read (None: cuts nothing) and splits so that nearly equal questions stay together; kinds are spread
    evenly where the answers are kinds. The test has a fifth of the examples, at most `n_test`; `n_train` is the most to
    train on. `mask` puts placeholders in place of personal data, for good; False says that they may leave this machine.

    Raises Explained where too few examples are wanted or left, and where personal data would leave this machine
    unasked.
    """
    _refuse_sizes(n_train, n_test)
    folder = build("own", name or given.name, "_").parent
    usable = _usable(given, service, folder, "mended" if mask else KEPT)
    refuse(usable.examples, given.name, len(given.examples))
    examples = anonymise(usable.examples).examples if mask else usable.examples
    is_labels = len({answer(example) for example in examples}) * 10 <= len(examples)
    parts, alike = _parts(examples, n_train, n_test, seed, is_labels)
    found = [given.findings, usable.findings]
    found += [_frame([(given.name, None, "near_split", "warning", *ALIKE, KEPT)])] if alike else []
    findings = pd.concat(found, ignore_index=True)
    findings = findings.sort_values(PLACE, kind="stable", ignore_index=True, na_position="first")
    write_whole(folder / "findings.csv", findings.to_csv(index=False))
    if mask is None and service is not None and not service.is_local:
        _refuse_to_send(findings, service, folder)
    files = {part: write_jsonl(folder / f"{part}.jsonl", rows) for part, rows in parts.items()}
    gone = findings[findings["done"] == LEFT]
    write_whole(folder / "datasheet.md", datasheet(files, title=given.name, sources=usable.places, left_out=gone))
    return Prepared(folder.name, folder, files, findings, is_labels, usable.answer_tokens)


def _refuse_sizes(n_train: int | None, n_test: int) -> None:
    if n_train is not None and n_train < LEAST_TRAIN:
        raise Explained(
            f"n_train is {n_train}, and no job trains on fewer than {LEAST_TRAIN} examples. Ask for more, or leave it "
            "out: then all are trained on."
        )
    if n_test < LEAST_TEST:
        raise Explained(
            f"n_test is {n_test}. On fewer than {LEAST_TEST} held-out questions nearly any difference is chance. Ask "
            "for more."
        )


def _refuse_to_send(findings: pd.DataFrame, service: Service, folder: Path) -> None:
    private = findings.loc[(findings["code"] == "personal_data") & (findings["done"] != LEFT), PLACE]
    if len(private):
        raise Explained(
            f"{len(private.drop_duplicates())} rows hold personal data (see {folder / 'findings.csv'}), and "
            f"{service.name} is not on this machine; nothing was sent. Say --mask to put placeholders in their place "
            "(mask = True in the notebook), --no-mask (False) if they may be sent as they are, or stay with the local "
            "service."
        )


class _Usable(NamedTuple):
    """The examples that can be learned from, the place of each, and what was found on the way to them."""

    examples: list[dict[str, Any]]
    places: pd.DataFrame
    answer_tokens: int
    findings: pd.DataFrame


def _usable(given: Given, service: Service | None, folder: Path, masked: str) -> _Usable:
    """The examples mended, without those that are unfit, and with questions cut to what the base reads."""
    raw = write_jsonl(folder / "examples.jsonl", given.examples)
    mended = repair(raw, folder / "mended.jsonl", force=True)
    written = mended.lines.loc[mended.lines["new_line"].notna(), "line"]
    unfit = {found.line for found in mended.left.findings if found.severity == "error" or found.code in UNFIT}
    pairs = zip(written.astype(int), read_jsonl(mended.out), strict=True)
    by_line = {line: example for line, example in pairs if line not in unfit}
    answer_tokens = min(LONGEST_ANSWER, 16 + 2 * max((count_text(answer(e)) for e in by_line.values()), default=0))
    lines, examples = list(by_line), list(by_line.values())
    cuts: list[Cut] = []
    if service is not None:
        examples, cuts = fit(service, examples, answer_tokens)
    hopeless = {cut.place for cut in cuts if not cut.left}
    stay = [place for place in range(len(lines)) if place not in hopeless]
    gone = unfit | set(mended.lines["line"]) - set(written)
    found = [_checked(raw, mended, gone, given.places, masked), _cut_findings(cuts, lines, given.places)]
    places = given.places.iloc[[lines[place] - 1 for place in stay]]
    return _Usable([examples[place] for place in stay], places, answer_tokens, pd.concat(found, ignore_index=True))


def _checked(raw: Path, mended: Repair, gone: set[int | None], places: pd.DataFrame, masked: str) -> pd.DataFrame:
    """What check finds in the examples as they came, by the rows they came from, and what was done about it.

    `gone` are the lines that were left out, `masked` is what was done about personal data.
    """
    done = {(int(line), code) for line, code in zip(mended.changes["line"], mended.changes["code"], strict=True)}
    rows = []
    for found in check_file(raw).findings:
        if found.code == "too_long":  # own_context measures with the base's own tokens
            continue
        state = LEFT if found.line in gone else "mended" if (found.line, found.code) in done else KEPT
        state = masked if found.code == "personal_data" and state == KEPT else state
        file, row = places.iloc[found.line - 1] if found.line else (mended.source.name, None)
        rows.append((file, row, found.code, found.severity, _by_rows(found.why, places), found.fix, state))
    return _frame(rows)


def _by_rows(why: str, places: pd.DataFrame) -> str:
    """The words of a finding with the rows of the table in place of the lines of our file."""

    def renumbered(match: re.Match[str]) -> str:
        return f"{'Row' if match[1] == 'L' else 'row'} {places['row'].iloc[int(match[2]) - 1]}"

    return re.sub(r"\b([Ll])ine (\d+)\b", renumbered, why)


def _cut_findings(cuts: list[Cut], lines: list[int], places: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for cut in cuts:
        file, row = places.iloc[lines[cut.place] - 1]
        what = f"The row has {cut.tokens:,} tokens with its answer, and the base reads {cut.limit:,}."
        left = f" The first {cut.left:.0%} of the question is kept." if cut.left else " The answer alone fills that."
        rows.append((file, row, "too_long", "warning", f"{what}{left} {CUT}", SHORTEN, "cut" if cut.left else LEFT))
    return _frame(rows)


def _frame(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=FINDING, dtype=object)


def _parts(
    examples: list[dict[str, Any]], n_train: int | None, n_test: int, seed: int, is_labels: bool
) -> tuple[dict[str, list[dict[str, Any]]], bool]:
    """The splits, and whether like questions had to be parted to get a test at all."""

    def sizes(count: int) -> dict[str, int | None]:
        test, validation = min(n_test, max(LEAST_TEST, count // 5)), min(MOST_VALIDATION, max(5, count // 10))
        return {"train": None, "validation": validation, "test": test}

    wanted = sizes(len(examples))
    most = len(examples) if n_train is None else n_train + sum(count or 0 for count in wanted.values())
    if most < len(examples):
        places = sorted(random.Random(seed).sample(range(len(examples)), most))
        examples = [examples[place] for place in places]
    strata = [answer(example) for example in examples] if is_labels else None
    texts = [question(example) for example in examples]
    parts = split(examples, wanted, seed=seed, strata=strata, texts=texts)
    if min(len(parts["train"]), len(parts["test"])) >= LEAST_TEST and parts["validation"]:
        return parts, False
    return split(examples, wanted, seed=seed, strata=strata), True
