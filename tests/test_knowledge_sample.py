"""The knowledge sample: the same bytes from the same seed, facts that change, and nothing that gives answers away."""

from __future__ import annotations

import filecmp
import json
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from helpers.check import check_file
from helpers.retrieval import read_passages
from helpers.workspace import read_jsonl

FOLDER = Path(__file__).resolve().parents[1] / "data" / "samples" / "knowledge"
FILES = ["DATASHEET.md", *sorted(path.name for path in FOLDER.glob("*.jsonl"))]
SPRING, AUTUMN = (read_passages(FOLDER / f"passages_{edition}.jsonl") for edition in ("spring", "autumn"))
QUESTIONS = {split: read_jsonl(FOLDER / f"questions_{split}.jsonl") for split in ("validation", "test")}
TOPICS = list(tomllib.loads((FOLDER / "phrases.toml").read_text(encoding="utf-8"))["topic"].values())
PLACES = {passage.text.split(",")[0] for passage in SPRING}


def make(folder: Path, *arguments: str) -> Path:
    folder.mkdir()
    subprocess.run([sys.executable, FOLDER / "make.py", "--out", folder, *arguments], check=True)
    return folder


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(tmp_path: Path) -> None:
    made = make(tmp_path / "same")
    assert filecmp.cmpfiles(FOLDER, made, FILES, shallow=False)[0] == FILES
    other = make(tmp_path / "other", "--seed", "7")
    assert set(filecmp.cmpfiles(FOLDER, other, FILES, shallow=False)[0]) <= {"DATASHEET.md"}  # its counts can agree


def test_passages_are_short_and_two_thirds_of_them_change() -> None:
    assert 60 <= len(SPRING) <= 100 and [p.id for p in SPRING] == [p.id for p in AUTUMN]
    assert all(20 <= len(passage.text.split()) <= 45 for passage in SPRING + AUTUMN)
    stays = sum(
        old.text.replace("1 April 2026", "1 October 2026") == new.text for old, new in zip(SPRING, AUTUMN, strict=True)
    )
    assert len(SPRING) - stays == 64


def test_the_passage_named_holds_the_answer_and_what_changed_did() -> None:
    editions = {"spring": dict(SPRING), "autumn": dict(AUTUMN)}
    for row in QUESTIONS["validation"] + QUESTIONS["test"]:
        if row["task"] != "style":
            assert row["value"] in editions[row["edition"]][row["passage"]]
            assert row["before"] in editions["spring"][row["passage"]]
            assert (row["value"] != row["before"]) or row["task"] != "facts_that_change"


def test_no_question_of_the_test_is_in_validation_or_training() -> None:
    keys = [{(row["task"], row.get("passage") or row["question"]) for row in rows} for rows in QUESTIONS.values()]
    assert not keys[0] & keys[1]
    trained = {m["content"] for row in read_jsonl(FOLDER / "train.jsonl") for m in row["messages"]}
    assert not trained & {row["question"] for row in QUESTIONS["test"]}
    assert Counter(row["task"] for row in QUESTIONS["test"]).keys() == {
        "facts_that_change",
        "style",
        "both",
        "raw_documents",
    }


@pytest.mark.parametrize("split", ["train", "validation"])
def test_training_examples_are_clean_and_of_no_place_of_the_trust(split: str) -> None:
    path = FOLDER / f"{split}.jsonl"
    rows = path.read_text(encoding="utf-8")
    assert len(PLACES) == 11 and not [place for place in PLACES if place.rsplit(" ", 1)[0] in rows]
    if split == "train":
        assert check_file(path).ok


def test_some_phrasings_of_the_questions_are_kept_from_training() -> None:
    held_out = [text.split("{place}")[0] for topic in TOPICS for text in topic["asks"][-2:]]
    begins = [text for text in held_out if len(text) > 12]
    trained = json.dumps(read_jsonl(FOLDER / "train.jsonl"), ensure_ascii=False)
    asked = json.dumps(QUESTIONS["test"], ensure_ascii=False)
    assert not [text for text in begins if text in trained]
    assert [text for text in begins if text in asked]


def test_visitors_do_not_use_the_documents_words() -> None:
    for topic in TOPICS:
        words = set(topic["term"].replace("-", " ").split())
        assert not [text for text in topic["asks"] if words & set(text.lower().replace("?", "").split())]
