"""README's answers and its table of what the source articles claim: every place they name is there, and runs."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
PLACE = re.compile(r"\[(\d\d)\]\((notebooks/[^)]+\.ipynb)\) ([^\[|]+?)(?=; \[|$)")


def table() -> list[list[str]]:
    """Claim and places of each row."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.split("## What the field says, and where it is answered")[1]
    rows = [line.strip("| \n").split(" | ") for line in section.split("\n## ")[0].splitlines() if line.startswith("| ")]
    return rows[1:]


@cache
def sections(path: Path) -> dict[str, int]:
    """The code cells of each section by its title; those of its parts are among them."""
    found: dict[str, int] = {}
    above: list[tuple[int, str]] = []
    for cell in nbformat.read(path, as_version=4).cells:
        for marks, title in re.findall(r"^(#+) (.+)$", cell.source, re.MULTILINE) * (cell.cell_type == "markdown"):
            name = re.sub(r" \(\d+ minutes?\)$", "", title)
            above = [*((level, other) for level, other in above if level < len(marks)), (len(marks), name)]
            found[name] = 0
        for _, name in above if cell.cell_type == "code" else ():
            found[name] += 1
    return found


def test_every_place_in_the_table_is_a_section_of_its_notebook() -> None:
    rows, named = table(), set()
    assert len(rows) >= 25
    for claim, places in rows:
        found = PLACE.findall(places)
        assert len(found) == places.count("](notebooks/") > 0, places
        for number, path, title in found:
            assert Path(path).name.startswith(number) and title.strip() in sections(ROOT / path), (claim, title)
            named.add(number)
        assert any(sections(ROOT / path)[title.strip()] for _, path, title in found), f"nothing runs: {claim}"
    assert named == {f"{number:02}" for number in range(13)}


def test_five_questions_are_answered_in_a_few_lines_with_links() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.split("## Five questions")[1].split("\n## ")[0]
    answers = re.findall(r"^\d\. \*\*.+?\?\*\* (.+?)(?=^\d\. |\Z)", section, re.MULTILINE | re.DOTALL)
    assert len(answers) == 5
    for answer in answers:
        links = re.findall(r"\]\((notebooks/[^)]+)\)", answer)
        assert 2 <= len(answer.strip().splitlines()) <= 5 and links, answer
        assert all((ROOT / link).is_file() for link in links)
