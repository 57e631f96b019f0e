"""The SOAP sample: reproducible, held-out sets that are held out, nobody's identifiers in the curated text, and curated
splits that come out of the raw export."""

from __future__ import annotations

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
from rapidfuzz import fuzz, process

from helpers.cases.soap_deidentify import IDENTIFIERS, deidentify
from helpers.cases.soap_export import clean_talk, read_export, to_examples, usable
from helpers.cases.soap_style import forms, gold_facts
from helpers.check import check_file
from helpers.errors import Explained

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "soap"
SPLITS = ["train", "validation", "test", "test_new_complaints"]
MADE = [*(f"{name}.jsonl" for name in SPLITS), "facts.jsonl", "defects.json", "DATASHEET.md"]


@cache
def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SAMPLE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


@cache
def facts(name: str) -> list[dict[str, Any]]:
    return [row for row in lines("facts") if row["split"] == name]


@cache
def truth() -> list[dict[str, Any]]:
    return json.loads((SAMPLE / "defects.json").read_text(encoding="utf-8"))


@cache
def visits() -> pd.DataFrame:
    return read_export(SAMPLE / "raw")


def talk(line: dict[str, Any]) -> str:
    return line["messages"][1]["content"]


def note(line: dict[str, Any]) -> str:
    return line["messages"][2]["content"]


def medicines(name: str) -> set[str]:
    said = [fact for line in lines(name) for fact in gold_facts(note(line))]
    return {fact.values[0] for fact in said if fact.form in ("takes", "start", "stop")}


def masked(name: str) -> list[str]:
    """The talks without medicines and numbers."""
    names = "|".join(sorted(medicines(name)))
    return [re.sub(r"\d+(?:\.\d+)?", "0", re.sub(rf"\b(?:{names})\b", "M", talk(line))).lower() for line in lines(name)]


def runs(text: str, length: int = 5) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-z']+|0", re.sub(r"^(doctor|patient|nurse):", " ", text.lower(), flags=re.MULTILINE))
    return {tuple(words[i : i + length]) for i in range(len(words) - length + 1)}


# Reproducible -----------------------------------------------------------------------------------------------------


