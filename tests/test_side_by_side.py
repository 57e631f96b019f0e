"""Choosing blind between two systems: what the buttons do, that nothing is lost or given away, and what it comes to."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from IPython.core.formatters import DisplayFormatter
from made_evaluation import made

from helpers import frontend
from helpers import side_by_side as module
from helpers.check import check_file
from helpers.compare import BETTER, UNKNOWN
from helpers.errors import Explained
from helpers.evaluate import Evaluation
from helpers.frontend import VIEW
from helpers.preferences import Pairs
from helpers.side_by_side import Rater, side_by_side
from helpers.workspace import read_jsonl


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FINETUNE_BUILD", str(tmp_path))
    return tmp_path


def systems(count: int = 12) -> tuple[Evaluation, Evaluation]:
    """A bad system and a good one; they answer the last question alike."""
    bad = [f"bad {number}" for number in range(count)] + ["same"]
    good = [f"good {number}" for number in range(count)] + ["same"]
    return made(bad, system="base", model="base"), made(good)


def prefer(rater: Rater, word: str, count: int = 1000) -> None:
    """Press the button of the side whose answer holds the word."""
    for _ in range(min(count, len(rater.open()))):
        left, right = module._sides(rater, rater.pairs[rater.page.place])
        label = "Left is better" if word in left else "Right is better" if word in right else "Equally good"
        rater.page.buttons[label].click()


def test_a_choice_is_saved_at_once_and_the_page_goes_on_and_resumes(folder: Path) -> None:
    first = side_by_side(*systems(), "ann")
    assert "pair 1 of 12, 0 chosen" in first.page.status.value
    prefer(first, "good", 2)
    assert "pair 3 of 12, 2 chosen" in first.page.status.value and "Pair 2: saved" in first.page.message.value
    [path] = (folder / "preferences").iterdir()
    assert len(path.read_bytes().splitlines()) == 2
    path.write_bytes(path.read_bytes()[:-30])  # a crash cut the last line short
    again = side_by_side(*systems(), "ann")
    assert "pair 2 of 12, 1 chosen" in again.page.status.value
    again.page.buttons["Previous"].click()
    assert again.side(0) and f"this one: {again.side(0)}" in again.page.status.value
    again.page.buttons["Equally good"].click()
    assert again.table().choice.tolist()[:2] == ["tie", ""]
    prefer(again, "good")
    assert "All pairs are chosen for" in again.page.message.value


def test_one_letter_does_the_work_of_a_button() -> None:
    rater = side_by_side(*systems(), "ann")
    for letter in "lRenpn":
        rater.page.keys.value = letter
    rater.page.keys.value = "ll"
    rater.page.keys.value = "x"
    assert "does nothing" in rater.page.message.value
    assert rater.table().choice.tolist()[:4] == ["left", "right", "tie", ""] and rater.page.place == 4


def test_nothing_tells_whose_answer_is_whose() -> None:
    first, second = systems(200)
    rater = side_by_side(first, second, "ann")
    lefts = [rater.left(pair) for pair in rater.pairs]
    assert 70 <= lefts.count("first") <= 130
    assert lefts != [side_by_side(first, second, "bo").left(pair) for pair in rater.pairs]
    shown = rater.page.view.value + rater.page.status.value + rater.table().to_string()
    assert "tuned" not in shown and "base" not in shown and "ft:a" not in shown


def test_pairs_are_the_same_for_every_rater_and_leave_out_what_cannot_be_chosen() -> None:
    first, second = systems(20)
    samples = [[pair.key for pair in side_by_side(first, second, name, n=5).pairs] for name in ("ann", "bo")]
    assert samples[0] == samples[1] and len(samples[0]) == 5
    second.frame.loc[3, ["answer", "finish_reason", "error"]] = ["", "", "timed out"]
    pairs = Pairs(first, second)
    assert (len(pairs.differ), pairs.same, pairs.failed) == (19, 1, 1)
    with pytest.raises(Explained, match="same answer everywhere"):
        side_by_side(first, first, "ann")
    with pytest.raises(Explained, match="not of the same examples"):
        Pairs(first, made(["a"]))
    with pytest.raises(Explained, match="cannot be part of a file name"):
        side_by_side(first, second, "../ann")


def test_win_rates_agreement_and_verdict() -> None:
    first, second = systems()
    prefer(side_by_side(first, second, "ann"), "good")
    pairs = Pairs(first, second)
    [row] = pairs.win_rates().to_dict("records")
    assert (row["wins"], row["losses"], row["n"], row["win_rate"], row["verdict"]) == (12, 0, 12, 1.0, BETTER)
    assert 0 < row["left"] < 1
    with pytest.raises(Explained, match="two raters"):
        pairs.agreement()
    bo = side_by_side(first, second, "bo")
    prefer(bo, "good", 6)
    prefer(bo, "bad", 5)
    prefer(bo, "neither")
    found = pairs.win_rates().set_index("rater")
    assert found.loc["bo", ["wins", "losses", "ties"]].tolist() == [6, 5, 1] and found.loc["bo", "verdict"] == UNKNOWN
    assert found.loc["majority", ["wins", "losses", "ties"]].tolist() == [6, 0, 6]
    [agreed] = pairs.agreement().to_dict("records")
    assert agreed["raters"] == "ann, bo" and agreed["n"] == 12 and agreed["agree"] == 0.5


def test_choices_for_answers_that_have_changed_do_not_count() -> None:
    first, second = systems()
    prefer(side_by_side(first, second, "ann"), "good", 3)
    chosen = side_by_side(first, second, "ann").table()
    assert (chosen.choice != "").sum() == 3
    second.frame["answer"] += "!"
    assert Pairs(first, second).choices("ann") == {}


def test_preferences_become_a_file_for_dpo(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = systems()
    rater = side_by_side(first, second, "ann")
    prefer(rater, "good", 10)
    prefer(rater, "bad", 1)
    prefer(rater, "neither", 1)
    path = Pairs(first, second).write_dpo(folder / "dpo.jsonl")
    assert "11 preferences" in capsys.readouterr().out
    rows = read_jsonl(path)
    assert sum(row["preferred_output"][0]["content"].startswith("good") for row in rows) == 10
    assert all(row["input"]["messages"][-1]["role"] == "user" for row in rows)
    assert not check_file(path, method="dpo").errors


def test_random_choices_have_no_winner() -> None:
    first, second = systems(60)
    rater, rng = side_by_side(first, second, "ann"), random.Random(1)
    for place in range(60):
        rater.choose(place, rng.choice(["left", "right"]))
    [row] = Pairs(first, second).win_rates().to_dict("records")
    assert row["verdict"] == UNKNOWN and row["low"] < 0.5 < row["high"]


def test_a_failed_save_is_told_and_what_is_shown_is_escaped(folder: Path) -> None:
    first, second = systems()
    second.frame["answer"] = "<script>x</script>"
    rater = side_by_side(first, second, "ann")
    assert "<script>" not in rater.page.view.value
    rater.all.path("ann").mkdir()
    rater.page.buttons["Equally good"].click()
    assert "could not be written" in rater.page.message.value and rater.chosen == {}


def test_where_nobody_watches_a_table_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    rater = side_by_side(*systems(), "ann")
    shown, _ = DisplayFormatter().format(rater)
    assert set(shown) == {"text/plain", "text/html"} and "page" not in vars(rater)
    monkeypatch.setattr(frontend, "is_watched", lambda: True)
    assert VIEW in DisplayFormatter().format(rater)[0]
