"""Coverage: the view counts what is there, names what is missing, and says it in a picture and in words."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from helpers.collect import read_support_exports
from helpers.coverage import asked, coverage, coverage_plot, coverage_view, describe_coverage, intent_of, misspelt
from helpers.plots import png
from helpers.workspace import read_jsonl

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "support"


def example(*said: str, reply: str = "Yes.", kind: str = "late") -> dict[str, Any]:
    turns = [{"role": "user", "content": text} for text in said]
    return {"messages": [*turns, {"role": "assistant", "content": f'{reply}\n{{"intent": "{kind}"}}'}]}


CASES = {
    ("kind", "late"): example("Where is it, please?"),
    ("kind", "gift"): example("It was a gift.", kind="gift"),
    ("length", "1 to 9 words"): example("Where is it?"),
    ("length", "10 to 24 words"): example("Word, " * 10),
    ("length", "100 words or more"): example("Word, " * 100),
    ("edge case", "several messages by the user"): example("Where is it?", "LM-12345."),
    ("edge case", "more than one question"): example("Where is it? And when?"),
    ("edge case", "the last reply asks back"): example("Where?", reply="Which order number?"),
    ("edge case", "a script other than Latin"): example("Где мой заказ?"),
    ("edge case", "emoji"): example("Late again 🙄."),
    ("user error", "no capital at the start"): example("where is it?"),
    ("user error", "all in capitals"): example("WHERE IS IT?"),
    ("user error", "no punctuation"): example("Where is it"),
    ("user error", "no reference number"): example("Where is it?"),
    ("user error", "a number of another form"): example("Where is 12345?"),
}


@pytest.mark.parametrize("place", CASES, ids=" ".join)
def test_each_thing_is_counted_where_it_stands(place: tuple[str, str]) -> None:
    plain = example("Where is my order LM-12345? " + "Please, tell me. " * 9, kind="other")
    view = coverage_view([plain, CASES[place], plain], reference=r"LM-\d{5}", fewest=2).set_index(["part", "what"])
    assert view.loc[place, "numbers"] == [2] and view.loc[place, "n"] == 1
    assert view.loc[place, "share"] == pytest.approx(1 / 3) and view.loc[place, "collect_more"] == 1
    assert view.loc[("kind", "other"), "collect_more"] == 0


def test_missing_kinds_are_named() -> None:
    view = coverage_view([example("Where?")], expected=["late", "gift"]).set_index(["part", "what"])
    assert view.loc["missing kind"].index.tolist() == ["gift"]
    assert view.loc[("missing kind", "gift"), ["n", "collect_more"]].tolist() == [0, 10]
    assert "no reference number" not in view.loc["user error"].index  # nobody said what one looks like
    assert coverage_view([]).n.sum() == 0


def test_the_view_agrees_with_the_other_one_on_the_sample() -> None:
    examples = read_jsonl(SAMPLE / "train.jsonl")
    view = coverage_view(examples, reference=r"LM-\d{5}")
    by_kind = coverage(examples).set_index("kind").n
    kinds = view[view.part == "kind"].set_index("what").n
    assert kinds.to_dict() == by_kind.to_dict() and kinds.sum() == len(examples)
    assert view[view.part == "length"].n.sum() == len(examples)
    records = coverage_view(read_support_exports(SAMPLE / "raw"), kind=lambda record: record.source.split("/")[0])
    mails = list((SAMPLE / "raw" / "emails").glob("*-1.eml"))
    assert records[records.part == "kind"].set_index("what").n.to_dict()["emails"] == len(mails)


def test_misspelt_words_are_found_and_right_ones_and_names_are_not() -> None:
    texts = ["my order has not been delivered"] * 30 + [
        "my ordr has not been delievred",
        "Ordr is my name",
        "my border",
    ]
    assert misspelt(texts)[30:] == [["delievred", "ordr"], [], []]
    assert not any(misspelt(texts)[:30])
    assert misspelt([]) == [] and misspelt([""]) == [[]]


def test_misspellings_are_measured_on_planted_ones() -> None:
    """Precision and recall by message: two letters swapped, one left out or doubled in a word, in 3 messages of 10."""
    rng = random.Random(1)
    clean = [asked(row) for row in read_jsonl(SAMPLE / "train.jsonl")]
    before = {place for place, words in enumerate(misspelt(clean)) if words}  # the sample has slips of its own
    texts, planted = [], set()
    for place, text in enumerate(clean):
        words = text.split()
        fit = [i for i, word in enumerate(words) if word.isalpha() and word.islower() and len(word) > 4]
        if rng.random() < 0.3 and fit and place not in before:
            i, word = (at := rng.choice(fit)), words[at]
            k = rng.randrange(1, len(word) - 1)
            swapped = word[:k] + word[k + 1] + word[k] + word[k + 2 :]
            words[i] = rng.choice([swapped, word[:k] + word[k + 1 :], word[:k] + word[k] + word[k:]])
            planted |= {place} if words[i] != word else set()
        texts.append(" ".join(words))
    found = {place for place, words in enumerate(misspelt(texts)) if words} - before
    precision, recall = len(found & planted) / len(found), len(found & planted) / len(planted)
    print(f"\nmisspelt: {len(planted)} planted, {len(found)} found; precision {precision:.2f}, recall {recall:.2f}")
    assert len(planted) > 100 and precision >= 0.9 and recall >= 0.45


def test_the_picture_and_its_words() -> None:
    examples = read_jsonl(SAMPLE / "validation.jsonl")
    view = coverage_view(examples, expected=["loyalty"])
    assert png(coverage_plot(view)).startswith(b"\x89PNG")
    axes = coverage_plot(view).axes[0]
    assert [int(bar.get_width()) for bar in axes.patches] == view.n.tolist()
    assert len(axes.lines) == 1 and axes.lines[0].get_xdata()[0] == 10
    assert not coverage_plot(view[view.collect_more == 0]).axes[0].lines
    words = describe_coverage(view)
    assert "missing kind: loyalty 0" in words and "loyalty (10 more)" in words
    assert f"{intent_of(examples[0])} " in words
