"""Iterating: failures by cause and slice, one change at a time, all runs in one table, sweeps, and when to stop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import openai
import pandas as pd
import pytest
from IPython.core.formatters import DisplayFormatter
from live_service import LiveService, examples
from made_evaluation import made

from helpers import frontend
from helpers.amend import amend
from helpers.compare import compare
from helpers.connection import Service
from helpers.errors import Explained
from helpers.evaluate import evaluate
from helpers.failures import Failures
from helpers.frontend import VIEW
from helpers.plots import describe_intervals, intervals
from helpers.runs import items_needed, labelled, runs, when_to_stop
from helpers.stats import detectable
from helpers.sweep import plan, sweep
from helpers.tokens import OverBudget
from helpers.workspace import read_jsonl, write_jsonl


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FINETUNE_BUILD", str(tmp_path))
    return tmp_path


def some_failures() -> Failures:
    evaluation = made(
        ["It is 0.", "<b>one</b>", "", "It is", "It is 4."],
        {"right": [True, False, None, False, True], "short": [True, False, None, True, False]},
        error=["", "", "timed out", "", ""],
        finish_reason=["stop", "stop", "", "length", "stop"],
    )
    return Failures(evaluation, slices={"even": [True, False, True, False, True], "none": [False] * 5})


def test_each_failure_has_one_cause_and_the_groups_add_up() -> None:
    found = some_failures()
    assert found.causes == ["", "not right", "not answered or graded", "cut at the token limit", "not short"]
    causes, slices = found.by_cause().set_index("cause"), found.by_slice().set_index("slice")
    assert causes.n.sum() == slices.loc["all", "n"] == 4
    assert causes.loc["not short", ["n", "even", "none"]].tolist() == [1, 1, 0]
    assert slices.loc["even", ["examples", "n"]].tolist() == [3, 2] and slices.loc["none", "n"] == 0
    assert found.places("not right") == [1] and found.places(inside="even") == [2, 4]
    assert found.table("not right").iloc[0].right == "It is 1."
    own = Failures(found.evaluation, causes={"bold": lambda row: "<b>" in row["answer"]}, metrics=["right"])
    assert own.causes[1] == "bold" and own.causes[4] == ""
    with pytest.raises(Explained, match="2 entries for 5 examples"):
        Failures(found.evaluation, slices={"odd": [True, False]})


def test_failures_are_leafed_through_and_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    found = some_failures()
    page = found.page
    assert "1 of 4" in page.status.value and "&lt;b&gt;one" in page.view.value and "It is 1." in page.view.value
    page.buttons["Previous"].click()
    assert "4 of 4 (example 5): not short" in page.status.value
    page.cause.value = "not answered or graded"
    assert "1 of 1 (example 3)" in page.status.value and "timed out" in page.view.value
    page.inside.value = "none"
    assert page.status.value == "No failures here." and page.view.value == ""
    shown, _ = DisplayFormatter().format(found)
    assert set(shown) == {"text/plain", "text/html"}
    monkeypatch.setattr(frontend, "is_watched", lambda: True)
    assert VIEW in DisplayFormatter().format(found)[0]


def test_nothing_wrong_is_shown_as_such() -> None:
    found = Failures(made(["a", "b"], {"right": [True, True]}))
    assert len(found.by_cause()) == 0 and found.by_slice().n.tolist() == [0]
    assert found.page.status.value == "No failures here."


def test_one_kind_of_change_at_a_time(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = examples(4)
    data, to = write_jsonl(folder / "train.jsonl", rows), folder / "next.jsonl"
    assert read_jsonl(amend(data, to, add=examples(1, seed=3))) == [*rows, *examples(1, seed=3)]
    assert "add: 1 lines; 4 examples before, 5" in capsys.readouterr().out
    assert read_jsonl(amend(data, to, remove=[2])) == [rows[0], *rows[2:]]
    assert read_jsonl(amend(data, to, edit={4: rows[0]})) == [*rows[:3], rows[0]]
    assert read_jsonl(amend(data, to, repeat={1: 3})) == [rows[0], rows[0], *rows]
    for wrong, match in (
        ({"remove": [1], "add": rows}, "changes add, remove"),
        ({}, "changes nothing"),
        ({"remove": [9]}, "no line 9"),
        ({"repeat": {1: 1}}, "2 or more"),
    ):
        with pytest.raises(Explained, match=match):
            amend(data, to, **wrong)  # type: ignore[arg-type]
    with pytest.raises(Explained, match="stays as it is"):
        amend(data, data, remove=[1])
    assert read_jsonl(data) == rows


def test_when_to_stop() -> None:
    def change(better: int, worse: int, n: int = 400) -> object:
        a = pd.DataFrame({"ok": [False] * better + [True] * (n - better)})
        b = pd.DataFrame({"ok": [True] * (n - worse) + [False] * worse})
        return compare(a, b, "ok")

    gain, none = change(30, 2), change(4, 4)
    assert when_to_stop(0.95, 400, 0.9, [gain], low=0.92).startswith("Stop: the target of 90%")
    assert when_to_stop(0.8, 400, 0.9, [gain], low=0.75).startswith("Go on")
    assert when_to_stop(0.8, 400, 0.9, [gain, none, none], low=0.75).startswith("Stop turning this knob")
    small = when_to_stop(0.8, 40, 0.9, [change(6, 2, 40)], low=0.65)
    assert small.startswith("Measure: 40 items")
    assert "5 items show no difference, and you look for 5" in when_to_stop(0.8, 5, 0.9, [], low=0.4)
    needed = items_needed(0.05, 0.2)
    assert f"{needed:,} items" in small and detectable(needed, 0.2) <= 0.05 < detectable(needed - 10, 0.2)


def test_every_run_is_in_one_table_and_a_sweep_says_what_it_costs(
    service: LiveService, client: openai.OpenAI, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = Service("local", client, "tiny", True)
    train = write_jsonl(folder / "train.jsonl", examples(12))
    validation = write_jsonl(folder / "valid.jsonl", examples(4, seed=1))
    tries = plan(here, train, n_epochs=[1, 2], batch_size=[4])
    assert tries.steps.tolist() == [3, 6] and tries.dollars.tolist() == [0, 0]
    assert tries.tokens[1] == 2 * tries.tokens[0] > 0
    found = sweep(here, train, validation, tries)
    said = capsys.readouterr().out
    assert said.startswith("2 runs, 9 steps") and "1 of 2 runs done" in said
    assert found.lowest_valid_loss.is_monotonic_increasing and found.model.nunique() == 2
    assert set(sweep(here, train, validation, tries).model) == set(found.model)

    def grade(answer: str, example: dict[str, object]) -> dict[str, bool | float]:
        return {"said": bool(answer), "letters": float(len(answer))}

    for system, model in (("base", "tiny"), ("tuned", found.model[0])):
        evaluate(client, model, examples(4), grade, task="numbers", system=system, max_tokens=3)
    table = runs(client, "numbers", "said")
    tuned = table[table.system == "tuned"].iloc[0]
    assert tuned.training_file == "train.jsonl" and tuned.n_epochs in (1, 2) and tuned.batch_size == 4
    assert tuned.value == 1 and tuned.n == 4 and tuned.failed == 0 and tuned.seconds >= 0
    assert table[table.system == "base"].job.isna().all()
    assert found.model[1] in set(table[table.value.isna()].model)
    shown = labelled(table)
    assert len(shown) == 2 and shown.label.iloc[-1].startswith("tuned: train.jsonl, ")
    assert len(intervals(shown).axes[0].get_yticklabels()) == 2 and "tuned: train.jsonl" in describe_intervals(shown)


def test_a_sweep_over_its_ceiling_trains_nothing(folder: Path) -> None:
    nowhere = openai.OpenAI(base_url="http://127.0.0.1:9/v1", api_key="k", max_retries=0)
    train = write_jsonl(folder / "train.jsonl", examples(12))
    hosted = Service("openai", nowhere, "gpt-4o-2024-08-06", False)
    tries = plan(hosted, train, n_epochs=[2], learning_rate_multiplier=[1, 2])
    assert tries.dollars.iloc[0] > 0
    with pytest.raises(OverBudget, match=r"over your ceiling of \$0.00, so nothing was trained"):
        sweep(hosted, train, train, tries)
    unknown = plan(replace(hosted, base_model="someone-else"), train, n_epochs=[2])
    with pytest.raises(OverBudget, match="not known here"):
        sweep(hosted, train, train, unknown, ceiling=100)
