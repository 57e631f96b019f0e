"""Reviewing: what the buttons do, that nothing decided is lost, what two reviewers come to, and what is exported."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter

from helpers import frontend
from helpers.decisions import agreement, decisions, decisions_path, export, kappa
from helpers.errors import Explained
from helpers.frontend import VIEW
from helpers.review import Page, review
from helpers.workspace import read_jsonl, write_jsonl


def example(number: int) -> dict[str, Any]:
    messages = [("system", "Be brief."), ("user", f"Question {number}?"), ("assistant", f"Answer {number}.")]
    return {"messages": [{"role": role, "content": text} for role, text in messages]}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_jsonl(tmp_path / "train.jsonl", [example(number) for number in range(1, 6)])


def press(page: Page, *labels: str) -> None:
    for label in labels:
        page.buttons[label].click()


def test_each_button_decides_saves_and_goes_on(data: Path) -> None:
    page = review(data, "ann").page
    assert "example 1 of 5" in page.status.value and "Answer 1." in page.view.value
    page.tags["bias"].value = True
    page.note.value = "Would you say so to Bo?"
    press(page, "Accept")
    assert "example 2 of 5 (line 2), 1 decided" in page.status.value and "Answer 2." in page.view.value
    assert page.note.value == "" and not page.tags["bias"].value
    page.replies[0].value = "A better answer."
    press(page, "Save edit", "Reject")
    rows = [json.loads(line) for line in decisions_path(data, "ann").read_text(encoding="utf-8").splitlines()]
    assert [(row["line"], row["decision"]) for row in rows] == [(1, "accept"), (2, "edit"), (3, "reject")]
    assert rows[0]["tags"] == ["bias"] and rows[0]["note"] == "Would you say so to Bo?" and rows[0]["messages"] is None
    assert rows[1]["messages"] == [*example(2)["messages"][:2], {"role": "assistant", "content": "A better answer."}]
    assert all(row["reviewer"] == "ann" and row["at"].endswith("+00:00") for row in rows)
    assert read_jsonl(data) == [example(number) for number in range(1, 6)]


def test_one_letter_in_the_keys_box_does_the_work_of_a_button(data: Path) -> None:
    reviewer = review(data, "ann")
    page = reviewer.page
    for letter in "2aNpr":  # tag unsafe, accept; next, previous, reject
        page.keys.value = letter
        assert page.keys.value == ""
    assert reviewer.table().decision.tolist() == ["accept", "reject", "", "", ""]
    assert reviewer.table().tags[0] == "unsafe"
    page.keys.value = "aa"  # typed ahead of what is shown
    page.keys.value = "x"
    assert len(reviewer.decided) == 2 and "does nothing" in page.message.value
    for key, (label, button) in zip("aernp", page.buttons.items(), strict=True):
        assert f"({key})" in button.description and label in button.tooltip and f" {key} " in button.tooltip


def test_it_opens_where_it_was_left_and_a_decision_can_be_changed(data: Path) -> None:
    first = review(data, "ann").page
    first.replies[0].value = "Edited."
    press(first, "Save edit", "Accept")
    again = review(data, "ann").page
    assert "example 3 of 5" in again.status.value
    press(again, "Previous", "Previous")
    assert "this one: edit" in again.status.value and again.replies[0].value == "Edited."
    press(again, "Reject")
    assert "example 3 of 5" in again.status.value
    assert [made.decision for made in decisions(data, "ann").values()] == ["reject", "accept"]
    assert len(decisions_path(data, "ann").read_bytes().splitlines()) == 3


def test_what_is_typed_and_not_decided_is_kept_while_one_looks_around(data: Path) -> None:
    page = review(data, "ann").page
    page.replies[0].value, page.note.value = "Half a", "Think again."
    press(page, "Next", "Previous")
    assert (page.replies[0].value, page.note.value) == ("Half a", "Think again.")
    press(page, "Accept")
    assert "press Save edit" in page.message.value and not decisions_path(data, "ann").exists()
    page.replies[0].value = " "
    press(page, "Save edit")
    page.replies[0].value = "Answer 1."
    press(page, "Save edit")
    assert "Change the reply first" in page.message.value and not decisions_path(data, "ann").exists()


def test_the_end_is_told(data: Path) -> None:
    page = review(data, "ann").page
    press(page, *["Accept"] * 5)
    assert "All examples are decided" in page.message.value and "5 decided" in page.status.value


def test_a_decision_is_on_the_disk_before_the_next_is_shown(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page, synced, real = review(data, "ann").page, [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda number: (synced.append(page.place), real(number)))
    press(page, "Accept")
    assert synced == [0] and page.place == 1


def test_a_failed_save_is_told_and_changes_nothing(data: Path) -> None:
    page = review(data, "ann").page
    decisions_path(data, "ann").mkdir()
    page.note.value = "Kept."
    press(page, "Accept")
    assert "could not be written" in page.message.value and "example 1 of 5" in page.status.value
    assert page.note.value == "Kept." and page.reviewer.decided == {}
    decisions_path(data, "ann").rmdir()
    press(page, "Accept")
    assert next(iter(decisions(data, "ann").values())).note == "Kept."


def test_a_line_that_a_crash_cut_short_is_told_and_takes_no_other_with_it(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    press(review(data, "ann").page, "Accept", "Accept")
    path = decisions_path(data, "ann")
    path.write_bytes(path.read_bytes()[:-40])
    page = review(data, "ann").page
    assert "line 2" in capsys.readouterr().out and "example 2 of 5" in page.status.value
    press(page, "Reject")
    assert [made.decision for made in decisions(data, "ann").values()] == ["accept", "reject"]
    for odd in (b"[]\n", b"null\n", b'{"decision": "maybe"}\n', b"\xff\n"):
        path.write_bytes(path.read_bytes() + odd)
    assert len(decisions(data, "ann")) == 2 and "line 2, 4, 5, 6, 7" in capsys.readouterr().out


def test_decisions_follow_an_example_to_another_line(data: Path) -> None:
    press(review(data, "ann").page, "Next", "Accept")
    write_jsonl(data, [example(9), example(2)])
    assert review(data, "ann").table().decision.tolist() == ["", "accept"]


def test_what_is_shown_is_escaped_and_odd_rows_can_be_judged(tmp_path: Path) -> None:
    call = {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "find", "arguments": "{}"}}]}
    nasty = "<script>x</script> é 😀 \ud800"
    rows = [
        {"messages": [{"role": "<i>", "content": nasty}, call]},
        {"prompt": nasty},
        {"messages": ["text", None, {"role": "assistant", "content": "Yes."}]},
    ]
    data = tmp_path / "odd.jsonl"
    data.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    page = review(data, "ann").page
    assert page.replies == [] and "find" in page.view.value and "<script>" not in page.view.value + page.status.value
    press(page, "Accept")
    assert "&lt;script&gt;" in page.view.value and "<script>" not in page.view.value
    press(page, "Reject")
    page.replies[0].value = "No."
    press(page, "Save edit")
    assert [made.decision for made in decisions(data, "ann").values()] == ["accept", "reject", "edit"]
    assert "<script>" not in page.reviewer._repr_mimebundle_()["text/html"]


def test_where_nobody_watches_a_table_is_shown_and_else_the_widgets_before_it(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviewer = review(data, "ann")
    shown, _ = DisplayFormatter().format(reviewer)
    assert set(shown) == {"text/plain", "text/html"} and "Question 5?" in shown["text/plain"]
    assert "page" not in vars(reviewer)  # no widgets were made
    monkeypatch.setattr(frontend, "is_watched", lambda: True)
    shown, _ = DisplayFormatter().format(reviewer)
    assert shown[VIEW]["model_id"] == reviewer.page.box.model_id and "<table" in shown["text/html"]


def test_a_sample_is_the_same_for_every_reviewer(data: Path) -> None:
    lines = [[line for line, _ in review(data, name, n=3, seed=2).examples] for name in ("ann", "bo")]
    assert lines[0] == lines[1] == sorted(lines[0]) and len(lines[0]) == 3
    assert len(review(data, "ann", n=99).examples) == 5


def test_what_cannot_be_reviewed_is_explained(data: Path, tmp_path: Path) -> None:
    with pytest.raises(Explained, match="cannot be part of a file name"):
        review(data, "../ann")
    with pytest.raises(Explained, match="holds no examples"):
        review(write_jsonl(tmp_path / "empty.jsonl", []), "ann")
    with pytest.raises(Explained, match="could not be read"):
        review(tmp_path / "none.jsonl", "ann")
    with pytest.raises(Explained, match="two reviewers"):
        agreement(data)


def judgements(table: list[list[int]]) -> tuple[list[int], list[int]]:
    pairs = [(i, j) for i, row in enumerate(table) for j, count in enumerate(row) for _ in range(count)]
    return [i for i, _ in pairs], [j for _, j in pairs]


@pytest.mark.parametrize(
    ("table", "value"),
    [
        ([[20, 5], [10, 15]], 0.4),  # by hand: agree 35 of 50, chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5
        ([[0, 4, 1], [0, 8, 0], [0, 1, 5]], 0.4842),  # SAS's printout that statsmodels' tests hold
        ([[31, 12], [4, 58]], 0.6757),  # the example of ci.kappa in R's statpsych, after Fleiss (2003)
        ([[5, 0], [0, 5]], 1.0),
        ([[0, 5], [5, 0]], -1.0),
    ],
)
def test_kappa_is_that_of_published_examples(table: list[list[int]], value: float) -> None:
    found = kappa(*judgements(table))
    assert found.kappa == pytest.approx(value, abs=5e-5)
    assert found.n == sum(map(sum, table)) and -1 <= found.low <= found.kappa <= found.high <= 1


def test_kappas_interval_is_near_the_large_sample_one_where_that_is_good() -> None:
    """R's statpsych gives 0.5317 to 0.8196 for these 105 by Fleiss, Cohen and Everitt's formula."""
    found = kappa(*judgements([[31, 12], [4, 58]]))
    assert (found.low, found.high) == pytest.approx((0.5317, 0.8196), abs=0.03)


@pytest.mark.parametrize("shares", [[[0.6, 0.05], [0.05, 0.3]], [[0.9, 0.03], [0.02, 0.05]]])
def test_kappas_interval_holds_the_truth_in_small_samples(shares: list[list[float]]) -> None:
    table = np.array(shares)
    chance = (table.sum(0) * table.sum(1)).sum()
    true, rng = (np.trace(table) - chance) / (1 - chance), np.random.default_rng(1)
    drawn = [kappa(*judgements(rng.multinomial(30, table.ravel()).reshape(2, 2).tolist())) for _ in range(300)]
    assert np.mean([found.low <= true <= found.high for found in drawn]) >= 0.92


def test_kappa_of_nothing_and_of_one_kind_only_is_unknown() -> None:
    for a in ([], ["accept"] * 9):
        found = kappa(a, a)
        assert np.isnan(found.kappa) and (found.low, found.high) == (-1, 1)
    with pytest.raises(ValueError):
        kappa([1], [])


def test_two_reviewers_agreement_is_reported_with_the_lines_to_talk_about(data: Path) -> None:
    ann, bo = review(data, "ann").page, review(data, "bo").page
    press(ann, "Accept", "Accept", "Reject", "Accept")
    bo.tags["bias"].value = True
    press(bo, "Accept", "Reject", "Reject", "Accept", "Accept")
    found = agreement(data).set_index("what")
    assert found.reviewers.tolist() == ["ann, bo"] * 2 and found.n.tolist() == [4, 4]
    assert found.loc["decision", "agree"] == 0.75 and found.loc["decision", "kappa"] == pytest.approx(0.5)
    assert found.lines.to_dict() == {"decision": [2], "bias": [1]} and found.loc["bias", "kappa"] == 0


def test_what_may_be_trained_on_is_written_and_the_rest_is_listed(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{**example(1), "tools": []}, *map(example, range(2, 9))]
    before = write_jsonl(data, rows).read_bytes()
    ann, bo = review(data, "ann").page, review(data, "bo").page
    press(ann, "Accept")  # 1: accepted by both
    ann.replies[0].value = "Better."
    press(ann, "Save edit", "Accept")  # 2: edited by one, accepted by the other; 3: not agreed
    ann.note.value = "Rude."
    press(ann, "Reject")  # 4: rejected by both
    ann.replies[0].value = "So."
    press(ann, "Save edit", "Accept")  # 5: edited in two ways; 6: by one reviewer only
    press(bo, "Accept", "Accept", "Reject", "Reject")
    bo.replies[0].value = "Or so."
    press(bo, "Save edit")
    left = export(data, tmp_path / "out" / "reviewed.jsonl")
    assert "3 of 8 examples" in capsys.readouterr().out
    edited = [*example(2)["messages"][:2], {"role": "assistant", "content": "Better."}]
    assert read_jsonl(tmp_path / "out" / "reviewed.jsonl") == [rows[0], {"messages": edited}, rows[5]]
    assert left.line.tolist() == [3, 4, 5, 7, 8]
    reasons = ["disagree: ann accept, bo reject", "rejected: ann reject, bo reject", "edited in different ways"]
    for why, reason in zip(left.why, [*reasons, "not reviewed", "not reviewed"], strict=True):
        assert reason in why
    assert left.note[1] == "ann: Rude." and left.question[0] == "Question 3?"
    written = read_jsonl(tmp_path / "out" / "reviewed.left-out.jsonl")
    assert [row["example"] for row in written] == [rows[line - 1] for line in left.line]
    assert data.read_bytes() == before
    assert export(data, tmp_path / "both.jsonl", needed=2).why.tolist()[3] == "decided by 1 of 2"
    with pytest.raises(Explained, match="stays as it is"):
        export(data, data)
