"""Delivery: a look at a document as LibreOffice lays it out, where LibreOffice is installed.

    show_first_page("build/legal/interrogatory.docx", alt="…")

The course needs no LibreOffice: without it the document is there all the same, and the notebook says so.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from pathlib import Path

import pypdfium2

from helpers.plots import show_png

SECONDS = 120  # the first start of LibreOffice makes its settings


def first_page(document: Path | str) -> bytes | None:
    """Return the first page of a document as a PNG; None where LibreOffice is not installed, or makes no picture."""
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        settings = f"-env:UserInstallation={(Path(folder) / 'settings').as_uri()}"  # one that is open is left alone
        command = [program, settings, "--headless", "--convert-to", "pdf", "--outdir", folder, str(document)]
        try:
            subprocess.run(command, capture_output=True, check=True, timeout=SECONDS)
            return _picture((Path(folder) / f"{Path(document).stem}.pdf").read_bytes())
        except (OSError, subprocess.SubprocessError):
            return None


def _picture(pdf: bytes) -> bytes:
    """The first page as a PNG. (To make one itself, LibreOffice needs a part that not all installs have.)"""
    with pypdfium2.PdfDocument(pdf) as document:
        image = document[0].render(scale=1.3).to_pil()
    file = io.BytesIO()
    image.save(file, format="PNG", optimize=True)
    return file.getvalue()


def show_first_page(document: Path | str, alt: str) -> None:
    """Show the first page as a picture with alt text or, where there is none to be had, say where the document is."""
    picture = first_page(document)
    if picture is None:
        print(f"{document} is written. Where LibreOffice can lay it out, its first page is shown here; Word opens it.")
    else:
        show_png(picture, alt)
