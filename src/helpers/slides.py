"""Slide decks from the notebooks, each one HTML file that needs no network: for a room with none.

A cell's slide type (JupyterLab's property inspector shows it) says where a slide begins; notes are the speaker's.
"""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import nbformat
from nbconvert import HTMLExporter
from pygments.formatters import HtmlFormatter

from .pages import export, title
from .workspace import write_whole

STYLE = """html { scroll-snap-type: y proximity; font: 22px/1.45 system-ui, sans-serif; color: #1a1a1a; }
body { margin: 0; counter-reset: slide; }
section { min-height: 100vh; box-sizing: border-box; padding: 5vh 8vw; scroll-snap-align: start; position: relative;
  border-bottom: 1px solid #ddd; counter-increment: slide; }
section::after { content: counter(slide); position: absolute; right: 2rem; top: 1.5rem; color: #767676; }
h1, h2, h3 { line-height: 1.15; } a.anchor-link { display: none; } img { max-width: 100%; max-height: 70vh; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: 17px/1.4 ui-monospace, monospace; margin: .4rem 0; }
.highlight pre { background: #f5f5f5; padding: .6rem .9rem; } table { border-collapse: collapse; font-size: 19px; }
th, td { padding: .3rem .8rem; text-align: left; border-bottom: 1px solid #ccc; } .prompt { display: none; }
aside { display: none; background: #fff7dc; padding: .1rem 1rem; margin-top: 2rem; font-size: 19px; }
.speaking aside { display: block; } @media print { section { break-after: page; } aside { display: block; } }"""

SCRIPT = """const slides = [...document.querySelectorAll("section")];
const here = () => slides.reduce((best, s, i) =>
  Math.abs(s.getBoundingClientRect().top) < Math.abs(slides[best].getBoundingClientRect().top) ? i : best, 0);
addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 }[event.key];
  if (event.key === "n") document.body.classList.toggle("speaking");
  if (!step) return;
  event.preventDefault();
  slides[Math.min(Math.max(here() + step, 0), slides.length - 1)].scrollIntoView();
});"""


def write_slides(path: Path, folder: Path) -> Path:
    """Write the notebook's slides into the folder and return the file's path.

    Arrow or page keys go from slide to slide, the key n shows and hides the speaker's notes.
    """
    sections = "\n".join(f"<section>\n{_body(path, cells)}\n</section>" for cells in slides(path))
    code_style = HtmlFormatter().get_style_defs(".highlight")
    text = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{html.escape(title(path))}</title><style>{code_style}
{STYLE}</style></head><body>
{sections}
<script>{SCRIPT}</script></body></html>
"""
    return write_whole(folder / f"{path.stem}.slides.html", text)


def slides(path: Path) -> list[list[Any]]:
    """Return the notebook's cells by slide; a cell of type slide or subslide begins one, skipped cells are left out."""
    decks: list[list[Any]] = []
    for cell in nbformat.read(path, as_version=4).cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type", "-")
        if kind in ("slide", "subslide") or not decks:
            decks.append([])
        if kind != "skip":
            decks[-1].append(cell)
    return decks


def _body(path: Path, cells: list[Any]) -> str:
    parts = []
    for cell in cells:
        made = export(HTMLExporter, "basic/index.html.j2", path, [cell], template_name="basic")
        is_note = cell.metadata.get("slideshow", {}).get("slide_type") == "notes"
        parts.append(f"<aside>{made}</aside>" if is_note else made)
    return "\n".join(parts)
