"""`python -m helpers course`, notebooks and slides, on a small course of the test's own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from helpers.errors import Explained
from helpers.exercises import exercises
from helpers.results import BEGIN, END

FIGURE = """
from helpers.results import record
record("00_first", "support", "json_valid", "tuned", 0.9, 0.8, 0.95, 50, 1, "local", "ft:test")
"""
PICTURE = """
import os
from matplotlib.figure import Figure
from helpers.plots import show
assert os.environ["FINETUNE_HEADLESS"] == "1" and os.environ["FINETUNE_SERVICE"] == "local"
figure = Figure()
figure.subplots().plot([1, 2])
show(figure, "A line that rises <steadily>.")
"""


def write(folder: Path, name: str, *cells: str, heading: str = "A heading") -> Path:
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell(f"# {heading}\n\nSee [the second](01_second.ipynb#part).",
                                          metadata={"slideshow": {"slide_type": "slide"}}),
            *(nbformat.v4.new_code_cell(cell) for cell in cells),
            nbformat.v4.new_markdown_cell("For the speaker.", metadata={"slideshow": {"slide_type": "notes"}}),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )  # fmt: skip
    path = folder / "notebooks" / name
    nbformat.write(notebook, path)
    return path


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course of two notebooks."""
    for name in ("data/samples", "notebooks"):
        (tmp_path / name).mkdir(parents=True)
    write(tmp_path, "00_first.ipynb", "1 + 1", PICTURE, FIGURE, heading="First steps & more")
    talk = "import time\nfor n in range(3):\n    print(n, flush=True)\n    time.sleep(0.3)"
    write(tmp_path, "01_second.ipynb", talk)
    (tmp_path / "README.md").write_text(f"{BEGIN}\n{END}\n", encoding="utf-8")
    return tmp_path


def run(course: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "FINETUNE_BUILD"}
    return subprocess.run(
        [sys.executable, "-m", "helpers", *arguments], cwd=course, env=environment, capture_output=True, text=True
    )


def test_the_course_runs_in_order_and_leaves_pages_and_a_table(course: Path) -> None:
    (course / "build").mkdir()
    (course / "build" / "results.json").write_text("[]")
    ran = run(course, "course")
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"00_first: done, 3 cells, \d+ s\n.*01_second: done, 1 cells", ran.stdout, re.DOTALL)
    assert ran.stderr == ""
    assert "0.90 (0.80-0.95)" in ran.stdout and "ft:test (local)" in ran.stdout
    pages = course / "build" / "course"
    first = (pages / "00_first.html").read_text(encoding="utf-8")
    assert 'href="01_second.html#part"' in first and "First steps &amp; more" in first
    assert 'alt="A line that rises &lt;steadily&gt;."' in first
    assert "No description has been provided" not in first
    index = (pages / "index.html").read_text(encoding="utf-8")
    assert index.index("00_first.html") < index.index("01_second.html")
    assert "0.90 (0.80-0.95)" in index and "First steps &amp; more" in index
    assert not re.findall(r'(?:src|href)="https?:', index)
    assert "outputs" in (pages / "01_second.ipynb").read_text()


def test_a_broken_cell_fails_the_run_and_is_shown(course: Path) -> None:
    write(course, "00_first.ipynb", "1 + 1", "# why\nraise ValueError('the reason')")
    ran = run(course, "course")
    assert ran.returncode == 1
    assert "FAILED: 00_first.ipynb, cell 2 (# why): ValueError: the reason" in ran.stdout
    assert "01_second" not in ran.stdout
    assert "the reason" in (course / "build" / "course" / "00_first.html").read_text()
    assert "the reason" in (course / "build" / "course" / "index.html").read_text()


def test_an_explained_error_is_shown_in_its_own_words(course: Path) -> None:
    write(course, "00_first.ipynb", "from helpers import connect\nconnect('nowhere')")
    assert "connect): There is no service called 'nowhere'." in run(course, "course").stdout


def test_a_kernel_that_dies_is_explained(course: Path) -> None:
    write(course, "00_first.ipynb", "1 + 1", "import os\nos._exit(9)")
    ran = run(course, "course")
    assert ran.returncode == 1 and "FAILED: 00_first.ipynb, cell 2: its Python process was ended" in ran.stdout
    assert "Traceback" not in ran.stderr


def test_one_notebook_can_be_run_and_the_others_figures_stay(course: Path) -> None:
    assert run(course, "course").returncode == 0
    ran = run(course, "course", "01")
    assert ran.returncode == 0 and "00_first: " not in ran.stdout
    assert len(json.loads((course / "build" / "results.json").read_text())) == 1
    wrong = run(course, "course", "07")
    assert wrong.returncode == 1 and wrong.stderr.startswith("No notebook begins with '07'. There is: 00_first")


def test_notebooks_are_run_in_place_without_what_changes_from_run_to_run(course: Path) -> None:
    assert run(course, "notebooks").returncode == 0
    assert "| support | json_valid |" in (course / "README.md").read_text(encoding="utf-8")
    path = course / "notebooks" / "00_first.ipynb"
    notebook: Any = nbformat.read(path, as_version=4)
    assert notebook.cells[1].outputs[0].data["text/plain"] == "2"
    assert notebook.cells[2].outputs[0].metadata["image/png"]["alt"].startswith("A line")
    assert [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"] == [1, 2, 3]
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert all(set(cell.metadata) <= {"slideshow"} for cell in notebook.cells)
    second: Any = nbformat.read(course / "notebooks" / "01_second.ipynb", as_version=4)
    assert [output.text for output in second.cells[1].outputs] == ["0\n1\n2\n"]
    before = path.read_text()
    assert run(course, "notebooks").returncode == 0
    assert path.read_text() == before


def test_a_notebook_that_fails_in_place_is_left_as_it_was(course: Path) -> None:
    path = write(course, "00_first.ipynb", "1 / 0")
    before = path.read_text()
    ran = run(course, "notebooks")
    assert ran.returncode == 1 and "ZeroDivisionError" in ran.stdout and "unchanged" in ran.stdout
    assert path.read_text() == before


def test_slides_carry_speaker_notes(course: Path) -> None:
    ran = run(course, "slides", "00")
    assert ran.returncode == 0, ran.stderr
    (deck,) = (course / "build" / "slides").iterdir()
    assert str(deck) in ran.stdout
    page = deck.read_text(encoding="utf-8")
    assert re.search(r"<aside>.*For the speaker\..*</aside>", page, re.DOTALL)
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)  # shown without a network


def test_the_package_knows_exercises_only_of_notebooks_that_exist() -> None:
    names = {path.name[:2] for path in (Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb")}
    assert {name.split(".")[0] for name in exercises()} <= names


def test_explained_is_what_the_package_exports() -> None:
    import helpers

    assert helpers.Explained is Explained
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = helpers.nothing
