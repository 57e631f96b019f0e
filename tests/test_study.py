"""`python -m helpers study`, on a small course of the test's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from test_course import run, write

from helpers.course import notebooks
from helpers.study import LUCK, TRAPS, trap_cells

FORGETS = """
from helpers.results import record
for system, value in {"base": 0.9, "tuned": 0.5, "mixed": 0.4 + seed / 10}.items():
    record("00_seeded", "trap_forgetting", "right", system, value, 0, 1, 50, seed, "local", "ft:test")
"""

LUCKY = """
from helpers.results import record
for other, value in {1: 0.4, 2: 0.7}.items():
    record("00_seeded", "trap_lucky_seed", "right", f"seed {other}", value, None, None, 50, other, "local", "ft:test")
"""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course with one notebook that has a seed, and one that has none."""
    for name in ("data/samples", "notebooks"):
        (tmp_path / name).mkdir(parents=True)
    path = write(tmp_path, "00_seeded.ipynb", "seed = 1", FORGETS)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, path)
    write(tmp_path, "01_plain.ipynb", "1 + 1")
    return tmp_path


def pages(course: Path) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in (course / "studies").iterdir())


def test_a_study_tells_spread_and_how_often_a_trap_happened(course: Path) -> None:
    done = run(course, "study", "--seeds", "1", "2", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    page = pages(course)
    assert "| 0.60 (0.50-0.70) x3 |" in page  # mixed: 0.5, 0.6, 0.7
    assert "| fine-tuning forgets | 3 | 3 | 40.0 |" in page
    assert "| mixing keeps more | 3 | 2 | 10.0 |" in page  # with seed 1 it kept no more
    assert "01_plain" not in page and not (course / "build" / "results.json").exists()


def test_a_seed_that_fails_is_told_and_the_others_count(course: Path) -> None:
    broken = course / "notebooks" / "00_seeded.ipynb"
    broken.write_text(broken.read_text(encoding="utf-8").replace("0.4 + seed", "1 / (seed - 2) + 0.4 + seed"))
    done = run(course, "study", "--seeds", "2", "3")
    assert done.returncode == 1
    assert "seed 2: 00_seeded.ipynb" in done.stdout and "division by zero" in pages(course)


def test_the_learning_curves_stand_on_less_and_on_more_in_as_many_steps(course: Path) -> None:
    sized = course / "notebooks" / "00_seeded.ipynb"
    notebook = nbformat.read(sized, as_version=4)
    notebook.cells[1].source += "\nn_train = 40\nn_epochs = 2"
    figures = {"examples": "min(n_train, 80) / 100", "visits": "min(n_train * n_epochs, 160) / 1000"}
    for metric, value in figures.items():
        told = f'record("00_seeded", "sized", "{metric}", "tuned", {value}, 0, 1, 50, seed, "local", "ft:test")'
        notebook.cells.append(nbformat.v4.new_code_cell(told))
    nbformat.write(notebook, sized)
    done = run(course, "study", "--seeds", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| 00_seeded | sized | examples | 0.10 | 0.20 | 0.40 | 0.80 |" in pages(course)
    assert "| 00_seeded | sized | visits | 0.08 | 0.08 | 0.08 | 0.16 |" in pages(course)
    done = run(course, "study", "--seeds", "3", "--no-curves")
    assert done.returncode == 0 and "Learning curves" not in pages(course)


def test_a_study_that_is_stopped_leaves_what_it_measured(course: Path) -> None:
    path = course / "notebooks" / "00_seeded.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[2].source += "\nimport os, signal\nif seed == 3:\n    os.kill(os.getppid(), signal.SIGKILL)"
    nbformat.write(notebook, path)
    done = run(course, "study", "--no-curves", "--seeds", "1", "3")
    assert done.returncode != 0
    assert "So far: 1 of 2 runs." in pages(course) and "| 0.50 (0.50-0.50) x1 |" in pages(course)


def test_traps_are_studied_alone_and_over_five_seeds(course: Path) -> None:
    path = course / "notebooks" / "00_seeded.ipynb"
    notebook = nbformat.read(path, as_version=4)
    luck = nbformat.v4.new_code_cell(LUCKY, metadata={"tags": ["trap"]})
    notebook.cells += [luck, nbformat.v4.new_code_cell("raise SystemExit('the rest of the notebook')")]
    notebook.cells[2].metadata["tags"] = ["trap"]
    nbformat.write(notebook, path)
    done = run(course, "study", "--traps")
    assert done.returncode == 0, done.stdout + done.stderr
    [page] = (course / "studies").iterdir()
    told = page.read_text(encoding="utf-8")
    assert page.stem.endswith("-traps") and "seeds 1, 2, 3, 4, 5" in told and "Learning curves" not in told
    assert "| fine-tuning forgets | 5 | 5 | 40.0 |" in told and "| seeds alone differ | 2 |  | 30.0 |" in told
    assert "| 0.40 (0.40-0.40) x5 |" in told  # without an interval


def test_the_cells_of_traps_stand_on_their_own_and_show_every_trap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINETUNE_BUILD", str(tmp_path))
    cut = [made for path in notebooks() if (made := trap_cells(path))]
    lint = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821", *map(str, cut)]
    done = subprocess.run(lint, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    text = "".join(path.read_text(encoding="utf-8") for path in cut)
    assert all(task.removeprefix("trap_") in text for task in {LUCK, *(task for task, *_ in TRAPS.values())})


def test_without_a_seed_there_is_nothing_to_study(course: Path) -> None:
    done: subprocess.CompletedProcess[str] = run(course, "study", "01")
    assert done.returncode == 1 and "parameter called seed" in done.stderr
