"""The customer-support sample: reproducible, held-out sets that are held out, defects where the truth says they are,
and curated splits that helpers.clean recovers from the raw exports."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from rapidfuzz import fuzz, process

from helpers.clean import clean_record
from helpers.collect import Record, read_support_exports

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "support"
SPLITS = ["train", "validation", "test", "test_new_phrasings"]
MADE = [*(f"{name}.jsonl" for name in SPLITS), "facts.jsonl", "split_ids.json", "defects.json", "DATASHEET.md"]
CHARACTERS_PER_TOKEN = 2.6


@cache
def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SAMPLE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


@cache
def facts(name: str) -> list[dict[str, Any]]:
    return [row for row in lines("facts") if row["split"] == name]


@cache
def defects() -> list[dict[str, Any]]:
    return json.loads((SAMPLE / "defects.json").read_text(encoding="utf-8"))


def customer_text(line: dict[str, Any]) -> str:
    return " ".join(m["content"] for m in line["messages"] if m["role"] == "user")


def masked(name: str) -> list[str]:
    """The customers' words without names, towns, products and numbers."""
    texts = []
    for line, row in zip(lines(name), facts(name), strict=True):
        text = customer_text(line)
        for value in (row["full_name"], row["first_name"], row["product"], row["town"]):
            text = re.sub(rf"\b{re.escape(value)}\b", "_", text, flags=re.IGNORECASE) if value else text
        texts.append(re.sub(r"\d+", "0", re.sub(r"_ [A-Z]\.", "_", text)).lower())
    return texts


# Reproducible -----------------------------------------------------------------------------------------------------


def test_a_rerun_gives_the_same_bytes(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, SAMPLE / "make.py", "--out", tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    kept = sorted(
        p.relative_to(SAMPLE) for p in [*(SAMPLE / "raw").rglob("*"), *(SAMPLE / n for n in MADE)] if p.is_file()
    )
    assert made == kept
    different = [str(path) for path in made if (tmp_path / path).read_bytes() != (SAMPLE / path).read_bytes()]
    assert different == [], "run python data/samples/support/make.py"


def test_the_folder_is_small() -> None:
    files = [p for p in SAMPLE.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    assert sum(p.stat().st_size for p in files) < 9_000_000


# Curated files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "least"), [("train", 1800), ("validation", 80), ("test", 120), ("test_new_phrasings", 48)]
)
def test_lines_are_plain_chat_examples(name: str, least: int) -> None:
    assert len(lines(name)) >= least
    systems = set()
    for line in lines(name):
        assert list(line) == ["messages"]
        roles = [m["role"] for m in line["messages"]]
        assert roles in (["system", "user", "assistant"], ["system", "user", "assistant", "user", "assistant"])
        assert all(list(m) == ["role", "content"] and m["content"].strip() == m["content"] for m in line["messages"])
        systems.add(line["messages"][0]["content"])
        assert sum(len(m["content"]) for m in line["messages"]) / CHARACTERS_PER_TOKEN <= 420
    assert len(systems) == 1 and len(systems.pop().split()) <= 25


def test_intents_are_many_and_unequal() -> None:
    counts = Counter(row["intent"] for row in facts("train"))
    assert len(counts) >= 14
    assert max(counts.values()) >= 4 * min(counts.values())
    for name in SPLITS:
        assert {row["intent"] for row in facts(name)} == set(counts)


@pytest.mark.parametrize("name", SPLITS)
def test_facts_are_in_the_messages_and_the_ticket_line_follows_from_them(name: str) -> None:
    for line, row in zip(lines(name), facts(name), strict=True):
        text, reply = customer_text(line).lower(), line["messages"][-1]["content"]
        assert json.loads(reply.splitlines()[0]) == row["expected_json"]
        assert row["policy"] in reply
        for value in (row["first_name"], row["product"], (row["order"] or "").removeprefix("LM-")):
            assert (value or "").lower() in text


@pytest.mark.parametrize("name", SPLITS)
def test_no_private_data_in_curated_text(name: str) -> None:
    private = r"@|07700|\+44|(?:\d[ -]?){12}|\b\d+ [A-Z]\w+ (?:Street|Lane|Road|Row|Close)"
    residue = r"â€|&\w+;|<\w+|[\x00-\x09\x0b-\x1f\u200b\ufeff\xad]"
    marks = re.compile(f"{private}|{residue}")
    found = [m["content"] for line in lines(name) for m in line["messages"] if marks.search(m["content"])]
    assert found == []


# Held-out sets ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["validation", "test", "test_new_phrasings"])
def test_hardly_any_masked_message_occurs_in_training(name: str) -> None:
    train, held_out = masked("train"), masked(name)
    equal = sum(text in set(train) for text in held_out) / len(held_out)
    near = sum(process.extractOne(t, train, scorer=fuzz.ratio)[1] >= 95 for t in held_out) / len(held_out)
    assert equal < 0.05 and near < 0.05


def test_nearly_every_conversation_has_names_of_its_own() -> None:
    for key in ("first_name", "full_name", "product"):
        counts = Counter(row[key] for row in facts("train") if row[key])
        assert max(counts.values()) <= 2 and len(counts) >= 0.95 * sum(counts.values()), key


def test_the_facts_settle_every_word_of_a_reply() -> None:
    """Replies with name, number and product masked: the same for the same ticket line and policy."""
    masked_replies: dict[str, set[str]] = {}
    for line, row in zip(lines("train"), facts("train"), strict=True):
        ticket, prose = line["messages"][-1]["content"].split("\n", 1)
        for value in (row["product"], row["order"]):
            ticket, prose = (text.replace(value, "_") if value else text for text in (ticket, prose))
        masked_replies.setdefault(ticket + row["policy"], set()).add(re.sub(r"^Hello [^,]+", "", prose))
    assert {len(texts) for texts in masked_replies.values()} == {1}


@pytest.mark.parametrize("name", ["test", "test_new_phrasings"])
def test_names_numbers_and_products_of_the_tests_are_new(name: str) -> None:
    for key in ("first_name", "order", "product"):
        seen = {row[key] for row in facts("train") + facts("validation")} - {None}
        assert seen.isdisjoint({row[key] for row in facts(name)}), key


def test_new_phrasings_share_no_run_of_five_words_with_banks_or_training() -> None:
    def runs(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"[a-z'_]+", text.lower())
        return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}

    banks = [p for p in (SAMPLE / "phrases").rglob("*.txt") if p.stem != "new_phrasings"]
    known = set().union(*(runs(line) for p in banks for line in p.read_text(encoding="utf-8").splitlines()))
    known |= set().union(*(runs(text) for text in masked("train")))
    assert [text for text in masked("test_new_phrasings") if runs(text) & known] == []


