"""Helper processes that never outlive the service, and the line protocol through which they speak with it.

A helper reads JSON lines on its standard input and writes JSON lines to its standard output. When the service dies, by
whatever cause, the input ends and the helper ends itself; on Linux the kernel kills it besides.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TextIO

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask Linux to kill this process when the one that started it ends. Elsewhere the end of input does it."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before we asked
            os._exit(1)


def claim_output() -> Callable[[dict[str, Any]], None]:
    """Keep standard output for messages alone: whatever else prints goes to standard error from now on.

    Returns a function that sends one message; it may be called from any thread.
    """
    output: TextIO = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    lock = threading.Lock()

    def send(message: dict[str, Any]) -> None:
        with lock:
            output.write(json.dumps(message) + "\n")
            output.flush()

    return send


def exit_at_end_of_input(on_line: Callable[[str], None] = lambda line: None) -> None:
    """Read standard input in the background, handing each line on; end this process where the input ends."""

    def watch() -> None:
        for line in sys.stdin:
            on_line(line)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def exit_with_process(pid: int) -> None:
    """End this process soon after process `pid` is gone (POSIX); for helpers that a launcher stands in front of."""

    def watch() -> None:
        while True:
            time.sleep(1)
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                os._exit(1)

    if os.name == "posix":
        threading.Thread(target=watch, daemon=True).start()
