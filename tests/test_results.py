"""build/results.json: one row a measured figure, and the table made from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.errors import Explained
from helpers.results import BEGIN, COLUMNS, END, load, record, summary, write_into


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FINETUNE_BUILD", str(tmp_path))
    return tmp_path


def figure(**changes: Any) -> dict[str, Any]:
    usual = {
        "notebook": "04_evaluation", "task": "support", "metric": "house_compliant", "system": "tuned",
        "value": 0.87, "low": 0.8, "high": 0.92, "n": 130, "failed": 0, "seed": 1, "service": "local", "model": "ft:a",
    }  # fmt: skip
    return {**usual, **changes}


def test_a_figure_is_one_row_in_the_file(folder: Path) -> None:
    record(**figure())
    assert json.loads((folder / "results.json").read_text()) == [figure()]
    assert list(load().columns) == list(COLUMNS)


def test_a_figure_measured_anew_replaces_the_old_one() -> None:
    record(**figure())
    record(**figure(value=0.9))
    record(**figure(model="ft:b"))
    record(**figure(notebook="05_iteration"))
    record(**figure(metric="json_valid"))
    assert list(load()["value"]) == [0.9, 0.87, 0.87, 0.87]


def test_the_table_has_the_systems_side_by_side() -> None:
    for system, value in {"tuned": 0.87, "base": 0.8, "few_shot": 0.81, "prompt": 0.9}.items():
        record(**figure(system=system, value=value))
    record(**figure(metric="json_valid", value=0.85, model="ft:b"))
    record(**figure(metric="json_valid", value=0.86, model="ft:c"))
    found = summary().set_index(["task", "metric"])
    assert list(found.columns) == ["notebook", "base", "prompt", "few_shot", "tuned", "others"]
    assert found.loc[("support", "house_compliant"), "tuned"] == "0.87 (0.80-0.92) n=130"
    assert found.loc[("support", "json_valid"), "tuned"] == "0.86 (0.80-0.92) n=130"  # the latest
    assert found.loc[("support", "json_valid"), "base"] == ""


def test_a_figure_may_come_without_an_interval() -> None:
    record(**figure(low=None, high=None))
    assert summary()["tuned"].tolist() == ["0.87 n=130"]
    record(**figure(system="base"))
    assert summary()[["base", "tuned"]].iloc[0].tolist() == ["0.87 (0.80-0.92) n=130", "0.87 n=130"]


def test_without_figures_the_table_is_empty() -> None:
    assert len(summary()) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": 87.0}, {"value": float("nan")}, {"low": -0.1}, {"low": 0.9}, {"high": 0.5}, {"n": 0},
        {"model": ""}, {"task": ""},
    ],
)  # fmt: skip
def test_what_cannot_be_a_figure_is_refused(folder: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        record(**figure(**wrong))
    assert not (folder / "results.json").exists()


def test_a_broken_file_is_explained(folder: Path) -> None:
    (folder / "results.json").write_text("[{")
    with pytest.raises(Explained, match=r"results.json cannot be read"):
        record(**figure())


def test_a_page_gets_the_table_between_its_marks(tmp_path: Path) -> None:
    record(**figure())
    record(**figure(notebook="05_iteration", task="trap_forgetting", metric="right"))
    page = tmp_path / "README.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    for _ in range(2):
        write_into(page)
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{BEGIN}\nMade by ") and text.endswith(f"{END}\nafter\n")
    shown, folded = text.split("<details>")
    assert "old" not in text and text.count("| house_compliant |") == 1 and "| house_compliant |" in shown
    assert "| 05_iteration | trap_forgetting | right |" in folded and "trap_forgetting" not in shown
    page.write_text("no place", encoding="utf-8")
    with pytest.raises(Explained, match="no place for results"):
        write_into(page)
