"""A document's first page as a picture: where LibreOffice is, where it is not, and where it makes none."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import docx
import pytest

from helpers.office import first_page, show_first_page


@pytest.fixture
def document(tmp_path: Path) -> Path:
    made = docx.Document()
    made.add_paragraph("A court paper")
    made.save(str(tmp_path / "paper.docx"))
    return tmp_path / "paper.docx"


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_the_first_page_is_a_picture(document: Path) -> None:
    picture = first_page(document)
    assert picture is not None and picture.startswith(b"\x89PNG") and len(picture) > 1000


def test_without_libreoffice_the_document_is_named_instead(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert first_page(document) is None
    show_first_page(document, alt="A court paper")
    assert f"{document} is written. Where LibreOffice" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="the program is a shell script")
@pytest.mark.parametrize("ends", ["exit 1", "exit 0"])
def test_a_libreoffice_that_makes_no_picture_is_no_error(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    (tmp_path / "soffice").write_text(f"#!/bin/sh\n{ends}\n")
    (tmp_path / "soffice").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert first_page(document) is None
