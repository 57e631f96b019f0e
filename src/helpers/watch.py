"""Step 3: watching a job. `watch(client, job_id)` waits for its end and shows what it reports on the way.

In JupyterLab a progress bar and a loss curve move while the job runs; elsewhere one line of text does. What remains is
plain text and a picture, which every place that shows notebooks can show. Shown in notebook 03.
"""

from __future__ import annotations

import math
import time
from typing import Any

import openai
import pandas as pd
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent

from .errors import Explained
from .frontend import StatusLine, in_notebook, is_watched
from .plots import describe_curves, loss_curves, png, show

FINISHED = ("succeeded", "failed", "cancelled")
BAR = 24  # characters


def watch(client: openai.OpenAI, job_id: str, every: float = 1.0) -> FineTuningJob:
    """Wait until the job ends and return it; ask for news every `every` seconds.

    Leaves one line (status, model, steps, seconds, last losses) and the loss curves. Raises Explained when the job
    failed, when the service does not answer, and when the wait is interrupted: the job then goes on by itself.
    """
    view = _Widgets() if is_watched() else _Line()
    events: list[FineTuningJobEvent] = []
    try:
        while True:
            job = client.fine_tuning.jobs.retrieve(job_id)
            events += _news(client, job_id, events)
            if job.status in FINISHED:
                break
            view.update(job, events)
            time.sleep(every)
    except BaseException as error:
        view.end(f"{job_id}: no longer watched")
        reason = _explain(error, client, job_id)
        if reason:
            raise Explained(reason) from (None if isinstance(error, KeyboardInterrupt) else error)
        raise
    view.end(result_line(job, events))
    metrics = _frame(job, events)
    if in_notebook() and len(metrics):
        show(loss_curves(metrics, f"Loss of {job.fine_tuned_model or job.id}"), describe_curves(metrics))
    if job.status == "failed":
        reason = job.error.message if job.error else "the service gave no reason."
        raise Explained(f"Job {job_id} failed: {reason}")
    return job


def _explain(error: BaseException, client: openai.OpenAI, job_id: str) -> str:
    """What ended the wait before the job's end, and what to do next; "" for an error that has no story here."""
    if isinstance(error, KeyboardInterrupt):
        return (
            f"You stopped watching. The job goes on: watch(client, '{job_id}') watches it again, and "
            f"client.fine_tuning.jobs.cancel('{job_id}') ends it."
        )
    if isinstance(error, openai.APIConnectionError):
        return (
            f"The service at {client.base_url} does not answer any more ({error.__cause__ or error}). What the job "
            f"had done is kept. Run connect() again, then watch(client, '{job_id}')."
        )
    if isinstance(error, openai.NotFoundError):
        return f"The service at {client.base_url} has no job '{job_id}'. client.fine_tuning.jobs.list() lists yours."
    return ""


def training_metrics(client: openai.OpenAI, job_id: str) -> pd.DataFrame:
    """Return what the job has reported so far, one row a step: step, epoch, train_loss, valid_loss and the like.

    A column is there when it was measured at some step; where it was not measured at a step it holds NaN.
    """
    return _frame(client.fine_tuning.jobs.retrieve(job_id), _news(client, job_id, []))


def _news(client: openai.OpenAI, job_id: str, known: list[FineTuningJobEvent]) -> list[FineTuningJobEvent]:
    """The events that came after the known ones, oldest first. The API lists them newest first, in pages."""
    last, found = known[-1].id if known else None, []
    for event in client.fine_tuning.jobs.list_events(job_id, limit=25 if known else 100):  # little is new
        if event.id == last:
            break
        found.append(event)
    return found[::-1]


def _frame(job: FineTuningJob, events: list[FineTuningJobEvent]) -> pd.DataFrame:
    rows: dict[int, dict[str, Any]] = {}
    for event in events:
        if event.type == "metrics" and isinstance(event.data, dict) and "step" in event.data:
            rows[event.data["step"]] = event.data
    frame = pd.DataFrame([rows[step] for step in sorted(rows)], columns=None if rows else ["step", "train_loss"])
    epochs = job.hyperparameters.n_epochs if job.hyperparameters else None
    if isinstance(epochs, int) and "total_steps" in frame:
        per_epoch = frame["total_steps"] / epochs
        frame.insert(1, "epoch", (frame["step"] / per_epoch).map(math.ceil))
    frame = frame.drop(columns="total_steps", errors="ignore")
    return frame.dropna(axis="columns", how="all") if rows else frame


def progress_line(job: FineTuningJob, events: list[FineTuningJobEvent]) -> str:
    """Return one line on a job under way: a bar, its step, its last message."""
    done, total = _steps(events)
    message = events[-1].message if events else ""
    if not total:
        return f"{job.status}: {message}"
    filled = round(BAR * done / total)
    return f"{job.status} [{'#' * filled}{'.' * (BAR - filled)}] {message}"


def result_line(job: FineTuningJob, events: list[FineTuningJobEvent]) -> str:
    """Return one line on a finished job: status, model, steps, seconds and last losses."""
    parts = [f"{job.id} {job.status}"]
    if job.fine_tuned_model:
        parts.append(f"model {job.fine_tuned_model}")
    done, total = _steps(events)
    if total:
        parts.append(f"{done}/{total} steps")
    if job.finished_at:
        parts.append(f"{job.finished_at - job.created_at} s")
    frame = _frame(job, events)
    for column, label in (("train_loss", "training loss"), ("full_valid_loss", "validation loss")):
        if column in frame and frame[column].notna().any():
            parts.append(f"last {label} {frame[column].dropna().iloc[-1]:.3f}")
    return " · ".join(parts)


def _steps(events: list[FineTuningJobEvent]) -> tuple[int, int]:
    """Steps done and steps in all, as far as the events tell; 0 and 0 before the first step."""
    for event in reversed(events):
        if event.type == "metrics" and isinstance(event.data, dict):
            return event.data.get("step", 0), event.data.get("total_steps", 0)
    return 0, 0


class _Line:
    """Progress as one line of text."""

    def __init__(self) -> None:
        self._line = StatusLine()

    def update(self, job: FineTuningJob, events: list[FineTuningJobEvent]) -> None:
        self._line.show(progress_line(job, events))

    def end(self, text: str) -> None:
        self._line.end(text)


class _Widgets:
    """Progress as a bar and a loss curve that move; replaced by text at the end, so that a saved notebook reads."""

    def __init__(self) -> None:
        import ipywidgets

        self._label = ipywidgets.Label("Waiting for the service")
        self._bar = ipywidgets.IntProgress(0, 0, 1, layout=ipywidgets.Layout(width="60%"))
        self._curve = ipywidgets.Image(format="png", layout=ipywidgets.Layout(display="none", max_width="800px"))
        self._box = ipywidgets.VBox([self._label, self._bar, self._curve])
        self._drawn = 0
        self._line = StatusLine()
        self._line.show(self._box)

    def update(self, job: FineTuningJob, events: list[FineTuningJobEvent]) -> None:
        done, total = _steps(events)
        self._label.value = f"{job.status} · {events[-1].message if events else ''}"
        self._bar.max, self._bar.value = total or 1, done
        if done > max(self._drawn, 1):
            self._drawn = done
            self._curve.value = png(loss_curves(_frame(job, events)))
            self._curve.layout.display = ""

    def end(self, text: str) -> None:
        self._line.end(text)
        for widget in (self._box, *self._box.children):
            widget.close()
