"""The service's side of a helper process: start it, send it JSON lines, read its JSON lines, end it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

LONGEST_LINE = 64 * 1024 * 1024  # 128 answers with their log probabilities are a few megabytes
# Two processes that compute at once must sleep while they wait for a thread, not spin: with other work on the same two
# cores, spinning (OpenMP's default) made training 20 times slower. To sleep at once costs a fifth of an idle machine's
# speed; to spin for a moment first (GNU's OpenMP: 10,000 rounds) costs neither: 30 steps of pocket-6m took 14.0 s, not
# 17.5 s, alone, and 67 s, not 79 s, beside two busy programs.
# Memory of tensors up to 32 MB is kept for the next ones, not fetched anew from the system at every step (glibc): an
# eighth less time for a training step, and no page fault where there were 550 to 3,600.
ENVIRONMENT = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "10000",
    "KMP_BLOCKTIME": "0",
    "MALLOC_MMAP_THRESHOLD_": "32000000",
    "MALLOC_TRIM_THRESHOLD_": "256000000",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONIOENCODING": "utf-8",
}


class HelperProcess:
    """A Python program that speaks JSON lines. Make one with `start`."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path, log_start: int) -> None:
        self._process, self._log, self._log_start = process, log, log_start

    @classmethod
    async def start(cls, command: list[str], log: Path) -> HelperProcess:
        """Start `command` (after `python -m`, or whole where its first word is a path); its stderr goes to `log`."""
        if command[0] == "-m":
            command = [sys.executable, *command]
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as stderr:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=stderr,
                limit=LONGEST_LINE,
                env={**ENVIRONMENT, **os.environ},
            )
            return cls(process, log, stderr.tell())

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def send(self, message: dict[str, Any]) -> None:
        """Send one message. Raises ConnectionError where the process has ended."""
        stream = self._process.stdin
        assert stream is not None
        stream.write(json.dumps(message).encode() + b"\n")
        await stream.drain()

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        """Every message until the process ends. Half a line, written while it was killed, is left out."""
        stream = self._process.stdout
        assert stream is not None
        while line := await stream.readline():
            if line.endswith(b"\n"):
                yield json.loads(line)
        await self._process.wait()

    async def end(self) -> None:
        """Kill the process and wait for it: helpers keep nothing that they would have to put away."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()

    def how_it_ended(self) -> str:
        """For people: the exit status, and the last line it wrote to its log."""
        code = self._process.returncode
        status = f"signal {-code}" if code is not None and code < 0 else f"exit status {code}"
        with contextlib.suppress(OSError), self._log.open("rb") as log:
            log.seek(self._log_start)
            lines = log.read()[-4000:].decode("utf-8", "replace").strip().splitlines()
            if lines:
                return f"{status}; last words: {lines[-1][:300]}"
        return status
