"""Nothing of the cases' data is in the pretraining corpus: not their formats, house styles, phrasings or test items.

Compared on 18,000 generated tasks, a third of them drawn evenly from all skills, as runs of words with names, codes
and numbers masked. A few runs of five everyday words meet by chance in any two English texts; runs of eight should
not, nor whole sentences.
"""

from __future__ import annotations

import itertools
import json
import re
from functools import cache
from pathlib import Path

import pytest

from helpers.local_service.pretrain import corpus

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "samples"
TASKS, EVENLY = 12_000, 6_000


def skeleton(text: str) -> list[str]:
    """The words of a text, with what has a digit or an inner capital start masked."""
    text = re.sub(r"\S*\d\S*", " _ ", text)
    text = re.sub(r"(?<=[a-z,] )[A-Z][a-z]+", "_", text)
    return re.findall(r"[a-z_']+", text.lower().replace("\u2019", "'"))


def runs(text: str, length: int) -> set[tuple[str, ...]]:
    words = skeleton(text)
    return {tuple(words[i : i + length]) for i in range(len(words) - length + 1)}


@cache
def corpus_runs(length: int) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    opening, balanced = corpus.tasks(seed=11), corpus.tasks(seed=12, shares=corpus.BALANCED, varied=True)
    for task in (*itertools.islice(opening, TASKS), *itertools.islice(balanced, EVENLY)):
        for message in task.messages:
            found |= runs(message["content"], length)
    return found


def sample_texts(name: str) -> list[str]:
    texts = []
    for path in sorted((SAMPLES / name).glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            texts += [m["content"] for m in row.get("messages", []) if m["role"] != "system"]
            texts += [row[name] for name in ("text", "question", "answer") if name in row]  # passages and questions
    return texts


# The general skills are those of pretraining, on purpose.
NAMES = sorted({path.parent.name for path in SAMPLES.glob("*/train.jsonl")} - {"general"})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("length", "most"), [(5, 0.02), (8, 0.001)])
def test_hardly_any_run_of_words_of_a_sample_is_in_the_corpus(name: str, length: int, most: float) -> None:
    of_sample = set().union(*(runs(text, length) for text in sample_texts(name)))
    shared = of_sample & corpus_runs(length)
    assert len(of_sample) > 1000
    assert len(shared) / len(of_sample) < most, sorted(shared)[:10]


@pytest.mark.parametrize("name", NAMES)
def test_no_sentence_of_a_sample_is_in_the_corpus(name: str) -> None:
    sentences = {s for text in sample_texts(name) for s in re.split(r"(?<=[.?!])\s|\n", text) if len(s.split()) >= 7}
    known = corpus_runs(7)
    leaked = [s for s in sentences if len(skeleton(s)) >= 7 and runs(s, 7) <= known]
    assert leaked == []


def test_the_measure_would_see_a_leak() -> None:
    """The same measure, turned on a text that is in the corpus, finds all of it."""
    task = next(task for task in corpus.tasks(seed=11) if len(skeleton(task.messages[0]["content"])) >= 20)
    text = task.messages[0]["content"]
    assert runs(text, 8) <= corpus_runs(8)
