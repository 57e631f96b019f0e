"""Errors that explain themselves: what happened, where, and what to do next."""

from __future__ import annotations

import errno
from pathlib import Path

DISK_FULL = {errno.ENOSPC, errno.EDQUOT}


class Explained(Exception):
    """A problem that its reader can mend. The message says what happened, where, and what to do next.

    In a notebook only the message is shown: the traceback would point into the helpers, where nothing is wrong.
    """

    def _render_traceback_(self) -> list[str]:
        """IPython shows these lines in place of a traceback."""
        return [str(self)]


def cannot_write(path: Path, error: OSError) -> Explained:
    """Return the Explained for a file that could not be written; the caller raises it."""
    if error.errno in DISK_FULL:
        return Explained(
            f"There is no disk space left to write {path}. What was there before is unchanged. Make room, then run "
            "this again."
        )
    return Explained(
        f"{path} could not be written ({error.strerror or error}). What was there before is unchanged. Check that the "
        "folder may be written to and that no other program holds the file, then run this again."
    )
