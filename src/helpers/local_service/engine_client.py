"""The web process's side of the engine: starts it when it is needed, and passes chats to it and answers back."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import AsyncGenerator
from typing import Any

from .errors import ApiError
from .helper_process import HelperProcess
from .settings import Settings

log = logging.getLogger(__name__)


class EngineClient:
    """One engine process at most; a new one is started where the old one has ended."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: HelperProcess | None = None
        self._starting = asyncio.Lock()
        self._reader: asyncio.Task[None] | None = None
        self._replies: dict[int, asyncio.Queue[dict[str, Any]]] = {}
        self._numbers = itertools.count(1)
        self._last_used = time.monotonic()

    async def prepare(self) -> None:
        """Start the engine in the background, so that the first chat need not wait for it."""
        if self._settings.standby_seconds:
            await self._running()

    async def chat(self, request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """The engine's messages for one chat: deltas while streaming, then one "done". Raises ApiError.

        A caller that stops listening early cancels the chat.
        """
        number = next(self._numbers)
        replies: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        process = await self._running()
        self._replies[number] = replies
        finished = False
        try:
            await _send(process, {**request, "id": number, "op": "chat"})
            while not finished:
                message = await replies.get()
                finished = message["type"] != "delta"
                if message["type"] == "error":
                    raise ApiError(
                        message["status"],
                        message["message"],
                        code=message["code"],
                        param=message["param"],
                        type="invalid_request_error" if message["status"] < 500 else "server_error",
                        headers=message["headers"],
                    )
                yield message
        finally:
            del self._replies[number]
            self._last_used = time.monotonic()
            if not finished and process.alive:
                with contextlib.suppress(OSError):
                    await process.send({"id": number, "op": "cancel"})

    async def end_idle(self) -> None:
        """End the engine if nobody has chatted for long; it starts again by itself."""
        idle = time.monotonic() - self._last_used
        if self._process is not None and not self._replies and idle > (self._settings.standby_seconds or 60):
            await self.end()

    async def end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await process.end()
        if self._reader is not None:
            await self._reader

    async def _running(self) -> HelperProcess:
        async with self._starting:
            if self._process is None or not self._process.alive:
                command = ["-m", "helpers.local_service.engine_process"]
                self._process = await HelperProcess.start(command, self._settings.logs / "engine.log")
                self._reader = asyncio.create_task(self._read(self._process))
                self._last_used = time.monotonic()
            return self._process

    async def _read(self, process: HelperProcess) -> None:
        async for message in process.messages():
            queue = self._replies.get(message.get("id", 0))
            if queue is not None:
                queue.put_nowait(message)
        if self._replies:
            log.warning("the engine ended: %s", process.how_it_ended())
        gone = f"The engine process ended ({process.how_it_ended()}). It starts again with the next request."
        for queue in self._replies.values():
            details = {"status": 500, "message": gone, "code": "engine_ended", "param": None, "headers": {}}
            queue.put_nowait({"type": "error", **details})


async def _send(process: HelperProcess, message: dict[str, Any]) -> None:
    """Send, unless the process has ended: then its reader tells everyone who waits."""
    with contextlib.suppress(OSError):
        await process.send(message)
