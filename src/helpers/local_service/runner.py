"""The queue: validates new jobs, trains one at a time, first come first served, and carries on after any interruption.

    validating_files -> queued -> running -> succeeded, failed or cancelled

Every state is in the database before anybody hears of it, so a restart looks up where each job stood: validation is
done again, training goes on from the last checkpoint that was recorded.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sqlite3
from pathlib import Path

from .bases import control_tokens
from .catalogue import Catalogue, ServedModel
from .database import Row
from .errors import ApiError
from .formats import JobError, check_chat_file
from .helper_process import HelperProcess
from .hyperparameters import Hyperparameters
from .progress import Progress, clear_job_folder, fail
from .settings import MIN_TRAINING_EXAMPLES, Settings
from .store import UNFINISHED, Store, now
from .trainers import Trainers
from .training_spec import TrainingSpec

log = logging.getLogger(__name__)
MOST_FRUITLESS_RUNS = 3  # a training process that dies so often without getting on fails its job
PAUSE_AFTER_STORAGE_ERROR = 10.0  # seconds
GONE = JobError("server_error", "The job's own copy of its files is no longer in the data folder.", None)


class Runner:
    """Owns every job from its creation to its end. Lives in the web process's event loop."""

    def __init__(self, settings: Settings, store: Store, catalogue: Catalogue) -> None:
        self._settings, self._store, self._catalogue = settings, store, catalogue
        self.trainers = Trainers(settings)
        self._wake = {"validate": asyncio.Event(), "train": asyncio.Event()}
        self._tasks: list[asyncio.Task[None]] = []
        self._current: tuple[str, HelperProcess] | None = None
        self._fruitless: dict[str, int] = {}

    async def start(self) -> None:
        """Begin to work; jobs that an earlier service left unfinished go on by themselves."""
        self._tasks = [
            asyncio.create_task(self._forever("validate", self._validate_next)),
            asyncio.create_task(self._forever("train", self._train_next)),
        ]
        self.wake()

    async def stop(self) -> None:
        """End every process at once. Jobs stay as they are recorded and go on at the next start."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._current is not None:
            await self._current[1].end()
        await self.trainers.end()

    def wake(self) -> None:
        """Look at the queue (after a job was added)."""
        for event in self._wake.values():
            event.set()

    async def cancel(self, job_id: str) -> bool:
        """Cancel a job that is not finished; tell whether it could be. Its checkpoints so far stay."""
        with self._store.transaction():
            if not self._store.move_job(job_id, "cancelled", *UNFINISHED):
                return False
            self._store.update_job(job_id, finished_at=now(), estimated_finish=None)
            self._store.add_event(job_id, "cancelled", "The job was cancelled")
        if self._current is not None and self._current[0] == job_id:
            await self._current[1].end()
        else:
            clear_job_folder(self._settings, job_id)
        return True

    async def _forever(self, name: str, work: object) -> None:
        """Call `work` again and again; where it had nothing to do, wait to be woken."""
        assert callable(work)
        while True:
            self._wake[name].clear()
            try:
                if await work():
                    continue
            except (OSError, sqlite3.Error):
                log.exception("could not %s; trying again in %.0f seconds", name, PAUSE_AFTER_STORAGE_ERROR)
                await asyncio.sleep(PAUSE_AFTER_STORAGE_ERROR)
                continue
            await self._wake[name].wait()

    # Validation

    async def _validate_next(self) -> bool:
        job = self._store.next_job("validating_files")
        if job is None:
            return False
        try:
            error = await asyncio.to_thread(self._check_files, job)
        except FileNotFoundError:  # cancelled meanwhile, or somebody tidied the data folder by hand
            error = GONE
        if error is not None:
            fail(self._store, job["id"], error)
            clear_job_folder(self._settings, job["id"])
            return True
        with self._store.transaction():
            if self._store.move_job(job["id"], "queued", "validating_files"):
                self._store.add_event(job["id"], "validated", "Files validated, moving job to queued state")
        self.wake()
        return True

    def _check_files(self, job: Row) -> JobError | None:
        try:
            base = self._catalogue.find(job["base"]).base
        except ApiError as error:
            return JobError("model_not_found", error.message, "model")
        tokens = control_tokens(base.folder)
        folder = self._settings.jobs / job["id"]
        fault = check_chat_file(folder / "training.jsonl", "training_file", tokens, MIN_TRAINING_EXAMPLES)
        if fault is None and job["validation_file"]:
            fault = check_chat_file(folder / "validation.jsonl", "validation_file", tokens, 1)
        return fault

    # Training

    async def _train_next(self) -> bool:
        job = self._store.next_job("running") or self._store.next_job("queued")
        if job is None:
            return False
        try:
            model = self._catalogue.find(job["base"])
        except ApiError as error:
            fail(self._store, job["id"], JobError("model_not_found", error.message, "model"))
            return True
        with self._store.transaction():
            if job["status"] == "queued" and not self._store.move_job(job["id"], "running", "queued"):
                return True  # cancelled a moment ago
            self._store.add_event(job["id"], "started", "Fine-tuning job started")
        await self._train(job, model)
        if not self._is_running(job["id"]):
            clear_job_folder(self._settings, job["id"])
            self._fruitless.pop(job["id"], None)
            await self.trainers.prepare()
        return True

    async def _train(self, job: Row, model: ServedModel) -> None:
        """One run of the training process. Where it dies before the job's end, the job stays running."""
        progress = Progress(self._settings, self._store, job, model.base.name)
        checkpoint = self._store.last_checkpoint(job["id"])
        if checkpoint is not None and checkpoint["step"] == job["total_steps"]:
            progress.finish()
            return
        spec = self._spec(job, model, checkpoint)
        if spec.resume_from or self._store.metrics(job["id"]):
            step = checkpoint["step"] if checkpoint else 0
            text = f"The service or its training process had stopped; training goes on from step {step}"
            self._store.add_event(job["id"], f"resumed {os.urandom(4).hex()}", text, level="warn")
        path = self._settings.jobs / job["id"] / "spec.json"
        try:
            spec.save(path)
        except FileNotFoundError:
            fail(self._store, job["id"], GONE)
            return
        process = await self.trainers.start(path)
        self._current = (job["id"], process)
        finished = False
        try:
            if not self._is_running(job["id"]):
                return  # cancelled while the process started
            async for message in process.messages():
                await asyncio.to_thread(progress.record, message)
                finished = message["type"] == "done" and self.trainers.single
                if finished:
                    break
        finally:
            self._current = None
            await self.trainers.take_back(process, finished=finished)
        self._judge(job["id"], progress, process)

    def _is_running(self, job_id: str) -> bool:
        job = self._store.job(job_id)
        return job is not None and job["status"] == "running"

    def _judge(self, job_id: str, progress: Progress, process: HelperProcess) -> None:
        """After a run: if the job is still running the process died; give it up only where it gets nowhere."""
        if not self._is_running(job_id):
            return
        how = process.how_it_ended()
        log.warning("training process of %s ended early: %s", job_id, how)
        self._fruitless[job_id] = 1 if progress.advanced else self._fruitless.get(job_id, 0) + 1
        if self._fruitless[job_id] >= MOST_FRUITLESS_RUNS:
            message = f"The job failed due to an internal error: its training process ended {MOST_FRUITLESS_RUNS} "
            message += f"times without getting on ({how}). {self._settings.logs / 'training.log'} has the details."
            fail(self._store, job_id, JobError("server_error", message, None))

    def _spec(self, job: Row, model: ServedModel, checkpoint: Row | None) -> TrainingSpec:
        folder = self._settings.jobs / job["id"]
        state = folder / "state"
        resume = state / checkpoint["state"] if checkpoint else None
        numbers = Hyperparameters(**job["hyperparameters"])
        where = model.location()
        return TrainingSpec(
            base_folder=where["folder"],
            tokenizer_folder=str(model.base.folder),
            adapter=where["adapter"],
            method=model.base.method,
            lora_rank=model.base.lora_rank,
            context=model.base.context,
            training_file=str(folder / "training.jsonl"),
            validation_file=str(folder / "validation.jsonl") if job["validation_file"] else None,
            n_epochs=numbers.n_epochs,
            batch_size=numbers.batch_size,
            learning_rate=numbers.learning_rate_multiplier * model.base.learning_rate,
            seed=job["seed"],
            state_folder=str(state),
            resume_from=str(resume) if resume and _is_complete(resume) else None,
            models_folder=str(self._settings.models / job["id"]),
            bf16=self._settings.bf16,
            threads=self._settings.threads,
            service_pid=os.getpid(),
        )


def _is_complete(state: Path) -> bool:
    """Whether a state folder holds what the trainer writes last."""
    return (state / "trainer_state.json").is_file()
