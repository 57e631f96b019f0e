"""The datasheet: its figures are those of the files, and what only a person can answer stays visibly open."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd
import pytest

from helpers.convert import convert
from helpers.datasheet import OPEN, QUESTIONS, datasheet
from helpers.errors import Explained
from helpers.load import load
from helpers.workspace import read_jsonl, write_jsonl

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "support"


def row(text: str, begin: str) -> list[str]:
    """The cells of the table row that begins so."""
    [line] = [line for line in text.splitlines() if line.startswith(f"| {begin} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of 60 examples of training and 20 of test, into which a copy, a leak and an address are planted."""
    folder = tmp_path_factory.mktemp("files")
    train, test = read_jsonl(SAMPLE / "train.jsonl")[:60], read_jsonl(SAMPLE / "test.jsonl")[:20]
    train.append(train[0])
    test.append(train[1])
    test[0]["messages"][1]["content"] += " Write to anna@shop.example."
    paths = {"train": write_jsonl(folder / "a.jsonl", train), "test": write_jsonl(folder / "b.jsonl", test)}
    text = datasheet(
        paths, title="Desk", answers={"purpose": "To answer | customers."}, expected=["loyalty"], reference=r"LM-\d{5}"
    )
    return text.replace(hashlib.sha256(paths["train"].read_bytes()).hexdigest(), "TRAIN")


def test_open_questions_head_the_sheet(sheet: str) -> None:
    assert sheet.startswith("# Desk\n")
    head, rest = sheet.split("## Files and splits")
    assert f"{len(QUESTIONS) - 1} of {len(QUESTIONS)} are open" in head and head.count(OPEN) == len(QUESTIONS) - 1
    assert "To answer | customers." in head and all(question in head for question in QUESTIONS.values())
    assert rest.split("## Kinds")[0].count(OPEN) == 1  # where the rows came from


def test_its_figures_are_those_of_the_files(sheet: str) -> None:
    names = [line.split("|")[1].strip() for line in sheet.splitlines() if line.startswith("| train |")]
    assert len(names) == 2  # files and lengths
    files, lengths = sheet.split("## Sources")[0], sheet.split("## Lengths")[1]
    assert row(files, "train")[2] == "61" and row(files, "train")[4] == "`TRAIN`" and row(files, "test")[2] == "21"
    assert "Different system messages: 1. Examples without one: 0." in files
    kinds = sheet.split("## Kinds")[1].split("## Lengths")[0]
    counts = [line.split("|")[2:4] for line in kinds.splitlines() if line.startswith("| ")][2:]
    assert [sum(int(pair[side]) for pair in counts) for side in (0, 1)] == [61, 21]
    assert int(row(lengths, "train")[4].replace(",", "")) > 61 * 100


def test_duplicates_leaks_and_personal_data_are_counted(sheet: str) -> None:
    assert row(sheet, "duplicate")[1:] == ["1", "0"]
    assert row(sheet, "same conversation")[1:] == ["1"] and row(sheet, "same question")[1:] == ["1"]
    assert row(sheet, "EMAIL")[1:] == ["0", "1"]
    assert "a person must read a sample" in sheet
    assert row(sheet, "missing kind")[1:] == ["loyalty", "0", "10"]


def test_sources_and_what_was_left_out(tmp_path: Path) -> None:
    rows, unread = load(SAMPLE / "raw" / "tickets.csv", {"prompt": "message", "completion": "agent_reply"})
    examples, places, left = convert(rows)
    path = write_jsonl(tmp_path / "a.jsonl", examples[:30])
    out = pd.concat([unread, left])
    sheet = datasheet({"train": path}, sources=places[:30], left_out=out, answers=dict.fromkeys(QUESTIONS, "Known."))
    assert row(sheet, "tickets.csv")[1:] == ["30", str(len(out))] and row(sheet, "There is no completion.")
    assert "Questions for a person: all answered" in sheet
    assert sheet.count(OPEN) == 1 and "There is one file only" in sheet
    assert "Nothing was left out" in datasheet({"train": path}, sources=places[:30], left_out=out[:0])


def test_what_cannot_be_described_is_explained(tmp_path: Path) -> None:
    with pytest.raises(Explained, match="nothing to describe"):
        datasheet({})
    path = write_jsonl(tmp_path / "a.jsonl", [{"messages": []}, {"prompt": "a", "completion": "b"}])
    with pytest.raises(Explained, match=r"a\.jsonl: example 2 is not a chat example"):
        datasheet({"train": path})
    with pytest.raises(Explained, match=r"no question nobody\. There are: purpose"):
        datasheet({"train": SAMPLE / "validation.jsonl"}, answers={"nobody": "x"})