def test_a_rerun_gives_the_same_bytes(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, SAMPLE / "make.py", "--out", tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    kept = sorted(p.relative_to(SAMPLE) for p in [*(SAMPLE / "raw").iterdir(), *(SAMPLE / n for n in MADE)])
    assert made == kept
    different = [str(path) for path in made if (tmp_path / path).read_bytes() != (SAMPLE / path).read_bytes()]
    assert different == [], "run python data/samples/soap/make.py"


def test_the_folder_is_small() -> None:
    files = [p for p in SAMPLE.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    assert sum(p.stat().st_size for p in files) < 8_000_000  # what a clone of the kit can bear


# Curated files ----------------------------------------------------------------------------------------------------


def test_there_is_as_much_as_promised() -> None:
    assert sum(len(lines(name)) for name in SPLITS) >= 1000
    old = {row["complaint"] for name in SPLITS[:3] for row in facts(name)}
    new = {row["complaint"] for row in facts("test_new_complaints")}
    assert len(old) >= 30 and len(new) == 4 and not old & new
    assert {row["complaint"] for row in facts("test")} == old
    features = Counter(feature for row in facts("train") for feature in row["features"])
    wanted = ["small talk", "interruption", "late medicine", "other people's medicine"]
    wanted += [f"corrected {what}" for what in ("side", "dose", "duration", "symptom")]
    assert all(features[name] >= 10 for name in wanted), features
    said = Counter(f.form for line in lines("train") for f in gold_facts(note(line)))
    assert set(said) == set(forms()) and said["denies"] > 300 and said["unsure"] > 50


@pytest.mark.parametrize("name", SPLITS)
def test_lines_are_plain_chat_examples_of_the_promised_length(name: str) -> None:
    for line in lines(name):
        assert [m["role"] for m in line["messages"]] == ["system", "user", "assistant"]
        assert all(re.match(r"(Doctor|Patient|Nurse): \S", turn) for turn in talk(line).splitlines())
        assert 60 <= len(talk(line).split()) <= 120 and 30 <= len(note(line).split()) <= 60
    assert len({line["messages"][0]["content"] for line in lines(name)}) == 1
    assert len(facts(name)) == len(lines(name))


@pytest.mark.parametrize("name", SPLITS)
def test_the_checker_finds_no_errors(name: str) -> None:
    report = check_file(SAMPLE / f"{name}.jsonl", against=None if name == "train" else SAMPLE / "train.jsonl")
    assert not report.errors, report


@pytest.mark.parametrize("name", SPLITS)
def test_what_was_taken_back_is_not_in_the_note(name: str) -> None:
    taken_back = 0
    for line, row in zip(lines(name), facts(name), strict=True):
        for said in row["retracted"]:
            wrong = said["wrong"]
            if said["kind"] == "side":
                assert said["right"] in note(line).splitlines()[1] and wrong not in note(line).splitlines()[1]
            elif said["kind"] == "other's medicine":
                assert wrong not in note(line) and wrong in talk(line)
            elif said["kind"] == "dose":
                assert any(said["right"] in text for text in note(line).splitlines())
            taken_back += 1
    assert taken_back > 5


# Held-out sets ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["validation", "test", "test_new_complaints"])
def test_hardly_any_masked_talk_occurs_in_training(name: str) -> None:
    train, held_out = masked("train"), masked(name)
    assert sum(text in set(train) for text in held_out) / len(held_out) < 0.05
    assert sum(process.extractOne(t, train, scorer=fuzz.ratio)[1] >= 95 for t in held_out) / len(held_out) < 0.05


def test_medicines_hardly_repeat_and_those_of_the_tests_are_new() -> None:
    for name in SPLITS[1:]:
        assert not medicines(name) & medicines("train")
    named = [f.values[0] for line in lines("train") for f in gold_facts(note(line)) if f.form in ("takes", "start")]
    assert len(set(named)) == len(named)


def test_the_set_written_apart_shares_no_phrase_with_the_others() -> None:
    """Sentences of test_new_complaints are in none of the other banks, and few runs of five words are in training."""
    ours = (SAMPLE / "phrases" / "turns_new.txt").read_text(encoding="utf-8")
    theirs = [(SAMPLE / "phrases" / f"{stem}.txt").read_text(encoding="utf-8") for stem in ("turns", "corrections")]
    known = set().union(*(runs(line) for text in theirs for line in text.splitlines()))
    assert [line for line in ours.splitlines() if not line.startswith(("#", "[")) and runs(line) & known] == []
    train = set().union(*map(runs, masked("train")))
    own = [runs(text) for text in masked("test_new_complaints")]
    assert sum(len(r & train) for r in own) / sum(map(len, own)) < 0.05


# Raw export -------------------------------------------------------------------------------------------------------


def place(row: dict[str, Any]) -> tuple[str, int]:
    return row["file"], row["row"]


def test_cleaning_finds_every_planted_defect_and_keeps_the_rest() -> None:
    kept, dropped = usable(visits())
    by_place = {place(row): row for row in truth()}
    assert {place(v) for v in visits().to_dict("records")} == set(by_place)
    assert {place(v) for v in kept.to_dict("records")} == {p for p, row in by_place.items() if row["usable"]}
    reasons = {
        "duplicate": "exported twice",
        "draft": "note not signed",
        "wrong_patient": "note of another patient",
        "carried_forward": "carried forward from an earlier note",
        "shorthand": "not in the clinic's style",
        "no_note": "no note",
        "no_talk": "nothing recorded",
    }
    for row in dropped.to_dict("records"):
        assert row["why"] in {reasons.get(defect) for defect in by_place[place(row)]["defects"]}, row["encounter"]
    assert set(dropped["why"]) == set(reasons.values())


def test_cleaning_and_deidentifying_give_the_curated_lines() -> None:
    kept, _ = usable(visits())
    done = deidentify(*to_examples(kept))
    rows = [pair for name in SPLITS[:3] for pair in zip(facts(name), lines(name), strict=True)]
    curated = {row["encounter"]: line for row, line in rows}
    assert sorted(curated) == sorted(kept["encounter"])
    same = [curated[encounter] == made for encounter, made in zip(kept["encounter"], done.examples, strict=True)]
    assert sum(same) / len(same) >= 0.99
    assert done.checklist["letter"].tolist() == list("ABCDEFGHIJKLMNOPQR") == [i.letter for i in IDENTIFIERS]
    said = {i["letter"] for row in truth() if row["usable"] for i in row["identifiers"]}
    found = set(done.checklist.loc[done.checklist["found"] > 0, "letter"])
    assert said <= found and len(said) >= 17


def test_no_identifier_that_somebody_said_is_in_the_curated_text() -> None:
    by_encounter = {row["encounter"]: row for row in truth() if row["usable"]}
    left = []
    for name in SPLITS[:3]:
        for line, row in zip(lines(name), facts(name), strict=True):
            for identifier in by_encounter[row["encounter"]]["identifiers"]:
                if identifier["letter"] != "C" or "/" in identifier["words"]:  # "95" may also be a reading
                    left += [identifier["words"]] if identifier["words"] in talk(line) + note(line) else []
    assert left == []


def test_the_register_has_identifiers_of_ranges_kept_for_fiction() -> None:
    patients = pd.read_csv(SAMPLE / "raw" / "patients.csv", dtype=str).fillna("")
    assert len(patients) >= 1000 and patients["mrn"].is_unique
    assert patients["phone"].str.fullmatch(r"\(\d{3}\) 555-01\d\d").all()
    assert patients["ssn"].str.startswith("9").all() and patients["zip"].str.contains(r" 000\d\d$").all()
    assert patients["email"].str.contains(r"@example\.(?:com|org)$").all()
    assert patients["last_ip"].str.startswith("192.0.2.").all()


def test_an_export_without_its_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Explained, match=r"patients\.csv"):
        read_export(tmp_path)


def test_the_old_recorders_form_is_mended() -> None:
    assert clean_talk("[00:00] DR: It\u2019s  fine.\n[00:07] PT: Good.") == "Doctor: It's fine.\nPatient: Good."


# De-identifying what the sample does not hold ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("It began on March 3rd, 2024.", "It began on <DATE>."),
        ("Seen 2024-03-05, then 4 May.", "Seen <DATE>, then <DATE>."),
        ("She is 94 years old.", "She is <AGE_OVER_89> years old."),
        ("She is 64 years old.", "She is 64 years old."),
        ("Blood pressure 132 over 84, 98 percent.", "Blood pressure 132 over 84, 98 percent."),
        ("Device ID: AB-2231.", "Device ID: <DEVICE>."),
        ("Take Just Nalupryn 25 mg, May help.", "Take Just Nalupryn 25 mg, May help."),
        ("See IMG_2231.jpg.", "See <PHOTO>."),
    ],
)
def test_dates_ages_and_codes_go_and_readings_stay(said: str, left: str) -> None:
    example = {"messages": [{"role": "user", "content": f"Patient: {said}"}, {"role": "assistant", "content": "S:"}]}
    assert deidentify([example]).examples[0]["messages"][0]["content"] == f"Patient: {left}"
