"""Where output goes: a notebook that somebody looks at, a notebook that a program runs, or a terminal."""

from __future__ import annotations

import os
import sys
from typing import Any


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


class StatusLine:
    """One line of text that changes in place. In a saved notebook only its last state remains."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._last = ""

    def show(self, content: Any) -> None:
        """Show text, or in a notebook any displayable object, in place of what was shown before."""
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
        self.show(content)
        if not in_notebook() and sys.stdout.isatty():
            print()

    def _print(self, text: str) -> None:
        if sys.stdout.isatty():
            print("\r" + text.ljust(len(self._last)), end="", flush=True)
        elif text != self._last:
            print(text, flush=True)
        self._last = text
