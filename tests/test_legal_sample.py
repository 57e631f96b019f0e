"""The legal sample: reproducible, its held-out sets held out; raw files that prepare() makes fit to learn from:
privilege first, then what is no model to follow, then the names."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sentencepiece
from rapidfuzz import fuzz, process

from helpers.cases.legal import check
from helpers.cases.legal_prepare import SYSTEM_PROMPT, Prepared, prepare, read_requests, without_names
from helpers.cases.legal_privilege import privileged
from helpers.cases.legal_style import read
from helpers.errors import Explained
from helpers.load import load
from helpers.workspace import read_jsonl

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "data" / "samples" / "legal"
REAL = ROOT.parent / "shared" / "real-data" / "legal" / "SummaryProcessDiscovery.docx"
BASE = ROOT / "src" / "helpers" / "local_service" / "bases" / "pocket-6m"
SPLITS = ["train", "validation", "test", "test_new_matters"]
MADE = [*(f"{name}.jsonl" for name in SPLITS), "facts.jsonl", "defects.json", "DATASHEET.md"]


@cache
def lines(name: str) -> list[dict[str, Any]]:
    return read_jsonl(SAMPLE / f"{name}.jsonl")


@cache
def facts(name: str) -> list[dict[str, Any]]:
    return [row for row in lines("facts") if row["split"] == name]


@cache
def defects() -> list[dict[str, Any]]:
    return json.loads((SAMPLE / "defects.json").read_text(encoding="utf-8"))


@cache
def prepared() -> Prepared:
    return prepare(SAMPLE / "raw")


def table(name: str) -> list[dict[str, str]]:
    with (SAMPLE / "raw" / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def masked(name: str) -> list[str]:
    """The notes without parties, people, subjects, codes, dates and numbers."""
    texts = []
    for line, row in zip(lines(name), facts(name), strict=True):
        text = line["messages"][1]["content"]
        for value in (row["to"], row["client"], row["attorney"], row["subject"], row["code"], *(row["bates"] or [])):
            text = text.replace(value, "_")
        text = re.sub(r"\b[A-Z][a-z]{2,8} \d+, \d{4}|\d+", "0", text)
        texts.append(re.sub(r"(?<=[a-z,:] )[A-Z][a-z]+\b|^[A-Z][a-z]+(?=[,:])|[A-Z][a-z]+$", "_", text).lower())
    return texts


# Reproducible, small, well formed -------------------------------------------------------------------------------------


def test_a_rerun_gives_the_same_bytes(tmp_path: Path) -> None:
    command = [sys.executable, "-B", SAMPLE / "make.py", "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    kept = [*(SAMPLE / "raw").rglob("*"), *(SAMPLE / name for name in MADE)]
    assert made == sorted(p.relative_to(SAMPLE) for p in kept if p.is_file())
    different = [str(path) for path in made if (tmp_path / path).read_bytes() != (SAMPLE / path).read_bytes()]
    assert different == [], "run python data/samples/legal/make.py"


def test_the_folder_is_small() -> None:
    files = [p for p in SAMPLE.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    assert sum(p.stat().st_size for p in files) < 5_000_000


@pytest.mark.parametrize(
    ("name", "least"), [("train", 480), ("validation", 80), ("test", 130), ("test_new_matters", 80)]
)
def test_lines_are_short_chat_examples(name: str, least: int) -> None:
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(BASE / "tokenizer.model"))
    assert len(lines(name)) >= least
    tokens = []
    for line in lines(name):
        assert [message["role"] for message in line["messages"]] == ["system", "user", "assistant"]
        assert list(line) == ["messages"] and all(m["content"].strip() == m["content"] for m in line["messages"])
        assert 50 <= len(line["messages"][1]["content"].split()) <= 200
        assert 30 <= len(line["messages"][2]["content"].split()) <= 110
        tokens.append(sum(len(tokenizer.encode(message["content"])) for message in line["messages"]))
    assert max(tokens) < 600 and sum(tokens) / len(tokens) < 370
    assert len({line["messages"][0]["content"] for line in lines(name)}) == 1


def test_kinds_and_matter_types_are_as_promised() -> None:
    types = {row["matter_type"] for row in facts("train")}
    assert len(types) == 12 and {row["matter_type"] for row in facts("test")} == types
    held_out = {row["matter_type"] for row in facts("test_new_matters")}
    assert len(held_out) == 2 and held_out.isdisjoint(types)
    for name in SPLITS:
        assert set(Counter(row["kind"] for row in facts(name))) == {"interrogatory", "production", "admission"}
        assert len({row["ask"] for row in facts(name)}) == 6


@pytest.mark.parametrize("name", SPLITS)
def test_every_fact_of_a_draft_is_in_its_note(name: str) -> None:
    """The days may be missing: then they are 30. A month may be shortened."""
    for line, row in zip(lines(name), facts(name), strict=True):
        note = line["messages"][1]["content"]
        said = [row["to"], row["client"], row["attorney"], row["subject"], row["code"], *row["details"]]
        said += [*(row["bates"] or []), f"no. {row['number']}"]
        folded = note.lower()
        assert [value for value in said if value.lower() not in folded] == []
        for day in (row["from"], row["through"]):
            month, rest = day.split(" ", 1)
            assert day in note or f"{month[:3]} {rest}" in note
        found = re.findall(r"(\d+) days", note)
        assert found == [str(row["days"])] or (found == [] and row["days"] == 30)


# Held-out sets ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["validation", "test", "test_new_matters"])
def test_hardly_any_masked_note_occurs_in_training(name: str) -> None:
    train, held_out = masked("train"), masked(name)
    assert sum(text in set(train) for text in held_out) / len(held_out) < 0.05
    near = sum(process.extractOne(text, train, scorer=fuzz.ratio)[1] >= 95 for text in held_out)
    assert near / len(held_out) < 0.05


def test_no_two_requests_share_a_party_and_no_two_files_a_matter() -> None:
    parties = [row[key].split(" ", 1)[1] for name in SPLITS for row in facts(name) for key in ("to", "client")]
    assert len(set(parties)) == len(parties)
    codes = [{row["code"] for row in facts(name)} for name in SPLITS]
    assert sum(map(len, codes)) == len(set().union(*codes))


def test_the_new_notes_share_no_run_of_five_words_with_the_bank_of_the_others() -> None:
    def runs(path: str) -> set[tuple[str, ...]]:
        """Runs of words as written; what a placeholder stands for is every time another."""
        text = (SAMPLE / "phrases" / path).read_text(encoding="utf-8").lower()
        parts = [part for line in text.splitlines() if line[:1] not in "#[" for part in re.split(r"\{\w+\}", line)]
        words = [re.findall(r"[a-z']+", part) for part in parts]
        return {tuple(line[i : i + 5]) for line in words for i in range(len(line) - 4)}

    assert len(runs("new_notes.txt")) > 100
    assert runs("new_notes.txt") & runs("notes.txt") == set()


# Raw files: privilege first ---------------------------------------------------------------------------------------


def test_raw_is_as_large_as_promised_and_every_record_has_its_truth() -> None:
    counts = Counter(row["file"] for row in defects())
    assert counts["requests.csv"] == len(table("requests.csv"))
    assert counts["mails.jsonl"] == len(read_jsonl(SAMPLE / "raw" / "mails.jsonl"))
    assert sum(counts.values()) == len(read_requests(SAMPLE / "raw")) >= 900
    assert min(Counter(name for row in defects() for name in row["defects"]).values()) >= 15


def test_every_planted_privileged_note_is_warned_of_and_no_other() -> None:
    planted = {row["id"] for row in defects() if "privileged" in row["defects"]}
    assert set(prepared().warned["id"]) == planted
    assert set(prepared().warned["reason"]) == {"marked", "advice", "client", "work"}


# Written apart, after the patterns were: sentences that warn, by reason, and sentences that must not.
UNSEEN_PRIVILEGED = [
    "Subject to attorney-client privilege.",
    "Confidential, for our team only.",
    "This is opinion work product.",
    "Dana Orlov reckons the jury will hate us.",
    "Dana Orlov is worried about the second witness.",
    "I spoke with Dana Orlov, whose opinion is that we settle.",
    "Our client concedes the brakes were worn.",
    "The client wants this buried.",
    "The client mentioned an earlier accident.",
    "From the client interview: the key was left in the door.",
    "Between us, our chances are slim.",
    "We plan to trap their expert on the stand.",
    "The weakness is the missing signature.",
    "Notes for cross-examination follow.",
    "Our exposure is about two million.",
    "Do not tell them that the tape exists.",
]
INNOCENT = [
    "Our client is Plaintiff Keld Foundry Inc and Dana Orlov signs.",
    "Dana Orlov signs for Plaintiff Keld Foundry Inc.",
    "They told nobody who inspected the crane.",
    "Ask for a privilege log.",
    "Nobody has told us who welded the Tolby crane.",
    "The court gave 21 days.",
    "We act for Defendant Varnholt Joinery LLC; Dana Orlov signs.",
    "The partner wants it short.",
    "I want the cost of the survey of the Tolby crane.",
    "Counsel for Plaintiff Keld Foundry Inc is Dana Orlov.",
]


def test_privilege_in_words_never_seen_is_found_more_often_than_not_and_the_misses_are_known() -> None:
    warned = set(privileged(UNSEEN_PRIVILEGED, ["Dana Orlov"])["row"])
    missed = [text for row, text in enumerate(UNSEEN_PRIVILEGED) if row not in warned]
    assert len(missed) <= 5, missed
    assert "Do not tell them that the tape exists." in missed, "no word in it warns: a person has to read the notes"
    assert privileged(INNOCENT, ["Dana Orlov"]).empty


def test_nothing_privileged_is_among_the_examples() -> None:
    planted = {row["id"] for row in defects() if "privileged" in row["defects"]}
    assert planted.isdisjoint(prepared().ids)
    notes = [example["messages"][1]["content"] for example in prepared().examples]
    assert privileged(notes, []).empty


# What is left out, and the names ----------------------------------------------------------------------------------


def test_prepare_keeps_the_usable_records_and_says_why_not_the_others() -> None:
    kept = prepared().ids
    assert sorted(kept) == sorted(row["id"] for row in defects() if row["usable"])
    assert len(kept) == len(prepared().examples) == len(prepared().codes)
    reasons = Counter(prepared().dropped["reason"])
    assert set(reasons) == {"privileged", "no_draft", "earlier_version", "off_style", "wrong_matter", "duplicate"}
    assert len(prepared().dropped) + len(kept) == len(defects())


def test_the_system_message_is_the_same_in_every_example() -> None:
    """A party's ending, LLP, is the firm's too: what the firm says of itself is no place to look for names."""
    assert {example["messages"][0]["content"] for example in prepared().examples} == {SYSTEM_PROMPT}


def test_no_name_of_the_firm_or_its_matters_is_left() -> None:
    matters = {row["code"]: row for row in table("matters.csv")}
    people = [row["name"] for row in table("people.csv")]
    left = []
    for example, code in zip(prepared().examples, prepared().codes, strict=True):
        text = " ".join(message["content"] for message in example["messages"])
        names = [matters[code]["plaintiff"], matters[code]["defendant"], *people]
        left += [name for name in names if re.search(rf"\b{re.escape(name)}\b", text)]
    assert left == []


def test_the_drafts_stay_in_style_and_say_the_same_but_for_the_names() -> None:
    raw = {
        row["doc_id"]: row["draft"]
        for row in read_requests(SAMPLE / "raw").to_dict("records")
        if row["status"] == "final"
    }
    for example, doc_id in zip(prepared().examples, prepared().ids, strict=True):
        draft = example["messages"][2]["content"]
        before, after = read(raw[doc_id]), read(draft)
        same = ("kind", "ask", "number", "code", "first", "last", "details", "bates", "days")
        assert all(getattr(before, key) == getattr(after, key) for key in same)
        assert check(draft, draft)["all_rules"], draft
        assert before.to != after.to and before.client != after.client and before.attorney != after.attorney
        note = example["messages"][1]["content"]
        assert all(name in note for name in (after.to, after.client, after.attorney))


def test_names_are_replaced_alike_within_an_example_and_differently_between_two() -> None:
    text = "Hi Rosa, ask Defendant Keld Foundry Inc. Ring (212) 555-0101. Keld Foundry Inc has it."
    twice = [{"messages": [{"role": "user", "content": text}]}] * 2
    first, second = (e["messages"][0]["content"] for e in without_names(twice, [["Keld Foundry Inc", "Rosa"]] * 2))
    company = re.search(r"Defendant (\w+ \w+ Inc)\b", first)
    assert company is not None and first.count(company[1]) == 2
    assert "<PHONE_1>" in first and "Rosa" not in first and "Keld" not in first
    assert first != second


def test_a_folder_without_the_files_is_explained(tmp_path: Path) -> None:
    with pytest.raises(Explained, match=r"requests\.csv"):
        prepare(tmp_path)


@pytest.mark.skipif(not REAL.is_file(), reason="the real files are not part of the project")
def test_a_real_set_of_requests_is_prepared_without_fault_and_nothing_of_it_is_learned(tmp_path: Path) -> None:
    """Every paragraph of it as a draft: none is in the house's form, so each stays out with its reason."""
    texts = [str(text) for text in load(REAL).rows["text"]]
    assert len(texts) > 400
    raw = {
        "requests.csv": pd.DataFrame({"note": texts, "draft": texts}).assign(
            version="1", date="2025-01-02", code="AB-1000"
        ),
        "matters.csv": pd.DataFrame({"code": ["AB-1000"], "plaintiff": ["Ash LLC"], "defendant": ["Elm Inc"]}),
        "people.csv": pd.DataFrame({"name": ["Dana Orlov"], "role": ["attorney"]}),
    }
    raw["requests.csv"]["doc_id"] = [f"R-{number}" for number in range(len(texts))]
    for name, rows in raw.items():
        rows.to_csv(tmp_path / name, index=False)
    (tmp_path / "mails.jsonl").write_text("", encoding="utf-8")
    prepared = prepare(tmp_path)
    assert prepared.examples == [] and len(prepared.dropped) == len(texts)
    assert set(prepared.dropped["reason"]) == {"privileged", "off_style"}
    assert prepared.warned["sentence"].str.contains("privilege", case=False).any()
