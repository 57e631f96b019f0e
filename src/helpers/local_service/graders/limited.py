"""A limited process that runs python graders: a script of its own, which imports nothing of this package.

It reads JSON lines {"source", "sample", "item"} and answers each with {"reward"} or {"error"}. Memory, files and
processor time are bounded here (POSIX); the clock is watched by whoever started it. It is no prison: the code can read
what its user can read, and reach the network.
"""

from __future__ import annotations

import json
import math
import numbers
import os
import sys
import traceback
from typing import Any

SECONDS = 30  # processor time for one answer
MEMORY = 2 * 1024**3  # OpenAI's limit
FILE_SIZE = 100 * 1024**2
OPEN_FILES = 256


def set_limits() -> None:
    """Bound what this process may take. Windows has no such limits."""
    if os.name == "posix":
        import resource

        for name, most in (("AS", MEMORY), ("FSIZE", FILE_SIZE), ("NOFILE", OPEN_FILES), ("CORE", 0)):
            kind = getattr(resource, f"RLIMIT_{name}")
            hard = resource.getrlimit(kind)[1]
            try:
                resource.setrlimit(kind, (most if hard < 0 else min(most, hard),) * 2)
            except (ValueError, OSError):  # macOS takes no limit of the address space
                continue


def limit_time() -> None:
    """From now on, SECONDS of processor time."""
    if os.name == "posix":
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        soft = math.ceil(used.ru_utime + used.ru_stime) + SECONDS
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard < 0 else min(soft, hard), hard))


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The reward that the source gives, or what went wrong in it."""
    try:
        names: dict[str, Any] = {"__name__": "grader"}
        exec(compile(request["source"], "grader.py", "exec"), names)
        reward = names["grade"](request["sample"], request["item"])
    except BaseException as error:  # noqa: BLE001 - whatever the source raises, SystemExit too, is its fault
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "grader.py"]
        place = f", line {lines[-1]} of the source" if lines else ""
        return {"error": f"{type(error).__name__}: {error}{place}"[:2000]}
    if not isinstance(reward, numbers.Real) or not math.isfinite(reward):
        return {"error": f"grade() returned {reward!r}, which is not a finite number"[:2000]}
    return {"reward": float(reward)}


def main() -> None:
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a grader prints goes nowhere
    set_limits()
    print("ready", file=output, flush=True)
    for line in sys.stdin:
        limit_time()
        print(json.dumps(answer(json.loads(line))), file=output, flush=True)


if __name__ == "__main__":
    main()
