"""Near-duplicates: recall and precision on planted paraphrases, and a budget that is held and said.

The data are the support sample's 480 training examples, which are hard on purpose: all follow one house style, many
share whole sentences, and no two are the same. A paraphrase of every one is planted.
"""

from __future__ import annotations

import json
import random
import re
import string
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from helpers.check import check_examples
from helpers.checks.examples import example_of
from helpers.checks.files import Collection
from helpers.checks.near import NearIndex, sketch

TRAIN = Path(__file__).resolve().parents[1] / "data" / "samples" / "support" / "train.jsonl"
ROWS: list[dict[str, Any]] = [json.loads(line) for line in TRAIN.read_text(encoding="utf-8").splitlines()]
NAMES = ["Ottoline", "Casimir", "Jessamy", "Barnaby", "Quenby", "Florian", "Hesper", "Leofric"]
# The measured recall of each kind was 1.00, 1.00 and 0.99 (of 480 each), the measured precision 1.00.
RECALL = {"light edits": 0.98, "reordered sentences": 0.98, "changed names": 0.97}
PRECISION = 0.99


def lightly_edited(text: str, rng: random.Random) -> str:
    """One word in twelve, and at least one, is misspelt, left out, doubled or joined by another."""
    words = text.split(" ")
    for _ in range(max(1, len(words) // 12)):
        place = rng.randrange(len(words))
        word = words[place]
        turned = word[:-2] + word[-1:] + word[-2:-1]
        words[place : place + 1] = rng.choice(
            [[turned], [], [word, word], [rng.choice(["really", "just", "so"]), word]]
        )
    return " ".join(words)


def reordered(text: str, rng: random.Random) -> str:
    sentences = re.split(r"(?<=[.?!])\s+", text)
    rng.shuffle(sentences)
    return " ".join(sentences)


def renamed(text: str, rng: random.Random) -> str:
    """Every number is another one, and so are up to three names: capital letters in the middle of a sentence."""
    text = re.sub(r"\d", lambda _: rng.choice(string.digits), text)
    found = sorted(set(re.findall(r"(?<=[a-z,] )[A-Z][a-z]{3,}", text)))
    for name in found[:3]:
        text = text.replace(name, rng.choice(NAMES))
    return text


EDITS = {"light edits": lightly_edited, "reordered sentences": reordered, "changed names": renamed}


def paraphrase(row: dict[str, Any], kind: str, rng: random.Random) -> dict[str, Any]:
    """The example with every message but the system's changed."""
    system, *others = row["messages"]
    return {"messages": [system, *({**m, "content": EDITS[kind](m["content"], rng)} for m in others)]}


@pytest.mark.parametrize("kind", EDITS)
def test_planted_paraphrases_are_found_and_nothing_else(kind: str) -> None:
    rng = random.Random(1)
    found = check_examples([*ROWS, *(paraphrase(row, kind, rng) for row in ROWS)]).findings
    near = [f for f in found if f.code in ("near_duplicate", "duplicate")]
    sources = {f.line: int(re.findall(r"line (\d+)", f.why)[0]) for f in near}
    right = sum(line == source + len(ROWS) for line, source in sources.items())
    print(f"{kind}: recall {right / len(ROWS):.3f}, precision {right / len(sources):.3f}, {len(sources)} found")
    assert right / len(ROWS) >= RECALL[kind]
    assert right / len(sources) >= PRECISION


def test_what_differs_in_the_question_or_the_answer_alone_is_no_near_duplicate() -> None:
    """One long document with several questions, and one question with several answers, are what they should be."""
    words = [" ".join(random.Random(i).choices(string.ascii_lowercase, k=1)) * 5 for i in range(200)]
    document = " ".join(words)
    asked = [f"{document} Which word is number {i}, counted from the front?" for i in range(12)]
    rows = [[question, f"It is {chr(97 + i) * 9}."] for i, question in enumerate(asked)]
    found = check_examples([chat(*row) for row in rows]).findings
    assert {f.code for f in found} == {"no_system"}
    told = [chat("Who keeps the garden?", f"{name} keeps it.") for name in ("Ann", "The whole village by turns,")]
    assert "contradiction" in {f.code for f in check_examples(told).findings}


def chat(question: str, answer: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def test_writing_without_spaces() -> None:
    said = "这家店的退货政策是三十天内可以免费退货并且全额退款到原来的银行卡"
    rows = [
        chat(said + "吗", said),
        chat(said + "么", said + "的"),
        chat("你好今天天气怎么样", "今天天气很好适合出去散步"),
    ]
    near = [f for f in check_examples(rows).findings if f.code == "near_duplicate"]
    assert [f.line for f in near] == [2]


def test_the_budget_is_held() -> None:
    """The index takes no more memory than its budget, however many examples come, and keeps finding what it holds."""
    budget, rng = 20 * 1024 * 1024, random.Random(1)
    words = ["".join(rng.choices(string.ascii_lowercase, k=6)) for _ in range(2000)]
    sketches = [sketch(" ".join(rng.choices(words, k=20)), " ".join(rng.choices(words, k=200))) for _ in range(3000)]
    tracemalloc.start()
    index = NearIndex(budget)
    for line, given in enumerate(sketches, start=1):
        index.add(given._replace(words=given.words + " "), line)  # a text of its own, that counts here
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert index.full is not None and 1000 < index.full < 3000
    assert 0.8 * budget < used < 1.02 * budget
    assert index.find(sketches[0]) is not None and index.find(sketches[-1]) is None


def test_beside_the_index_a_row_takes_a_fifth_of_a_kilobyte(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measured: 200 bytes a row of one turn, none of which is a text."""
    monkeypatch.setattr("helpers.checks.files.NearIndex", lambda: NearIndex(0))
    rows = [chat(f"Question {number} " + "of some length " * 20, f"Answer {number}") for number in range(5000)]
    examples = [example for example in map(example_of, rows) if example is not None]
    tracemalloc.start()
    seen = Collection()
    before, _ = tracemalloc.get_traced_memory()
    assert not [found for line, example in enumerate(examples, start=1) for found in seen.add(example, line)]
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (after - before) / len(rows) < 260


def test_a_used_up_budget_is_said_and_only_then(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    small = {"budget": NearIndex().heads.nbytes + 3000}
    monkeypatch.setattr("helpers.checks.files.NearIndex", lambda: NearIndex(**small))
    found = [f for f in check_examples(ROWS[:20]).findings if f.code == "near_not_compared"]
    assert len(found) == 1 and found[0].severity == "warning" and found[0].line is None
    assert re.search(r"before line \d+ filled", found[0].why)
    path = tmp_path / "train.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS[:20]), encoding="utf-8")
    said = [f.why for f in check_examples(ROWS[20:22], against=path).findings if f.code == "near_not_compared"]
    assert len(said) == 1 and "train.jsonl" in said[0]
    assert not [f for f in check_examples(ROWS[:3]).findings if f.code == "near_not_compared"]
