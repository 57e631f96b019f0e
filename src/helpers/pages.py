"""Pages to read without Jupyter: a notebook as HTML, and an index of them. They need no network to be made."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
from jinja2 import DictLoader
from nbconvert import HTMLExporter

from .workspace import write_whole

# nbconvert's own templates leave out the alt text that a picture's metadata holds.
PICTURE = """
{%- extends 'BASE' -%}
{% block data_png scoped %}<div class="jp-RenderedImage jp-OutputArea-output">
<img src="data:image/png;base64,{{ output.data['image/png'] | escape_html }}"
     alt="{{ output.metadata.get('image/png', {}).get('alt', '') | escape_html }}"></div>{% endblock %}
"""
STYLE = """body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; } th, td { padding: .3rem .8rem; text-align: left; }
tr { border-bottom: 1px solid #ccc; } .failed { color: #a40000; }"""


def write_page(path: Path) -> Path:
    """Write the notebook's HTML page beside it and return its path; links to other notebooks lead to their pages."""
    page = export(HTMLExporter, "lab/index.html.j2", path)
    page = re.sub(r'href="(?:\./)?(\d\d_\w+)\.ipynb', r'href="\1.html', page)
    return write_whole(path.with_suffix(".html"), page)


def export(exporter: Any, template: str, path: Path, cells: list[Any] | None = None, **options: Any) -> str:
    """Return the notebook, or some cells of it, as HTML, its pictures with their alt text."""
    loader = DictLoader({"page.html.j2": PICTURE.replace("BASE", template)})
    notebook = nbformat.read(path, as_version=4)
    if cells is not None:
        notebook.cells = cells
    made = exporter(extra_loaders=[loader], template_file="page.html.j2", **options)
    body, _ = made.from_notebook_node(notebook, {"metadata": {"name": title(path)}})
    return str(body)


def title(path: Path) -> str:
    """Return the notebook's first heading, or its file's name."""
    for cell in nbformat.read(path, as_version=4).cells:
        heading = re.search(r"^# +(.+)$", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else None
        if heading:
            return heading[1].strip()
    return path.stem


def write_index(path: Path, runs: list[tuple[str, float, str]], table: pd.DataFrame) -> Path:
    """Write the page that links the notebooks' pages (name, seconds, error) and shows the table of results."""
    rows = []
    for name, seconds, error in runs:
        state = f'<span class="failed">{html.escape(error)}</span>' if error else "ran to its end"
        link = f'<a href="{name}.html">{html.escape(title(path.with_name(f"{name}.ipynb")))}</a>'
        rows.append(f"<tr><td>{link}</td><td>{seconds:.0f} s</td><td>{state}</td></tr>")
    figures = table.to_html(index=False, border=0) if len(table) else "<p>No figures were recorded.</p>"
    text = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Fine-tuning notebooks: this run</title><style>{STYLE}</style></head><body>
<h1>This run of the course</h1>
<table><thead><tr><th>Notebook</th><th>Time</th><th></th></tr></thead><tbody>
{chr(10).join(rows)}
</tbody></table>
<h2>Results</h2>
<p>Fractions from 0 to 1 with their 95% intervals, all measured in this run; results.json in the build folder has each
with its service, model and number of cases.</p>
{figures}
</body></html>
"""
    return write_whole(path, text)