# Raw exports and planted truth --------------------------------------------------------------------------------------


@cache
def raw() -> dict[tuple[str, Any], Record]:
    """Every record by (file, place), as defects.json names them."""
    return {(record.source, record.raw.get("row")): record for record in read_support_exports(SAMPLE / "raw")}


def conversation(record: Record) -> list[tuple[str, str]]:
    """The clean turns of a record."""
    return clean_record(record).turns


def test_raw_is_as_large_as_promised_and_every_record_has_its_truth() -> None:
    assert len({record.id for record in raw().values()}) >= 900
    assert {(row["file"], row["record"]): row["id"] for row in defects()} == {k: v.id for k, v in raw().items()}


def test_usable_records_are_exactly_the_curated_conversations() -> None:
    ids = json.loads((SAMPLE / "split_ids.json").read_text(encoding="utf-8"))
    listed = [raw_id for name in ("train", "validation", "test") for raw_id in ids[name]]
    assert len(listed) == len(set(listed))
    assert sorted(row["id"] for row in defects() if row["usable"]) == sorted(listed)
    assert all([row["raw_id"] for row in facts(name)] == ids[name] for name in ids)


def test_cleaning_recovers_the_curated_conversations() -> None:
    ids = json.loads((SAMPLE / "split_ids.json").read_text(encoding="utf-8"))
    by_id = {row["id"]: raw()[row["file"], row["record"]] for row in defects() if row["usable"]}
    alike = 0
    for name, wanted in ids.items():
        for raw_id, line in zip(wanted, lines(name), strict=True):
            got = conversation(by_id[raw_id])
            want = [(m["role"], m["content"]) for m in line["messages"][1:]]
            same_replies = [t for who, t in got if who == "assistant"] == [t for who, t in want if who == "assistant"]
            score = fuzz.ratio(" ".join(t for _, t in got), " ".join(t for _, t in want))
            alike += same_replies and score >= 99
    assert alike / sum(map(len, ids.values())) >= 0.98


def test_every_kind_of_defect_is_planted_and_visible() -> None:
    seen = {
        "mojibake": r"â€|Ã|Â",
        "html_residue": r"<br|<p>|<div>|&\w+;|&#39;",
        "control_characters": "[\x07\x0b\xad\u200b\ufeff]",
        "personal_data": r"@example|7700 ?900|(?:\d{4} ?){4}|\bQ[A-Z]\d+ \d[A-Z]{2}",
    }
    counts = Counter(name for row in defects() for name in row["defects"])
    assert len(counts) >= 20 and min(counts.values()) >= 10
    for row in defects():
        text = " ".join(t for _, t in raw()[row["file"], row["record"]].turns)
        visible = re.sub(seen["control_characters"], "", text)
        for name, marks in seen.items():
            if name in row["defects"]:
                assert re.search(marks, text if name == "control_characters" else visible), (name, row)


def test_copies_are_what_they_are_called() -> None:
    by_id = {row["id"]: raw()[row["file"], row["record"]] for row in defects() if "snapshot" not in row["defects"]}
    for row in defects():
        if not {"exact_duplicate", "near_duplicate", "snapshot"} & set(row["defects"]):
            continue
        mine = raw()[row["file"], row["record"]]
        theirs = by_id[row["same_as"] or row["id"]]
        if "snapshot" in row["defects"]:
            assert len(mine.turns) <= len(by_id[row["id"]].turns)
        elif "exact_duplicate" in row["defects"]:
            assert conversation(mine)[0] == conversation(theirs)[0]
        elif "near_duplicate" in row["defects"]:
            texts = conversation(mine)[0][1], conversation(theirs)[0][1]
            assert texts[0] != texts[1] and fuzz.ratio(*texts) >= 80


def test_old_figures_stand_only_where_the_truth_says_so() -> None:
    old = re.compile(r"free for 30 days|then 25 pounds|part costs 6 pounds|at 20 pieces")
    for row in defects():
        replies = " ".join(t for who, t in raw()[row["file"], row["record"]].turns if who == "assistant")
        if not {"off_style", "swapped_roles", "snapshot"} & set(row["defects"]):
            assert bool(old.search(replies)) == bool({"old_policy", "stale_policy"} & set(row["defects"])), row


def test_encodings_are_as_documented() -> None:
    assert (SAMPLE / "raw" / "tickets.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    with pytest.raises(UnicodeDecodeError):
        (SAMPLE / "raw" / "tickets_old_helpdesk.csv").read_text(encoding="utf-8")
