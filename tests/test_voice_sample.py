"""The marketing sample: reproducible, held-out sets that are held out, figures with noise, and curated splits that
helpers.cases.voice_choice recovers from the raw exports."""

from __future__ import annotations

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

from helpers.cases.voice_choice import PUBLISHED, choose, clean_piece, read_pieces
from helpers.cases.voice_score import without_facts
from helpers.check import check_file
from helpers.errors import Explained
from helpers.workspace import read_jsonl

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "voice"
SPLITS = ["train", "validation", "test", "test_new_kinds"]
MADE = [*(f"{name}.jsonl" for name in SPLITS), "facts.jsonl", "judge.jsonl", "defects.json", "DATASHEET.md"]
FACTS = ("name", "kind", "material", "colour", "size", "catch", "keith", "price")


@cache
def lines(name: str) -> list[dict[str, Any]]:
    return read_jsonl(SAMPLE / f"{name}.jsonl")


@cache
def facts(name: str) -> list[dict[str, Any]]:
    return [row for row in lines("facts") if row["split"] == name]


@cache
def pieces() -> pd.DataFrame:
    return read_pieces(SAMPLE / "raw")


@cache
def planted() -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in pd.read_json(SAMPLE / "defects.json").to_dict("records")}


def brief(line: dict[str, Any]) -> str:
    return str(line["messages"][1]["content"])


def masked(name: str) -> list[str]:
    """The briefs without their facts and numbers."""
    texts = []
    for line, row in zip(lines(name), facts(name), strict=True):
        text = without_facts(brief(line), row)
        for secret in row["secret"]:
            text = text.replace(secret, "_")
        texts.append(re.sub(r"\d+", "0", text).lower())
    return texts


