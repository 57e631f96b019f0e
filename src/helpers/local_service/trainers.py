"""Training processes, one kept warm: importing torch and TRL takes seconds, which a job should not have to wait for.

A process that has finished a job goes back into waiting and takes the next one; after a failure, a cancellation or a
crash a new one is started. Never two at once: beside a training process a second import would only slow it down.
"""

from __future__ import annotations

import asyncio
import shlex
import time
from pathlib import Path

from .helper_process import HelperProcess
from .settings import Settings

MODULE = "helpers.local_service.train"


class Trainers:
    """Hands out training processes; keeps one in waiting between jobs, as long as the settings say."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._waiting: HelperProcess | None = None
        self._at_work = False
        self._starting = asyncio.Lock()
        self._last_wanted = time.monotonic()

    async def prepare(self) -> None:
        """Have a process in waiting (when a job looks likely). Does nothing while one trains."""
        self._last_wanted = time.monotonic()
        if self._keeps_one and not self._at_work:
            await self._start_waiting()

    async def start(self, spec: Path) -> HelperProcess:
        """A process that trains the job described in `spec`; its messages tell how it goes."""
        self._last_wanted = time.monotonic()
        if self._settings.launcher:
            command = [*shlex.split(self._settings.launcher), "-m", MODULE, "--job", str(spec)]
            return await HelperProcess.start(command, self._log)
        process = await self._start_waiting()
        self._waiting = None
        await process.send({"job": str(spec)})
        self._at_work = True
        return process

    async def take_back(self, process: HelperProcess, *, finished: bool) -> None:
        """Keep a process that `finished` its job for the next one; end any other."""
        self._at_work = False
        self._last_wanted = time.monotonic()
        if finished and self._keeps_one and process.alive:
            self._waiting = process
        else:
            await process.end()

    @property
    def single(self) -> bool:
        """Whether one process does a job, which says "done" when it is: a launcher may have others to wait for."""
        return not self._settings.launcher

    @property
    def _keeps_one(self) -> bool:
        return self.single and self._settings.standby_seconds > 0

    async def _start_waiting(self) -> HelperProcess:
        async with self._starting:
            if self._waiting is None or not self._waiting.alive:
                self._waiting = await HelperProcess.start(["-m", MODULE, "--standby"], self._log)
            return self._waiting

    async def end_idle(self) -> None:
        """End the waiting process if no job has wanted it for long."""
        if self._waiting and time.monotonic() - self._last_wanted > self._settings.standby_seconds:
            await self.end()

    async def end(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            await waiting.end()

    @property
    def _log(self) -> Path:
        return self._settings.logs / "training.log"
