"""From a training process's messages to what the API shows: events, checkpoints, the result file, the job's end."""

from __future__ import annotations

import csv
import io
import os
import shutil
import time
from typing import Any

from .database import Row
from .disk import write_new
from .formats import JobError
from .ids import new_id, tuned_model_name
from .settings import Settings
from .store import UNFINISHED, Store, now

RESULT_COLUMNS = {  # OpenAI's column names, and the metrics they hold
    "step": "step",
    "train_loss": "train_loss",
    "train_accuracy": "train_mean_token_accuracy",
    "valid_loss": "valid_loss",
    "valid_mean_token_accuracy": "valid_mean_token_accuracy",
}


class Progress:
    """Records what happens to one running job. Recording the same thing twice changes nothing."""

    def __init__(self, settings: Settings, store: Store, job: Row, base_name: str) -> None:
        self._settings, self._store, self.job, self._base_name = settings, store, job, base_name
        self._first: tuple[int, float] | None = None  # step and time when this run began to step
        self.advanced = False  # this run has brought a step or a checkpoint that was not known before

    def record(self, message: dict[str, Any]) -> None:
        """Take in one message of the training process, in one transaction.

        A paused job takes in its last step and its checkpoint; one that has ended takes in nothing.
        """
        with self._store.transaction():
            job = self._store.job(self.job["id"])
            if job is None or job["status"] not in ("running", "paused"):
                return
            self.job = job
            handler = getattr(self, f"_{message['type']}")
            handler(message)

    def _ready(self, message: dict[str, Any]) -> None:
        """The process has its libraries; nothing to record."""

    def _plan(self, message: dict[str, Any]) -> None:
        self._store.update_job(
            self.job["id"], total_steps=message["total_steps"], trained_tokens=message["trained_tokens"]
        )

    def _warning(self, message: dict[str, Any]) -> None:
        self._event(message["key"], message["message"], level="warn")

    def _step(self, message: dict[str, Any]) -> None:
        metrics = message["metrics"]
        self.advanced |= self._event(f"step {metrics['step']}", step_message(metrics), data=metrics)
        self._estimate(metrics["step"], metrics["total_steps"])

    def _estimate(self, step: int, total: int) -> None:
        self._first = self._first or (step, time.monotonic())
        steps = step - self._first[0]
        if steps and self.job["status"] == "running":
            seconds = (time.monotonic() - self._first[1]) / steps * (total - step)
            self._store.update_job(self.job["id"], estimated_finish=now() + round(seconds))

    def _checkpoint(self, message: dict[str, Any]) -> None:
        job, step = self.job, message["step"]
        last = step == job["total_steps"]
        model = {
            "id": tuned_model_name(job["root"], job["suffix"], job["tag"], None if last else step),
            "folder": f"{job['id']}/{message['folder']}",
            "base": self._base_name,
            "adapter": int(message["adapter"]),
        }
        mine = self._store.seen_by(job["owner"])
        mine.add_checkpoint(job["id"], step, model, message["metrics"], message["state"])
        self.advanced |= self._event(f"checkpoint {step}", f"Checkpoint created at step {step}")
        for folder in self._store.drop_old_checkpoints(job["id"]):
            shutil.rmtree(self._settings.models / folder, ignore_errors=True)

    def _paused(self, message: dict[str, Any]) -> None:
        checkpoint = self._store.last_checkpoint(self.job["id"])
        assert checkpoint is not None  # a pause makes one
        self._event(f"paused {os.urandom(4).hex()}", f"The job is paused at step {checkpoint['step']}")

    def _done(self, message: dict[str, Any]) -> None:
        self.finish()

    def finish(self) -> None:
        """The last checkpoint is there: write the result file, name the model, and call the job succeeded."""
        job = self.job
        content = result_csv(self._store.metrics(job["id"]))
        identifier = new_id("file-")
        path = self._settings.files / identifier
        write_new(path, [content])
        name = tuned_model_name(job["root"], job["suffix"], job["tag"])
        with self._store.transaction():
            if not self._store.move_job(job["id"], "succeeded", "running"):
                path.unlink()
                return  # cancelled a moment ago
            self._store.seen_by(job["owner"]).add_file(
                identifier,
                filename="step_metrics.csv",
                purpose="fine-tune-results",
                bytes=len(content),
                lines=0,
                expires_at=None,
            )
            self._store.update_job(
                job["id"],
                finished_at=now(),
                estimated_finish=None,
                fine_tuned_model=name,
                result_file=identifier,
            )
            self._event("model", f"New fine-tuned model created: {name}")
            self._event("completed", "The job has successfully completed")

    def _failed(self, message: dict[str, Any]) -> None:
        fail(self._store, self.job["id"], JobError(message["code"], message["message"], None))

    def _event(self, key: str, message: str, **details: Any) -> bool:
        return self._store.add_event(self.job["id"], key, message, **details)


def fail(store: Store, job_id: str, error: JobError) -> None:
    """Call a job failed, with the reason as its error and as its last event."""
    with store.transaction():
        if store.move_job(job_id, "failed", *UNFINISHED):
            details = {"code": error.code, "message": error.message, "param": error.param}
            store.update_job(job_id, finished_at=now(), estimated_finish=None, error=details)
            store.add_event(job_id, "failed", error.message, level="error")


def step_message(metrics: dict[str, Any]) -> str:
    """The wording of a metrics event: "Step 300/300: training loss=0.15, validation loss=0.27"."""
    parts = [f"training loss={metrics['train_loss']:.2f}"]
    if "valid_loss" in metrics:
        parts.append(f"validation loss={metrics['valid_loss']:.2f}")
    if "full_valid_loss" in metrics:
        parts.append(f"full validation loss={metrics['full_valid_loss']:.2f}")
    return f"Step {metrics['step']}/{metrics['total_steps']}: {', '.join(parts)}"


def result_csv(metrics: list[dict[str, Any]]) -> bytes:
    """The result file: one row a step, in OpenAI's columns; a figure that was not measured at a step is left empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(RESULT_COLUMNS)
    for row in metrics:
        writer.writerow([row.get(metric, "") for metric in RESULT_COLUMNS.values()])
    return text.getvalue().encode()


def clear_job_folder(settings: Settings, job_id: str) -> None:
    """Remove what only a running job needs: its copies of the files, and the state it would resume from."""
    shutil.rmtree(settings.jobs / job_id, ignore_errors=True)
