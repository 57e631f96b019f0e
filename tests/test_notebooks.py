"""What every notebook has to have: one shape, speaker notes, checked exercises, described pictures."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest

from helpers.exercises import exercises

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("[0-9][0-9]_*.ipynb"))
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@cache
def cells(path: Path) -> list[Any]:
    return nbformat.read(path, as_version=4).cells


def prose(path: Path) -> str:
    return "\n\n".join(cell.source for cell in cells(path) if cell.cell_type == "markdown")


def code(path: Path) -> list[Any]:
    return [cell for cell in cells(path) if cell.cell_type == "code"]


@every_notebook
def test_it_has_the_shape_of_all(path: Path) -> None:
    text = prose(path)
    assert text.startswith("# ")
    assert re.search(r"\*\*\d+ minutes\*\*", text), "how long it takes"
    for needed in ("You will", "You will learn", "You need", "five steps", "What transfers to GPT-4o", "## Key points"):
        assert needed in text or (needed == "five steps" and "You are here" in text), needed
    assert "**Next:**" in text


@every_notebook
def test_its_sections_add_up_to_its_minutes(path: Path) -> None:
    stated = int(re.search(r"\*\*(\d+) minutes\*\*", prose(path))[1])  # type: ignore[index]
    sections = sum(int(minutes) for minutes in re.findall(r"^## .*\((\d+) minutes?\)$", prose(path), re.MULTILINE))
    assert abs(stated - sections) <= 5, f"{sections} minutes in sections"


@every_notebook
def test_it_can_be_presented(path: Path) -> None:
    kinds = [cell.metadata.slideshow.slide_type for cell in cells(path)]
    assert kinds[0] == "slide"
    assert kinds.count("notes") >= 1
    notes = [cell.source for cell in cells(path) if cell.metadata.slideshow.slide_type == "notes"]
    assert all(note.startswith("> **For presenters.**") for note in notes)


@every_notebook
def test_its_cells_are_short(path: Path) -> None:
    lengths = sorted(len([line for line in cell.source.splitlines() if line.strip()]) for cell in code(path))
    assert lengths[len(lengths) // 2] <= 8
    assert lengths[-1] <= 25


@every_notebook
def test_it_has_exercises_that_check_themselves(path: Path) -> None:
    used = re.findall(r'check\("(\d\d\.\d)", answer\)', "\n".join(cell.source for cell in code(path)))
    assert len(used) >= 2
    assert used == [name for name in sorted(exercises()) if name[:2] == path.name[:2]]


@every_notebook
def test_its_pictures_are_described(path: Path) -> None:
    for cell in code(path):
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                assert len(output.metadata.get("image/png", {}).get("alt", "")) > 20, cell.source


@every_notebook
def test_its_outputs_are_those_of_one_whole_run(path: Path) -> None:
    counts = [cell.execution_count for cell in code(path)]
    assert counts == list(range(1, len(counts) + 1)), "run `make notebooks`"
    errors = [o for cell in code(path) for o in cell.outputs if o.output_type == "error"]
    assert errors == []


@every_notebook
def test_its_outputs_name_no_folder_of_the_machine_it_ran_on(path: Path) -> None:
    for cell in code(path):
        text = json.dumps([output.get("text") or output.get("data", {}) for output in cell.outputs])
        assert not re.search(r"[^\w.:/](?:/home|/Users|/root|/tmp|/work|[A-Z]:\\)[/\\]\w", text), cell.source


@every_notebook
def test_no_result_is_typed_into_its_prose(path: Path) -> None:
    """Shares and losses come from the run. A percentage in prose must be a term, as in '95% Wilson interval'."""
    allowed = {"95%", "90%", "5%"}
    assert set(re.findall(r"\d+(?:\.\d+)?%", prose(path))) <= allowed
    assert not re.search(r"loss (?:of|is|was) \d", prose(path))


@every_notebook
def test_what_it_links_to_is_there(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", prose(path)):
        assert (path.parent / target).exists(), target


@every_notebook
def test_some_outputs_are_held_to_the_letter(path: Path) -> None:
    strict = [cell for cell in code(path) if "nbval-check-output" in cell.metadata.get("tags", [])]
    assert strict or path.name[:2] in {"03", "04"}, "tag a deterministic cell nbval-check-output"
    for cell in strict:  # a styled table has a new name at every run
        assert not re.search(r"0x[0-9a-f]{8,}", json.dumps(cell.outputs)), cell.source
