"""`python -m helpers course`: every notebook in order on the local service, then pages to read and a table of results.

`python -m helpers notebooks` runs them in place instead, so that their outputs can be committed. Both use papermill,
with the parameters that stand in the notebooks, and set FINETUNE_HEADLESS=1: no widgets, static outputs.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbclient.exceptions import DeadKernelError
from papermill.engines import NBClientEngine, papermill_engines

from . import pages, results
from .errors import Explained
from .frontend import StatusLine
from .workspace import build, course_folder


@dataclass(frozen=True)
class Run:
    """How one notebook went."""

    name: str
    seconds: float
    cells: int
    error: str = ""  # the failing cell and its message


def notebooks(names: list[str] | None = None) -> list[Path]:
    """Return the course's notebooks in order; with names, those whose file name begins with one of them.

    Raises Explained for a name that fits none.
    """
    every = sorted((course_folder() / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    if not names:
        return every
    for name in names:
        if not any(path.name.startswith(name) for path in every):
            raise Explained(f"No notebook begins with '{name}'. There is: {', '.join(path.stem for path in every)}.")
    return [path for path in every if path.name.startswith(tuple(names))]


def run_course(names: list[str] | None = None) -> int:
    """Run the notebooks up to the first that fails; write build/course. Return 0, or 1 where one failed."""
    chosen = notebooks(names)
    folder = build("course", "index.html").parent
    if not names:
        build("results.json").unlink(missing_ok=True)  # a whole run measures everything anew
    runs: list[Run] = []
    with settings():
        for path in chosen:
            runs.append(run_notebook(path, folder / path.name))
            pages.write_page(folder / path.name)
            if runs[-1].error:
                break
    pages.write_index(folder / "index.html", [(run.name, run.seconds, run.error) for run in runs], results.summary())
    return _report(runs, folder / "index.html")


def run_in_place(names: list[str] | None = None) -> int:
    """Run the notebooks and keep their outputs in them; one that fails is left as it was. Return 0, or 1."""
    if not names:
        build("results.json").unlink(missing_ok=True)  # a whole run measures everything anew
    with settings():
        for path in notebooks(names):
            scratch = build("notebooks", path.name)
            run = run_notebook(path, scratch)
            if run.error:
                print(f"{run.error}\nnotebooks/{path.name} is unchanged; {scratch} shows how far it came.")
                return 1
            _tidy(scratch, path)
    if not names:  # the whole course: the README shows what this run measured
        results.write_into(course_folder() / "README.md")
    return 0


def run_notebook(source: Path, target: Path, parameters: dict[str, Any] | None = None) -> Run:
    """Run one notebook, with other parameters if there are any, and write it with its outputs to `target`.

    Prints its progress on one line.
    """
    begin = time.monotonic()
    engine = _engine(source.stem, begin)
    papermill_engines.register("course", engine)
    error = ""
    try:
        papermill.execute_notebook(
            source,
            target,
            parameters,
            engine_name="course",
            kernel_name="python3",
            cwd=source.parent,
            progress_bar=False,
            coalesce_streams=True,  # printed text in one piece, however it arrived
            extra_arguments=["--IPKernelApp.log_level=50"],  # the kernel's own remarks; cells' output is not among them
        )
    except papermill.PapermillExecutionError as failure:
        error = _message(source, failure)
    except DeadKernelError:
        error = f"{source.name}, cell {engine.cells}: its Python process was ended, often for lack of memory."
    run = Run(source.stem, time.monotonic() - begin, engine.cells, error)
    engine.line.end(f"{run.name}: {'FAILED after' if error else 'done,'} {run.cells} cells, {run.seconds:.0f} s")
    return run


def _engine(name: str, begin: float) -> Any:
    """A papermill engine that says on one line which cell is running."""

    class Counting(NBClientEngine):
        line = StatusLine()
        cells = 0

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, *args: Any, **kwargs: Any) -> Any:
            total = sum(cell.cell_type == "code" for cell in nb_man.nb.cells)
            start = nb_man.cell_start

            def cell_start(cell: Any, *args: Any, **kwargs: Any) -> None:
                start(cell, *args, **kwargs)
                if cell.cell_type == "code":
                    cls.cells += 1
                    if sys.stdout.isatty():
                        cls.line.show(f"{name}: cell {cls.cells}/{total}, {time.monotonic() - begin:.0f} s")

            nb_man.cell_start = cell_start
            return super().execute_managed_notebook(nb_man, *args, **kwargs)

    if not sys.stdout.isatty():
        print(f"{name}: running", flush=True)
    return Counting


@contextmanager
def settings(**more: str) -> Iterator[None]:
    """The environment in which notebooks run without a reader: headless, free of charge, on this Python; and `more`."""
    wanted = {"FINETUNE_HEADLESS": "1", "FINETUNE_SERVICE": "local", "JUPYTER_PREFER_ENV_PATH": "1", **more}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _message(path: Path, failure: papermill.PapermillExecutionError) -> str:
    name = "" if failure.ename == "Explained" else f"{failure.ename}: "
    first = next((line for line in failure.source.splitlines() if line.strip()), "")
    return f"{path.name}, cell {failure.exec_count} ({first.strip()[:60]}): {name}{failure.evalue}"


def _report(runs: list[Run], index: Path) -> int:
    table = results.summary()
    if len(table):
        usual = table[table[list(results.USUAL)].ne("").any(axis=1)].drop(columns=["notebook", "others"])
        print(f"\n{usual.to_string(index=False)}")
        print(f"\nMade by: {results.made_by()}\nOther systems and the traps: {index}")
    print(f"\n{len(runs)} notebooks in {sum(run.seconds for run in runs):.0f} s. Read them: {index}")
    failed = [run for run in runs if run.error]
    for run in failed:
        print(f"\nFAILED: {run.error}")
    return 1 if failed else 0


def _tidy(source: Path, target: Path) -> None:
    """Copy a notebook that has run, without what changes from run to run and what only papermill reads.

    Paths in its outputs are put relative to the course's folder: where that lies is nobody's business.
    """
    notebook = nbformat.read(source, as_version=4)
    outside = f"{course_folder()}{os.sep}"
    notebook.metadata.pop("papermill", None)
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        for name in ("papermill", "execution", "exception"):
            cell.metadata.pop(name, None)
        if cell.metadata.get("tags") == []:
            del cell.metadata["tags"]
        for output in cell.get("outputs", []):
            if "text" in output:
                output["text"] = output["text"].replace(outside, "")
            for kind, data in output.get("data", {}).items():
                if isinstance(data, str) and kind.startswith("text/"):
                    output["data"][kind] = data.replace(outside, "")
    nbformat.validate(notebook)
    part = target.with_suffix(".part")
    nbformat.write(notebook, part)
    part.replace(target)
