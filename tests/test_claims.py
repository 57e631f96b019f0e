"""README's table of what the source articles claim: every place it names is there."""

from __future__ import annotations

import re
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


def headings(path: Path) -> set[str]:
    text = "\n".join(c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "markdown")
    return {re.sub(r" \(\d+ minutes?\)$", "", title) for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


def test_every_place_in_the_table_is_a_section_of_its_notebook() -> None:
    rows, named = table(), set()
    assert len(rows) >= 25
    for claim, places in rows:
        found = PLACE.findall(places)
        assert len(found) == places.count("](notebooks/") > 0, places
        for number, path, title in found:
            assert Path(path).name.startswith(number) and title.strip() in headings(ROOT / path), (claim, title)
            named.add(number)
    assert named == {f"{number:02}" for number in range(13)}
