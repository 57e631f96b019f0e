"""Several systems asked the same: what each is asked, worked examples, the choice among them, shares with intervals."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import openai
import pytest
from live_service import examples
from made_evaluation import made

from helpers.cases.systems import System, best, evaluate_systems, figures, keep, pick_shots, ratio, saved
from helpers.errors import Explained
from helpers.evaluate import gold
from helpers.results import load, record
from helpers.stats import wilson


def right(answer: str, example: dict[str, Any]) -> dict[str, bool]:
    return {"right": answer == gold([example])[0]}


def test_a_system_is_asked_with_its_prompt_and_its_worked_examples() -> None:
    shot = examples(1, seed=1)[0]["messages"]
    [plain] = System("tiny").asked(examples(1))
    assert plain == examples(1)[0]["messages"][:-1]
    [asked] = System("tiny", prompt="Be brief.", shots=[shot]).asked(examples(1))
    assert [m["role"] for m in asked] == ["system", "user", "assistant", "user"]
    assert asked[0]["content"] == "Be brief." and asked[1:3] == shot[1:]


def test_shots_are_of_as_many_kinds_as_there_are() -> None:
    rows = examples(12)
    kinds = {str(row["messages"]): place // 4 for place, row in enumerate(rows)}  # three kinds, four of each

    def kind(row: dict[str, Any]) -> int:
        return kinds[str(row["messages"])]

    for seed in range(5):
        picked = pick_shots(rows, 5, kind, seed)
        found = [kinds[str(messages)] for messages in picked]
        assert sorted(found[:3]) == [0, 1, 2] and len(set(found[3:])) == 2
        assert len({str(messages) for messages in picked}) == 5
        assert picked == pick_shots(rows, 5, kind, seed)
    assert pick_shots(rows, 3, seed=1) != pick_shots(rows, 3, seed=2)
    with pytest.raises(Explained, match="13 worked examples cannot be picked from 12"):
        pick_shots(rows, 13)


def test_the_best_is_decided_by_the_first_metric_then_by_the_next() -> None:
    grades: dict[str, dict[str, list[Any]]] = {
        "one": {"rules": [1.0, 0.0], "facts": [True, True]},
        "two": {"rules": [0.5, 0.5], "facts": [True, True]},
        "three": {"rules": [0.0, 0.5], "facts": [True, True]},
        "four": {"rules": [0.5, 0.5], "facts": [True, False]},
    }
    done = {name: made(["a", "b"], own, system=name) for name, own in grades.items()}
    assert best(done, ["rules"]) == "one"
    assert best({name: done[name] for name in ["four", "three", "two"]}, ["rules", "facts"]) == "two"


def test_a_share_of_sums_is_not_the_mean_of_shares() -> None:
    row = ratio("found", [1, 9, 0], [1, 10, 5])
    assert row["value"] == pytest.approx(10 / 16) and row["n"] == 3
    assert 0 <= row["low"] <= row["value"] <= row["high"] <= 1


def test_all_or_nothing_found_in_a_few_items_is_not_certain() -> None:
    for parts, found in (([2, 3, 4], 3), ([0, 0, 0], 0)):
        row = ratio("found", parts, [2, 3, 4])
        assert row["value"] == found / 3 and (row["low"], row["high"]) == wilson(found, 3)


def test_an_item_without_a_figure_is_left_out_of_a_share() -> None:
    row = ratio("found", [1, math.nan, 3], [2, 5, 4])
    assert row["value"] == pytest.approx(4 / 6) and row["n"] == 2
    with pytest.raises(ValueError, match="1 items with 4 in all"):
        ratio("found", [1], [4])
    with pytest.raises(ValueError, match="2 items with 0 in all"):
        ratio("found", [0, 0], [0, 0])


def test_editing_is_saved_against_the_better_rival_on_the_items_of_both() -> None:
    tuned = made(["a", "b", "c"], {"edits": [1, 2, 90]})
    weak, strong = made(["x", "y"], {"edits": [40, 50]}), made(["x", "y"], {"edits": [10, 20]})
    row = saved(tuned, [weak, strong])
    assert row["metric"] == "editing_saved" and row["n"] == 2
    assert row["value"] == pytest.approx(1 - 3 / 30)
    assert row["low"] <= row["value"] <= row["high"] <= 1


def test_more_editing_than_the_rivals_is_below_nothing_and_can_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINETUNE_BUILD", str(tmp_path))
    row = saved(made(["a", "b"], {"edits": [30, 45]}), [made(["x", "y"], {"edits": [20, 30]})])
    assert row["value"] == pytest.approx(-0.5)
    where: Any = {"notebook": "06", "task": "legal", "system": "tuned", "seed": 1, "service": "local", "model": "ft:a"}
    record(**where, **row)
    assert load()["value"].tolist() == [pytest.approx(-0.5)]
    with pytest.raises(ValueError, match="fractions from 0 to 1"):
        record(**where, **{**row, "metric": "all_rules"})


def test_figures_are_kept_with_the_model_that_made_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINETUNE_BUILD", str(tmp_path))
    done = {
        "base": made(["a", "b"], {"right": [False, False]}, model="pocket"),
        "tuned": made(["a", "b"], {"right": [True, False]}, model="ft:a"),
    }
    keep(figures(done, ["right"]), done, "legal", notebook="06", service="local", seed=3)
    found = load()
    assert found[["system", "model", "value"]].values.tolist() == [["base", "pocket", 0.0], ["tuned", "ft:a", 0.5]]
    assert set(found["task"]) == {"legal"} and set(found["seed"]) == {3} and set(found["notebook"]) == {"06"}


def test_systems_are_asked_the_same_and_their_figures_stand_together(
    client: openai.OpenAI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINETUNE_BUILD", str(tmp_path))
    shots = pick_shots(examples(4, seed=1), 2)
    systems = {"base": System("tiny"), "prompt": System("tiny", prompt="Say it."), "few": System("tiny", shots=shots)}
    patient = client.with_options(timeout=300)  # a busy machine takes its time to load the first model
    done = evaluate_systems(patient, systems, examples(3), right, task="numbers", max_tokens=4)
    assert {name: evaluation.system for name, evaluation in done.items()} == {name: name for name in systems}
    assert len({tuple(evaluation.frame["item"]) for evaluation in done.values()}) == 1
    tokens = {name: int(evaluation.frame["prompt_tokens"].sum()) for name, evaluation in done.items()}
    assert tokens["few"] > tokens["base"] != tokens["prompt"]
    rows = figures(done, ["right"])
    assert rows["system"].tolist() == list(systems) and rows["n"].tolist() == [3, 3, 3]
    clustered = figures(done, ["right"], clusters=["a", "a", "b"])
    assert clustered["value"].tolist() == rows["value"].tolist()
