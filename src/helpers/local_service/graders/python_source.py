"""Python graders: OpenAI's `grade(sample, item)`, run in a limited process (limited.py says how it is limited)."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from .failure import Failure

SCRIPT = Path(__file__).with_name("limited.py")
SECONDS = 30.0  # on the clock, for one answer; OpenAI gives two minutes
LONGEST_LINE = 64 * 1024  # characters of an answer
KEPT = ("PATH", "SYSTEMROOT", "LANG")  # of the environment: no keys, no tokens


class LimitedPython:
    """One python grader's process, in an empty folder of its own. Use it in a `with` block.

    The source is executed anew for each answer. A process that was killed, or died, is started again for the next.
    """

    def __init__(self, source: str, seconds: float = SECONDS) -> None:
        self._source, self._seconds = source, seconds
        self._folder = tempfile.TemporaryDirectory(prefix="grader-", ignore_cleanup_errors=True)
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> LimitedPython:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the process and remove its folder."""
        self._end()
        self._folder.cleanup()

    def grade(self, sample: dict[str, Any], item: Any) -> float:
        """Return the reward. Raises Failure where the source raises, gives no number, or takes too long or too much."""
        process = self._running()
        late = threading.Event()

        def kill() -> None:
            late.set()
            self._end()

        timer = threading.Timer(self._seconds, kill)
        timer.start()
        try:
            reply = self._ask(process, {"source": self._source, "sample": sample, "item": item})
        finally:
            timer.cancel()
        if reply is None:
            self._end()
            how = f"took more than {self._seconds:g} seconds" if late.is_set() else _how_it_ended(process)
            raise Failure("python_grader_server_error", f"The grader's process {how}.")
        if "error" in reply:
            raise Failure("python_grader_runtime_error", str(reply["error"]))
        return float(reply["reward"])

    def _ask(self, process: subprocess.Popen[str], request: dict[str, Any]) -> dict[str, Any] | None:
        """The process's reply; None where it ended, or said what no reply is."""
        assert process.stdin is not None and process.stdout is not None
        with contextlib.suppress(OSError, ValueError):
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            reply = json.loads(process.stdout.readline(LONGEST_LINE))
            if isinstance(reply, dict) and (isinstance(reply.get("reward"), float) or "error" in reply):
                return reply
        return None

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            folder = self._folder.name
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(SCRIPT)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=folder,
                env={
                    **{name: os.environ[name] for name in KEPT if name in os.environ},
                    **{"HOME": folder, "TMPDIR": folder, "TEMP": folder, "PYTHONIOENCODING": "utf-8"},
                    **{"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                },
                encoding="utf-8",
                start_new_session=True,
            )
            assert self._process.stdout is not None
            self._process.stdout.readline(LONGEST_LINE)  # it has started: from here the clock counts
        return self._process

    def _end(self) -> None:
        """Kill the process and all that it started."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL) if os.name == "posix" else process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()


def _how_it_ended(process: subprocess.Popen[str]) -> str:
    code = process.returncode
    if code is not None and code < 0 and -code == getattr(signal, "SIGXCPU", None):
        return "took too much processor time"
    return f"ended by itself or took too much memory (exit status {code})"
