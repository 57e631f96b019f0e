"""The report: what it holds, that it is one file, that everybody can read it, and that answers in it are no markup."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import openai
import pytest
from bs4 import BeautifulSoup
from live_service import LiveService, examples
from made_evaluation import made

from helpers.errors import Explained
from helpers.report import write_report
from helpers.workspace import write_jsonl


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FINETUNE_BUILD", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def job(service: LiveService) -> Any:
    return service.train(examples(12), "tiny", hyperparameters={"n_epochs": 1, "batch_size": 4})


def page(
    folder: Path, client: openai.OpenAI, model: str, right: int = 38, trained_on: Any = None, **changes: Any
) -> BeautifulSoup:
    """The report on 40 answers of which so many are right, against a base with 8 right."""
    train = write_jsonl(folder / "train.jsonl", trained_on or examples(12, seed=9))
    said = [f"<b>answer</b> {number}" for number in range(40)]
    tuned = made(said, {"right": [i < right for i in range(40)], "score": [i / 40 for i in range(40)]}, model=model)
    base = made(said, {"right": [i < 8 for i in range(40)], "score": [0.1] * 40}, system="base", model="tiny")
    given: dict[str, Any] = {
        "title": "Numbers & <figures>", "tuned": tuned, "rivals": [base], "metric": "right", "client": client,
        "train": train, "limits": ["Only <numbers>."], "measures": {"right": "Word for word."}, **changes,
    }  # fmt: skip
    path = write_report(folder / "out" / "report.html", **given)
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def cells(found: BeautifulSoup, caption: str) -> list[list[str]]:
    table = next(t for t in found.find_all("table") if t.caption.get_text().startswith(caption))
    return [[cell.get_text(strip=True) for cell in row.find_all(["th", "td"])] for row in table.tbody.find_all("tr")]


def test_it_tells_what_was_done_measured_and_decided(folder: Path, client: openai.OpenAI, job: Any) -> None:
    found = page(folder, client, job.fine_tuned_model)
    assert found.find(class_="decision").get_text() == "Better than base, by more than chance explains."
    assert "on 40 held-out examples" in " ".join(found.get_text().split())
    about = dict(cells(found, "The model"))
    assert about["Model"] == job.fine_tuned_model and about["Base model"] == "tiny" and about["Epochs"] == "1"
    assert cells(found, "The data")[0] == ["training", "train.jsonl", "12", "0%", "100%"]  # they differ by a number
    [against] = cells(found, "tuned against")
    assert against[0] == "base" and against[1].startswith("+75 (") and against[2:] == ["under 0.001", "better"]
    scores = {name: values for name, *values in cells(found, "Every grade")}
    assert scores["right"][1].startswith("0.95 (") and scores["score"][0].startswith("0.10 (")
    assert [name for name, _ in cells(found, "What it took")] == ["Training", "Evaluating base", "Evaluating tuned"]
    headings = [heading.get_text() for heading in found.find_all("h2")]
    assert headings == [
        "In short", "What was tuned, and on what", "How training went", "Scores", "Examples", "What was forgotten",
        "Cost", "Limits: what these figures do not show",
    ]  # fmt: skip
    limits = found.find("ul").get_text()
    assert "Only <numbers>." in limits and "40 examples" in limits and "another seed" in limits.lower()


@pytest.mark.parametrize(
    ("right", "said"), [(7, "Not enough data to tell it from base: do not ship."), (0, "Do not ship: the tuned model")]
)
def test_it_does_not_ship_what_is_not_shown_to_be_better(
    folder: Path, client: openai.OpenAI, job: Any, right: int, said: str
) -> None:
    assert found_decision(page(folder, client, job.fine_tuned_model, right=right)).startswith(said)


def test_a_test_that_was_trained_on_decides_nothing(folder: Path, client: openai.OpenAI, job: Any) -> None:
    found = page(folder, client, job.fine_tuned_model, trained_on=examples(12))
    assert "30% of the test questions stand in the training file" in found_decision(found)


def test_a_count_cannot_decide_and_one_number_has_no_interval(folder: Path, client: openai.OpenAI) -> None:
    counted = made(["x"] * 40, {"edits": [30.0] * 40})
    with pytest.raises(Explained, match="'edits' cannot decide"):
        page(folder, client, "ft:gone", tuned=counted, metric="edits")
    one = {system: made(["x"], {"score": [value]}, system=system) for system, value in (("base", 0.2), ("tuned", 0.5))}
    found = page(folder, client, "ft:gone", tuned=one["tuned"], rivals=[one["base"]], metric="score")
    text = " ".join(found.get_text().split())
    assert "50% in the grade “score” on 1 held-out examples (no interval)." in text and "nan" not in text.lower()


def test_two_systems_of_one_name_are_refused(folder: Path, client: openai.OpenAI) -> None:
    rival = made(["x"] * 40, {"right": [True] * 40, "score": [0.1] * 40}, system="tuned", model="ft:older")
    with pytest.raises(Explained, match="the same `system`"):
        page(folder, client, "ft:gone", rivals=[rival])


def found_decision(found: BeautifulSoup) -> str:
    return found.find(class_="decision").get_text()


def test_forgetting_failures_and_a_lost_job_are_told(folder: Path, client: openai.OpenAI) -> None:
    said = ["x"] * 30
    before = made(said, {"right": [True] * 30}, system="base", task="general skills")
    after = made(said, {"right": [True] * 15 + [False] * 15}, task="general skills")
    found = page(folder, client, "ft:gone", forgetting=(before, after))
    text = found.get_text()
    assert "the model has forgotten" in text and "lost general skills" in found_decision(found)
    assert "not on this service any more" in text and "no record of the training steps" in text
    kept = page(folder, client, "ft:gone", forgetting=(before, before)).get_text()
    assert "No loss is shown" in kept
    failed = made(["x"] * 40, {"right": [True] * 39 + [None]}, error=[""] * 39 + ["timed out"])
    assert "tuned 1" in page(folder, client, "ft:gone", tuned=failed).find("ul").get_text()


def test_it_is_one_file_and_everybody_can_read_it(folder: Path, client: openai.OpenAI, job: Any) -> None:
    found = page(folder, client, job.fine_tuned_model)
    assert found.html["lang"] == "en" and found.title.get_text().startswith("Numbers & <figures>")
    assert found.find("meta", attrs={"name": "viewport"}) and found.main and len(found.find_all("h1")) == 1
    assert not found.find_all(["script", "link", "iframe"]) and not found.find_all("b")
    images = found.find_all("img")
    assert len(images) == 2 and all(
        i["src"].startswith("data:image/png;base64,") and len(i["alt"]) > 40 for i in images
    )
    for table in found.find_all("table"):
        assert table.caption and all(cell.get("scope") in ("col", "row") for cell in table.find_all("th"))
        assert table.find("th")
    levels = [int(heading.name[1]) for heading in found.find_all(re.compile("^h[1-4]$"))]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    style = found.style.get_text()
    assert "@media print" in style and "@page" in style and not re.search(r"url\(|https?:", style)
    texts = re.findall(r"[^-]color: (#\w+)", style)
    assert len(texts) >= 3 and all(contrast(text, "#eef5fa") >= 4.5 for text in texts)  # on the darker background


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio of two colours written #rgb or #rrggbb."""

    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
