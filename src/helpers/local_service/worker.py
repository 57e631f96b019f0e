"""Work in the background of the web process: one piece after the other, as long as there is any."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)
PAUSE_AFTER_ERROR = 10.0  # seconds; most often the disk refuses


class Worker:
    """Calls `work` again and again; where it says that it had nothing to do, waits to be woken."""

    def __init__(self, name: str, work: Callable[[], Awaitable[bool]]) -> None:
        self._name, self._work = name, work
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._forever())

    async def stop(self) -> None:
        """Stop at once, wherever the work stands."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def wake(self) -> None:
        self._awake.set()

    async def _forever(self) -> None:
        while True:
            self._awake.clear()
            try:
                if await self._work():
                    continue
            except Exception:  # the last stop: a worker that ended would leave everybody waiting
                log.exception("could not %s; trying again in %.0f seconds", self._name, PAUSE_AFTER_ERROR)
                await asyncio.sleep(PAUSE_AFTER_ERROR)
                continue
            await self._awake.wait()
