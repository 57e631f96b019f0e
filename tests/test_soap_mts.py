"""Real talks in MTS-Dialog's shape become chat examples: from a made-up file, and from the real ones where they are."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from helpers.cases.soap_mts import SECTIONS, clean_dialogue, mts_examples
from helpers.check import check_examples
from helpers.errors import Explained

REAL = Path(__file__).resolve().parents[2] / "shared" / "real-data" / "clinical"


def written(path: Path, rows: list[tuple[str, str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(["ID", "section_header", "section_text", "dialogue"])
        writer.writerows((number, *row) for number, row in enumerate(rows))
    return path


def test_rows_become_examples_and_the_others_are_listed(tmp_path: Path) -> None:
    talk = "Doctor: Any allergies? \r\nPatient: None, I\u2019m lucky. Doctor: Good."
    rows = [
        ("ALLERGY", "No known  allergies.", talk),
        ("PLAN", "Rest.", "Doctor: Rest, please.\nGuest_family: We will see to it."),
        ("ALLERGY", "None.", talk),
        ("WEATHER", "Rain.", "Doctor: It rains."),
        ("CC", "", "Doctor: Hello."),
    ]
    examples, places, left = mts_examples(written(tmp_path / "mts.csv", rows))
    assert [m["role"] for m in examples[0]["messages"]] == ["system", "user", "assistant"]
    assert "allergies" in examples[0]["messages"][0]["content"] and "section S" in examples[0]["messages"][0]["content"]
    assert examples[0]["messages"][1]["content"].splitlines() == [
        "Doctor: Any allergies?",
        "Patient: None, I'm lucky.",
        "Doctor: Good.",
    ]
    assert examples[0]["messages"][2]["content"] == "No known allergies."
    assert "section P" in examples[1]["messages"][0]["content"]
    assert places["row"].tolist() == [1, 2]
    assert sorted(left["row"]) == [3, 4, 5]
    assert len(examples) + len(left) == len(rows)


def test_a_file_of_another_shape_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("question,answer\na,b\n", encoding="utf-8")
    with pytest.raises(Explained, match="section_header, section_text, dialogue"):
        mts_examples(path)


def test_a_word_with_a_colon_is_no_turn() -> None:
    assert clean_dialogue("Patient: The label said: shake well.") == "Patient: The label said: shake well."


@pytest.mark.skipif(not REAL.is_dir(), reason="the real MTS-Dialog files are not here: ../shared/real-data/clinical")
@pytest.mark.parametrize(("name", "rows"), [("mts-dialog-train.csv", 1201), ("mts-dialog-validation.csv", 100)])
def test_the_real_files_are_read_whole(name: str, rows: int) -> None:
    examples, places, left = mts_examples(REAL / name)
    assert len(examples) + len(left) == rows and len(examples) >= 0.98 * rows
    assert len(places) == len(examples)
    turns = Counter(line.split(":")[0] for e in examples for line in e["messages"][1]["content"].splitlines())
    assert turns["Doctor"] > rows and turns["Patient"] > rows
    assert not [e for e in examples if "\n\n" in e["messages"][1]["content"] or "  " in e["messages"][2]["content"]]
    assert {e["messages"][0]["content"].split("section ")[1][0] for e in examples} == {"S", "O", "A", "P"}
    assert not check_examples(examples).errors
    assert len(SECTIONS) == 20
