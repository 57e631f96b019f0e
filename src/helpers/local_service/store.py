"""What the service remembers: files, uploads, jobs, events, checkpoints, tuned models, batches.

The one place that knows the tables.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .database import Database, Row
from .ids import new_id

WAITING = ("validating_files", "queued", "running")  # for the service to go on with
UNFINISHED = (*WAITING, "paused")
UNFINISHED_BATCH = ("validating", "in_progress", "finalizing", "cancelling")
KEPT_CHECKPOINTS = 3  # OpenAI keeps the last three epochs
OWN = "owner IS coalesce(?, owner)"  # a learner's own rows; every row, where the value is null


_latest = 0  # what `now` gave last


def now() -> int:
    """Unix time in whole seconds, as the API gives every time.

    It stands still while the machine's clock, put back, catches up: nothing ends before it began.
    """
    global _latest
    _latest = max(_latest, int(time.time()))
    return _latest


class Store:
    """The service's memory. Every method is one transaction; `transaction()` joins several into one.

    It shows everything, and what is added to it is nobody's in particular: see `seen_by`.
    """

    def __init__(self, path: Path) -> None:
        self.database = Database(path)
        self.transaction = self.database.transaction
        self._learner: str | None = None

    def seen_by(self, learner: str | None) -> Store:
        """The same memory as a learner sees it: it finds the learner's own files, uploads, jobs, models and batches.

        What is added to it is the learner's. None: everything, as the service itself sees it.
        """
        view = copy.copy(self)
        view._learner = learner
        return view

    def _add(self, table: str, identifier: str, **columns: Any) -> Row:
        self.database.insert(table, id=identifier, created_at=now(), owner=self._learner, **columns)
        row = self._find(table, identifier)
        assert row is not None
        return row

    def _find(self, table: str, identifier: str) -> Row | None:
        return self.database.row(f"SELECT * FROM {table} WHERE id = ? AND {OWN}", identifier, self._learner)

    def close(self) -> None:
        self.database.close()

    # Files

    def add_file(self, identifier: str, **columns: Any) -> Row:
        return self._add("files", identifier, **columns)

    def file(self, identifier: str) -> Row | None:
        return self._find("files", identifier)

    def files(self, *, purpose: str | None, after: str | None, limit: int, newest: bool) -> tuple[list[Row], bool]:
        where = f"{OWN} AND purpose = coalesce(?, purpose)"
        values = (self._learner, purpose or None)
        return self.database.page("files", where=where, values=values, after=after, limit=limit, newest=newest)

    def delete_file(self, identifier: str) -> None:
        self.database.execute("DELETE FROM files WHERE id = ?", identifier)

    def expired_files(self) -> list[Row]:
        return self.database.rows("SELECT * FROM files WHERE expires_at IS NOT NULL AND expires_at <= ?", now())

    # Jobs

    def add_job(self, identifier: str, **columns: Any) -> Row:
        return self._add("jobs", identifier, status="validating_files", **columns)

    def job(self, identifier: str) -> Row | None:
        return self._find("jobs", identifier)

    def jobs(self, *, metadata: dict[str, str], after: str | None, limit: int) -> tuple[list[Row], bool]:
        """Newest first; `metadata` keeps the jobs that carry all of these pairs."""
        where, values = OWN, [self._learner]
        for key, value in metadata.items():
            where += " AND EXISTS (SELECT 1 FROM json_each(metadata) WHERE json_each.key = ? AND json_each.value = ?)"
            values += [key, value]
        return self.database.page("jobs", where=where, values=tuple(values), after=after, limit=limit, newest=True)

    def next_job(self, *statuses: str) -> Row | None:
        """The oldest job in one of these states: first come, first served."""
        marks = ", ".join("?" * len(statuses))
        return self.database.row(f"SELECT * FROM jobs WHERE status IN ({marks}) ORDER BY seq LIMIT 1", *statuses)

    def queue(self) -> list[Row]:
        """The queued jobs in the order of their turns.

        Owners take turns, the one first who has trained least recently, each with the oldest job. So everybody's
        first jobs come before anybody's second. Jobs that are all one owner's go first come, first served.
        """
        return self.database.rows(
            "SELECT * FROM jobs WHERE status = 'queued' ORDER BY"
            " row_number() OVER (PARTITION BY owner ORDER BY seq),"
            " (SELECT max(turn) FROM jobs AS past WHERE past.owner IS jobs.owner),"  # null, for never, comes first
            " min(seq) OVER (PARTITION BY owner)"
        )

    def standing(self) -> list[Row]:
        """Each owner with jobs: how many of them are unfinished and how many have succeeded, by name."""
        marks = ", ".join("?" * len(UNFINISHED))
        return self.database.rows(
            f"SELECT owner, sum(status IN ({marks})) AS unfinished, sum(status = 'succeeded') AS succeeded"
            " FROM jobs GROUP BY owner",
            *UNFINISHED,
        )

    def take_turn(self, identifier: str) -> bool:
        """A queued job begins to train; return whether it was still queued."""
        with self.transaction():
            last = self.database.row("SELECT coalesce(max(turn), 0) AS turn FROM jobs")
            assert last is not None
            return self.database.move("jobs", identifier, "running", ("queued",), turn=last["turn"] + 1)

    def unfinished_jobs(self) -> int:
        marks = ", ".join("?" * len(UNFINISHED))
        sql = f"SELECT count(*) AS jobs FROM jobs WHERE status IN ({marks}) AND {OWN}"
        (row,) = self.database.rows(sql, *UNFINISHED, self._learner)
        return int(row["jobs"])

    def has_unfinished_job(self) -> bool:
        """Whether there is a job to go on with: a paused one waits for somebody to resume it."""
        return self.next_job(*WAITING) is not None

    def trains_from(self, model: str) -> bool:
        """Whether a job that is not finished begins with this model."""
        marks = ", ".join("?" * len(UNFINISHED))
        sql = f"SELECT 1 FROM jobs WHERE base = ? AND status IN ({marks})"
        return self.database.row(sql, model, *UNFINISHED) is not None

    def update_job(self, identifier: str, **columns: Any) -> None:
        self.database.update("jobs", identifier, **columns)

    def move_job(self, identifier: str, status: str, *sources: str) -> bool:
        """Change a job's status if it is still in one of `sources`; return whether it was."""
        return self.database.move("jobs", identifier, status, sources)

    # Events

    def add_event(
        self, job_id: str, key: str, message: str, *, level: str = "info", data: dict[str, Any] | None = None
    ) -> bool:
        """Record that `key` happened. The same key is recorded once: a resumed job repeats nothing."""
        return self.database.insert(
            "events",
            or_ignore=True,
            id=new_id("ftevent-"),
            job_id=job_id,
            key=key,
            created_at=now(),
            level=level,
            type="metrics" if data else "message",
            message=message,
            data=data or {},
        )

    def event_time(self, job_id: str, key: str) -> int | None:
        row = self.database.row("SELECT created_at FROM events WHERE job_id = ? AND key = ?", job_id, key)
        return None if row is None else int(row["created_at"])

    def has_event(self, job_id: str, key: str) -> bool:
        return self.event_time(job_id, key) is not None

    def events(self, job_id: str, *, after: str | None, limit: int) -> tuple[list[Row], bool]:
        return self.database.page("events", where="job_id = ?", values=(job_id,), after=after, limit=limit, newest=True)

    def metrics(self, job_id: str) -> list[dict[str, Any]]:
        """The data of every metrics event of a job, in order of steps."""
        rows = self.database.rows("SELECT data FROM events WHERE job_id = ? AND type = 'metrics' ORDER BY seq", job_id)
        return [row["data"] for row in rows]

    # Checkpoints and tuned models

    def add_checkpoint(self, job_id: str, step: int, model: Row, metrics: dict[str, Any], state: str) -> None:
        """Record a checkpoint and the model it is; a repeat after a resume changes nothing."""
        with self.transaction():
            self.database.insert(
                "checkpoints",
                or_ignore=True,
                id=new_id("ftckpt_"),
                job_id=job_id,
                step=step,
                created_at=now(),
                model=model["id"],
                metrics=metrics,
                state=state,
            )
            self.database.insert(
                "models", or_ignore=True, created_at=now(), job_id=job_id, owner=self._learner, **model
            )

    def checkpoints(self, job_id: str, *, after: str | None, limit: int) -> tuple[list[Row], bool]:
        return self.database.page(
            "checkpoints", where="job_id = ?", values=(job_id,), after=after, limit=limit, newest=True
        )

    def last_checkpoint(self, job_id: str) -> Row | None:
        return self.database.row("SELECT * FROM checkpoints WHERE job_id = ? ORDER BY step DESC LIMIT 1", job_id)

    def drop_old_checkpoints(self, job_id: str) -> list[str]:
        """Forget all but the last three checkpoints and their models; return the folders that may now be deleted."""
        with self.transaction():
            old = self.database.rows(
                "SELECT c.id, c.model, m.folder FROM checkpoints c LEFT JOIN models m ON m.id = c.model"
                " WHERE c.job_id = ? ORDER BY c.step DESC LIMIT -1 OFFSET ?",
                job_id,
                KEPT_CHECKPOINTS,
            )
            for row in old:
                self.database.execute("DELETE FROM checkpoints WHERE id = ?", row["id"])
                self.database.execute("DELETE FROM models WHERE id = ?", row["model"])
        return [row["folder"] for row in old if row["folder"]]

    def models(self) -> list[Row]:
        """Every tuned model, oldest first."""
        return self.database.rows(f"SELECT * FROM models WHERE {OWN} ORDER BY seq", self._learner)

    def model(self, name: str) -> Row | None:
        return self._find("models", name)

    def delete_model(self, name: str) -> None:
        self.database.execute("DELETE FROM models WHERE id = ?", name)

    # Uploads in parts

    def add_upload(self, identifier: str, **columns: Any) -> None:
        self._add("uploads", identifier, status="pending", **columns)

    def upload(self, identifier: str) -> Row | None:
        return self._find("uploads", identifier)

    def end_upload(self, identifier: str, status: str, **columns: Any) -> bool:
        """Change a pending upload's status; return whether it was pending."""
        return self.database.move("uploads", identifier, status, ("pending",), **columns)

    def expired_uploads(self) -> list[Row]:
        return self.database.rows("SELECT * FROM uploads WHERE status = 'pending' AND expires_at <= ?", now())

    def add_part(self, identifier: str, upload_id: str, size: int) -> Row:
        self.database.insert("parts", id=identifier, upload_id=upload_id, created_at=now(), bytes=size)
        row = self.database.row("SELECT * FROM parts WHERE id = ?", identifier)
        assert row is not None
        return row

    def parts(self, upload_id: str) -> list[Row]:
        return self.database.rows("SELECT * FROM parts WHERE upload_id = ? ORDER BY seq", upload_id)

    def is_wanted_part(self, identifier: str) -> bool:
        """Whether a part belongs to an upload that may still be completed."""
        sql = "SELECT 1 FROM parts JOIN uploads ON uploads.id = upload_id WHERE parts.id = ? AND status = 'pending'"
        return self.database.row(sql, identifier) is not None

    # Batches

    def add_batch(self, identifier: str, **columns: Any) -> Row:
        return self._add("batches", identifier, status="validating", **columns)

    def batch(self, identifier: str) -> Row | None:
        return self._find("batches", identifier)

    def batches(self, *, after: str | None, limit: int) -> tuple[list[Row], bool]:
        values = (self._learner,)
        return self.database.page("batches", where=OWN, values=values, after=after, limit=limit, newest=True)

    def next_batch(self) -> Row | None:
        """The oldest batch that is not finished: first come, first served."""
        marks = ", ".join("?" * len(UNFINISHED_BATCH))
        sql = f"SELECT * FROM batches WHERE status IN ({marks}) ORDER BY seq LIMIT 1"
        return self.database.row(sql, *UNFINISHED_BATCH)

    def is_batch(self, identifier: str, *statuses: str) -> bool:
        """Whether there is such a batch, in one of these states."""
        row = self.batch(identifier)
        return row is not None and row["status"] in statuses

    def move_batch(self, identifier: str, status: str, *sources: str, **columns: Any) -> bool:
        """Change a batch's status, with the time of it, if it is still in one of `sources`; return whether it was."""
        return self.database.move("batches", identifier, status, sources, **{f"{status}_at": now()}, **columns)

    def add_batch_result(self, batch_id: str, line: int, row: str, *, is_error: bool, tokens: tuple[int, int]) -> None:
        """Record the answer to a request and count it, once."""
        counter = "failed" if is_error else "completed"
        with self.transaction():
            if self.database.insert(
                "batch_results", or_ignore=True, batch_id=batch_id, line=line, is_error=int(is_error), row=row
            ):
                self.database.execute(
                    f"UPDATE batches SET {counter} = {counter} + 1, prompt_tokens = prompt_tokens + ?,"
                    " completion_tokens = completion_tokens + ? WHERE id = ?",
                    *tokens,
                    batch_id,
                )

    def answered_lines(self, batch_id: str) -> set[int]:
        rows = self.database.rows("SELECT line FROM batch_results WHERE batch_id = ?", batch_id)
        return {row["line"] for row in rows}

    def batch_rows(self, batch_id: str, *, is_error: bool) -> Iterator[str]:
        """The lines of the output file or the error file, in the order of the input."""
        sql = "SELECT row FROM batch_results WHERE batch_id = ? AND is_error = ? ORDER BY line"
        return (row["row"] for row in self.database.rows(sql, batch_id, int(is_error)))

    def drop_batch_results(self, batch_id: str) -> None:
        self.database.execute("DELETE FROM batch_results WHERE batch_id = ?", batch_id)
