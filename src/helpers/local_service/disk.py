"""Files and folders on the disk: written whole and for good, or linked instead of copied."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all, in place of the one that was there."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


@contextmanager
def whole_folder(target: Path, unfinished: Path | None = None) -> Iterator[Path]:
    """Give an empty folder to fill, which then is `target`; where that fails, nothing of it is left.

    Until then it is called `unfinished`, by default `target` with ".part" behind it. Raises OSError where a folder
    called `target` holds something by then: what is there is never removed here.
    """
    unfinished = unfinished or target.with_name(target.name + ".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        target.parent.mkdir(exist_ok=True)
        if target.exists():
            target.rmdir()
        unfinished.rename(target)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def link_or_copy(source: Path, target: Path) -> None:
    """A second name for a file's content, so that deleting the file does not take it from who uses it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
