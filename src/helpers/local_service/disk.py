"""Files on the disk: written whole and for good, or linked instead of copied."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path


def write_new(path: Path, chunks: Iterable[bytes]) -> int:
    """Write a new file so that it survives a power cut; return its size. Nothing is left of it where that fails."""
    size = 0
    try:
        with path.open("xb") as file:
            for chunk in chunks:
                size += file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return size


def link_or_copy(source: Path, target: Path) -> None:
    """A second name for a file's content, so that deleting the file does not take it from who uses it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