def test_a_rerun_gives_the_same_bytes(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, SAMPLE / "make.py", "--out", tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    kept = sorted(p.relative_to(SAMPLE) for p in [*(SAMPLE / "raw").iterdir(), *(SAMPLE / name for name in MADE)])
    assert made == kept
    different = [str(path) for path in made if (tmp_path / path).read_bytes() != (SAMPLE / path).read_bytes()]
    assert different == [], "run python data/samples/voice/make.py"


def test_the_folder_is_small() -> None:
    files = [p for p in SAMPLE.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    assert sum(p.stat().st_size for p in files) < 5_000_000


@pytest.mark.parametrize(("name", "least"), [("train", 400), ("validation", 60), ("test", 100), ("test_new_kinds", 60)])
def test_lines_are_plain_chat_examples_of_every_channel(name: str, least: int) -> None:
    assert len(lines(name)) >= least
    for line in lines(name):
        assert [m["role"] for m in line["messages"]] == ["system", "user", "assistant"]
        assert all(m["content"].strip() == m["content"] for m in line["messages"])
        assert len("".join(m["content"] for m in line["messages"])) <= 1500
    assert min(Counter(row["channel"] for row in facts(name)).values()) >= least / 5
    assert len({line["messages"][0]["content"] for line in lines(name)}) == 1
    assert not check_file(SAMPLE / f"{name}.jsonl").errors


@pytest.mark.parametrize("name", SPLITS)
def test_every_fact_stands_in_the_brief_word_for_word(name: str) -> None:
    for line, row in zip(lines(name), facts(name), strict=True):
        due = ["kind", "catch", "keith", "price", "name"]
        due += {"description": ["material", "colour", "size"], "post": [], "email": ["material", "colour"]}[
            row["channel"]
        ]
        told = [row[key] for key in due if row[key]] + list((row["offer"] or {}).values())[:3] + row["secret"]
        missing = [value for value in told if value.lower() not in brief(line).lower()]
        assert missing == [], brief(line)


@pytest.mark.parametrize("name", ["validation", "test", "test_new_kinds"])
def test_hardly_any_masked_brief_occurs_in_training(name: str) -> None:
    train, held_out = masked("train"), masked(name)
    equal = sum(text in set(train) for text in held_out) / len(held_out)
    near = sum(process.extractOne(t, train, scorer=fuzz.ratio)[1] >= 95 for t in held_out) / len(held_out)
    assert equal < 0.05 and near < 0.05


@pytest.mark.parametrize("name", ["test", "test_new_kinds"])
def test_products_of_the_tests_are_new(name: str) -> None:
    for key in ("name", "kind", "material", "colour", "catch", "keith"):
        seen = {row[key] for row in facts("train") + facts("validation")} - {""}
        assert seen.isdisjoint({row[key] for row in facts(name)}), key


def test_hardly_any_fact_comes_twice_in_training() -> None:
    for key in ("name", "kind", "material", "colour", "catch", "keith"):
        values = [row[key] for row in facts("train") if row[key]]
        assert len(set(values)) == len(values), key


def test_new_kinds_are_other_things_and_their_briefs_share_no_run_of_five_words_with_banks_or_training() -> None:
    known = {row["kind"].split()[-1] for row in facts("train")}
    assert {row["kind"].split()[-1] for row in facts("test_new_kinds")}.isdisjoint(known)

    def runs(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"[a-z'_]+", re.sub(r"\{\w+\}", "_", text.lower()))
        return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}

    banks = (SAMPLE / "phrases" / "briefs.txt").read_text(encoding="utf-8").splitlines()
    seen = set().union(*map(runs, banks), *map(runs, masked("train")))
    assert [text for text in masked("test_new_kinds") if {run for run in runs(text) if set(run) != {"_"}} & seen] == []


# Raw exports -------------------------------------------------------------------------------------------------------


def test_raw_holds_what_is_planted() -> None:
    assert len(pieces()) >= 1000 and set(pieces()["id"]) == set(planted())
    assert pieces()["channel"].value_counts().min() >= 300
    counts = Counter(name for row in planted().values() for name in row["defects"])
    assert len(counts) >= 12 and min(counts.values()) >= 10


def test_choosing_recovers_the_curated_splits() -> None:
    chosen = choose(pieces())
    ids = {row["raw_id"] for name in SPLITS[:3] for row in facts(name)}
    assert set(chosen.kept["id"]) == ids
    texts = dict(zip(chosen.kept["id"], chosen.kept["text"], strict=True))
    for name in SPLITS[:3]:
        for line, row in zip(lines(name), facts(name), strict=True):
            assert texts[row["raw_id"]] == line["messages"][-1]["content"]
    assert len(chosen.kept) + len(chosen.dropped) == len(pieces()) and chosen.dropped["why"].str.len().min() > 5


def test_nothing_chosen_is_of_another_voice_or_must_be_dropped() -> None:
    drop = {"other_voice", "draft", "trial", "no_figures", "wrong_price", "told_secret", "customer_quote", "repeat"}
    assert [raw_id for raw_id in choose(pieces()).kept["id"] if drop & set(planted()[raw_id]["defects"])] == []


def test_sales_choose_what_was_paid_for_and_ranks_among_equals_the_house_voice() -> None:
    public = pieces()[pieces()["status"].isin(PUBLISHED) & pieces()["rate"].notna()]
    voice = public["id"].map(lambda raw_id: planted()[raw_id]["voice"])
    posts = public["channel"] == "post"
    best = public["rank"] >= 0.75
    sold = posts & (public["sold"] >= public.loc[posts, "sold"].quantile(0.75))
    house = {
        name: (voice[chosen] == "house").mean()
        for name, chosen in {"sold": sold, "ranked": best & posts, "all": posts}.items()
    }
    assert house["ranked"] > max(house["sold"], house["all"]) + 0.1
    assert public.loc[sold, "boosted"].mean() > 2 * public.loc[posts, "boosted"].mean()


def test_opens_are_no_measure_since_programs_open_mails() -> None:
    mails = pieces()[(pieces()["channel"] == "email") & pieces()["status"].isin(PUBLISHED)]
    share = mails["opens"] / mails["reach"]
    assert share[mails["day"] >= "2025-06-01"].mean() > share[mails["day"] < "2025-06-01"].mean() + 0.2


def test_cleaning_takes_out_what_programs_left() -> None:
    text = "<p>Subject: A</p><p>Moth &amp; Biscuit, 4\u00c2\u00a0quid.</p>"
    assert clean_piece(text) == "Subject: A\nMoth & Biscuit, 4 quid."
    assert clean_piece("One.\n#A #B\nhttps://shop.example/x?utm_source=feed") == "One.\n#A #B"


def test_an_export_that_is_missing_is_explained(tmp_path: Path) -> None:
    with pytest.raises(Explained):
        read_pieces(tmp_path)
