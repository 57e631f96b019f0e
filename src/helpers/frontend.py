"""Where output goes: a notebook that somebody looks at, a notebook that a program runs, or a terminal."""

from __future__ import annotations

import os
import sys
import textwrap
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a terminal that shows no table needs no pandas
    import pandas as pd
    from pandas.io.formats.style import Styler

VIEW = "application/vnd.jupyter.widget-view+json"


def in_notebook() -> bool:
    """Return whether this code runs in a Jupyter kernel, where pictures and widgets can be shown."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


def is_watched() -> bool:
    """Return whether somebody may look at this notebook as it runs: widgets make sense there.

    FINETUNE_HEADLESS=1 says that nobody does; `python -m helpers course` and the tests set it.
    """
    return in_notebook() and os.environ.get("FINETUNE_HEADLESS", "") != "1"


def with_widgets(shown: dict[str, Any], box: Callable[[], Any]) -> dict[str, Any]:
    """Return what an object shows by MIME type, with the widgets of `box` before it where somebody looks.

    For `_repr_mimebundle_`; widgets are made only when they are wanted.
    """
    return {**shown, VIEW: box()._repr_mimebundle_()[VIEW]} if is_watched() else shown


def wrapped(text: str, width: int = 92) -> str:
    """Return the text with long lines broken between words: JupyterLab breaks them anywhere."""
    return "\n".join(textwrap.fill(line, width, break_on_hyphens=False) for line in text.split("\n"))


def in_full(frame: pd.DataFrame) -> Styler:
    """Return a table of texts to show, whole and from the left, where pandas cuts and right-aligns them."""
    left = {"selector": "th, td", "props": "text-align: left; vertical-align: top"}
    return frame.style.hide(axis="index").format(na_rep="", escape="html").set_table_styles([left])


class StatusLine:
    """One line of text that changes in place. In a saved notebook only its last state remains.

    `every` is the least time between two changes, in seconds: a notebook keeps up with two a second, not with a
    hundred. `only_end` says no more than the end where nothing can change in place, as in a log file.
    """

    def __init__(self, every: float = 0.0, only_end: bool = False) -> None:
        self._handle: Any = None
        self._last = ""
        self._every, self._only_end = every, only_end
        self._shown = -every

    def show(self, content: Any) -> None:
        """Show text, or in a notebook any displayable object, in place of what was shown before."""
        if time.monotonic() - self._shown < self._every:
            return
        self._shown = time.monotonic()
        if in_notebook() or sys.stdout.isatty() or not self._only_end:
            self._put(content)

    def _put(self, content: Any) -> None:
        if not in_notebook():
            self._print(str(content))
            return
        from IPython.display import display

        raw = isinstance(content, str)
        data = {"text/plain": content} if raw else content
        if self._handle is None:
            self._handle = display(data, raw=raw, display_id=True)
        else:
            self._handle.update(data, raw=raw)

    def end(self, content: str) -> None:
        """Show the text that stays."""
        self._put(wrapped(content) if in_notebook() else content)
        if not in_notebook() and sys.stdout.isatty():
            print()

    def _print(self, text: str) -> None:
        if sys.stdout.isatty():
            print("\r" + text.ljust(len(self._last)), end="", flush=True)
        elif text != self._last:
            print(text, flush=True)
        self._last = text
