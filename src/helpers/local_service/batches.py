"""Batches: a file of chats, each answered once, while nobody waits for them.

    validating -> in_progress -> finalizing -> completed     (or failed, expired, cancelled)

One batch at a time, first come first served. Every answer is in the database before the next is asked for, so after
a restart a batch goes on with the requests that have none.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .bases import BaseError
from .batch_input import MOST_REPORTED, Fault, find_faults, requests_in
from .catalogue import Catalogue
from .completions import complete
from .database import Row
from .disk import write_new
from .engine_client import EngineClient
from .errors import ApiError
from .ids import new_id, random_letters
from .requests import CreateChat, check
from .settings import Settings
from .store import Store, now
from .worker import Worker

AT_ONCE = 16  # requests that the engine works on together
MOST_TRIES = 3  # of a request during which the engine process ended
EXPIRED = {
    "code": "batch_expired",
    "message": "This request could not be executed before the completion window expired.",
}
ENDS = {"finalizing": "completed", "cancelling": "cancelled"}  # what a batch is called once its files are written


class Batches:
    """Owns every batch from its creation to its end. Lives in the web process's event loop."""

    def __init__(self, settings: Settings, store: Store, catalogue: Catalogue, engine: EngineClient) -> None:
        self._settings, self._store, self._catalogue, self._engine = settings, store, catalogue, engine
        self._worker = Worker("work on batches", self._next)
        self.wake = self._worker.wake

    def start(self) -> None:
        """Begin to work; batches that an earlier service left unfinished go on by themselves."""
        self._worker.start()

    async def stop(self) -> None:
        """Stop at once. Requests under way are asked again at the next start."""
        await self._worker.stop()

    def cancel(self, batch_id: str) -> bool:
        """Begin to cancel a batch that is not finished; tell whether it could be. What is answered stays."""
        if not self._store.move_batch(batch_id, "cancelling", "validating", "in_progress", "finalizing"):
            return False
        self.wake()
        return True

    async def _next(self) -> bool:
        batch = self._store.next_batch()
        if batch is None:
            return False
        if not self._input(batch).is_file():
            self._fail(batch, [Fault("server_error", "The batch's copy of its input is no longer in the data folder.")])
        elif batch["status"] == "validating":
            await asyncio.to_thread(self._validate, batch)
        elif batch["status"] == "in_progress":
            await self._answer_all(batch)
            self._store.move_batch(batch["id"], "finalizing", "in_progress")
        else:
            await asyncio.to_thread(self._finish, batch)
        return True

    def _input(self, batch: Row) -> Path:
        return self._settings.batches / batch["id"]

    def _validate(self, batch: Row) -> None:
        found = find_faults(self._input(batch), batch["endpoint"])
        if isinstance(found, list):
            self._fail(batch, found)
            return
        try:
            self._catalogue.seen_by(batch["owner"]).find(found.model)
        except ApiError as error:
            self._fail(batch, [Fault("model_not_found", error.message, "body.model")])
            return
        self._store.move_batch(batch["id"], "in_progress", "validating", model=found.model, total=found.requests)

    def _fail(self, batch: Row, faults: list[Fault]) -> None:
        errors = [fault._asdict() for fault in faults[:MOST_REPORTED]]
        if self._store.move_batch(batch["id"], "failed", batch["status"], errors=errors):
            self._input(batch).unlink(missing_ok=True)

    async def _answer_all(self, batch: Row) -> None:
        """Answer what has no answer yet, until all is answered or the batch is cancelled or expires."""
        answered = self._store.answered_lines(batch["id"])
        waiting = ((line, asked) for line, asked in requests_in(self._input(batch)) if line not in answered)

        async def answer_some() -> None:
            for line, asked in waiting:  # several of these share it
                if self._is_over(batch):
                    return
                await self._answer(batch, line, asked)

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(answer_some())

    def _is_over(self, batch: Row) -> bool:
        return now() >= batch["expires_at"] or not self._store.is_batch(batch["id"], "in_progress")

    async def _answer(self, batch: Row, line: int, asked: dict[str, Any]) -> None:
        """Ask one request, and record its line of the output file or of the error file."""
        status, body, tokens = await self._ask(asked["body"], self._catalogue.seen_by(batch["owner"]))
        response = {"status_code": status, "request_id": f"req_{random_letters(24)}", "body": body}
        row = _line(asked["custom_id"], response, None)
        self._store.add_batch_result(batch["id"], line, row, is_error=status >= 400, tokens=tokens)

    async def _ask(
        self, body: dict[str, Any], catalogue: Catalogue, tries: int = 1
    ) -> tuple[int, dict[str, Any], tuple[int, int]]:
        """Return status, body, and the tokens of prompt and completion."""
        try:
            chat = check(CreateChat, {**body, "stream": False})
            answer = await complete(chat, catalogue, self._engine, in_background=True)
        except ApiError as error:
            if error.code == "engine_ended" and tries < MOST_TRIES:
                return await self._ask(body, catalogue, tries + 1)
            return error.status, error.body(), (0, 0)
        except BaseError as error:
            return 500, ApiError(500, str(error), code="base_unusable", type="server_error").body(), (0, 0)
        assert answer.usage is not None
        return 200, answer.to_dict(mode="json"), (answer.usage.prompt_tokens, answer.usage.completion_tokens)

    def _finish(self, batch: Row) -> None:
        """Write the output file and the error file, and call the batch what it has become."""
        counted = self._store.batch(batch["id"])
        assert counted is not None
        unanswered = counted["total"] - counted["completed"] - counted["failed"]
        status = "expired" if batch["status"] == "finalizing" and unanswered else ENDS[batch["status"]]
        written = {}
        try:
            if counted["completed"]:
                written["output_file"] = self._write(self._store.batch_rows(batch["id"], is_error=False))
            if counted["failed"] or status == "expired":
                errors = self._errors(counted, with_expired=status == "expired")
                written["error_file"] = self._write(errors)
            with self._store.transaction():
                for column, (identifier, size, lines) in written.items():
                    self._store.seen_by(batch["owner"]).add_file(
                        identifier,
                        filename=f"{batch['id']}_{column.removesuffix('_file')}.jsonl",
                        purpose="batch_output",
                        bytes=size,
                        lines=lines,
                        expires_at=now() + batch["output_life"] if batch["output_life"] else None,
                    )
                files = {column: identifier for column, (identifier, _, _) in written.items()}
                if not self._store.move_batch(batch["id"], status, batch["status"], **files):
                    raise _Changed
                self._store.drop_batch_results(batch["id"])
        except BaseException as error:
            for identifier, _, _ in written.values():
                (self._settings.files / identifier).unlink(missing_ok=True)
            if not isinstance(error, _Changed):
                raise
        else:
            self._input(batch).unlink(missing_ok=True)

    def _errors(self, batch: Row, *, with_expired: bool) -> Iterator[str]:
        """The rows of the error file: requests that failed, then those that were never answered."""
        yield from self._store.batch_rows(batch["id"], is_error=True)
        if with_expired:
            answered = self._store.answered_lines(batch["id"])
            for line, asked in requests_in(self._input(batch)):
                if line not in answered:
                    yield _line(asked["custom_id"], None, EXPIRED)

    def _write(self, rows: Iterator[str]) -> tuple[str, int, int]:
        """Write a file of these rows; return its id, its size and how many lines it has."""
        identifier, lines = new_id("file-"), 0

        def counted() -> Iterator[bytes]:
            nonlocal lines
            for row in rows:
                lines += 1
                yield row.encode() + b"\n"

        return identifier, write_new(self._settings.files / identifier, counted()), lines


class _Changed(Exception):
    """The batch was cancelled while its files were being written."""


def _line(custom_id: str, response: dict[str, Any] | None, error: dict[str, Any] | None) -> str:
    return json.dumps({"id": new_id("batch_req_"), "custom_id": custom_id, "response": response, "error": error})
