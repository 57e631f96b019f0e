"""One service for each home folder: a lock on a file, which the system takes back when its holder ends."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO


class Locked(Exception):
    """Another process holds the lock."""


def hold(path: Path) -> BinaryIO:
    """Lock `path` for as long as the returned file stays open. Raises Locked."""
    file = path.open("a+b")
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise Locked from None
    return file
