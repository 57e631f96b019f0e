"""The queue: validates new jobs, trains one at a time, owners in turn, and carries on after any interruption.

    validating_files -> queued -> running -> succeeded, failed or cancelled
    each of the first three <-> paused

Every state is in the database before anybody hears of it, so a restart looks up where each job stood: validation is
done again, training goes on from the last checkpoint that was recorded.
"""

from __future__ import annotations

import asyncio
import logging
import os
from dataclasses import dataclass, field
from pathlib import Path

from .bases import control_tokens
from .catalogue import Catalogue, ServedModel
from .database import Row
from .errors import ApiError
from .formats import JobError, chat_fault, check_training_file
from .helper_process import HelperProcess
from .hyperparameters import DPO_RATE, Hyperparameters
from .preference_pairs import pair_fault
from .progress import Progress, clear_job_folder, fail
from .settings import MIN_TRAINING_EXAMPLES, Settings
from .store import UNFINISHED, WAITING, Store, now
from .trainers import Trainers
from .training_spec import TrainingSpec
from .worker import Worker

log = logging.getLogger(__name__)
MOST_FRUITLESS_RUNS = 3  # a training process that dies so often without getting on fails its job
GONE = JobError("server_error", "The job's own copy of its files is no longer in the data folder.", None)


@dataclass
class Run:
    """A training process at work on a job."""

    job_id: str
    process: HelperProcess
    stepping: bool = False  # it has taken a step, so that there is something to save
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Runner:
    """Owns every job from its creation to its end. Lives in the web process's event loop."""

    def __init__(self, settings: Settings, store: Store, catalogue: Catalogue) -> None:
        self._settings, self._store, self._catalogue = settings, store, catalogue
        self.trainers = Trainers(settings)
        self._workers = [Worker("validate", self._validate_next), Worker("train", self._train_next)]
        self._current: Run | None = None
        self._fruitless: dict[str, int] = {}

    async def start(self) -> None:
        """Begin to work; jobs that an earlier service left unfinished go on by themselves."""
        for worker in self._workers:
            worker.start()

    async def stop(self) -> None:
        """End every process at once. Jobs stay as they are recorded and go on at the next start."""
        for worker in self._workers:
            await worker.stop()
        if self._current is not None:
            await self._current.process.end()
        await self.trainers.end()

    def wake(self) -> None:
        """Look at the queue (after a job was added)."""
        for worker in self._workers:
            worker.wake()

    async def cancel(self, job_id: str) -> bool:
        """Cancel a job that is not finished; tell whether it could be. Its checkpoints so far stay."""
        with self._store.transaction():
            if not self._store.move_job(job_id, "cancelled", *UNFINISHED):
                return False
            self._store.update_job(job_id, finished_at=now(), estimated_finish=None)
            self._store.add_event(job_id, "cancelled", "The job was cancelled")
        run = self._run_of(job_id)
        if run is not None:
            await run.process.end()
        else:
            clear_job_folder(self._settings, job_id)
        return True

    async def pause(self, job_id: str) -> bool:
        """Pause a job that is not finished; tell whether it could be. One that trains stops with a checkpoint first."""
        run = self._run_of(job_id)
        with self._store.transaction():
            if not self._store.move_job(job_id, "paused", *WAITING):
                return False
            self._store.update_job(job_id, estimated_finish=None)
            stepping = run is not None and run.stepping
            text = (
                "Pausing: training stops with a checkpoint after its present step" if stepping else "The job is paused"
            )
            self._store.add_event(job_id, f"pause {os.urandom(4).hex()}", text)
        if run is not None:
            if run.stepping:
                self._pause_file(job_id).touch()
            else:
                await run.process.end()
            await run.ended.wait()
        return True

    async def resume(self, job_id: str) -> bool:
        """Let a paused job take its turn again, before all that were created later; tell whether it was paused."""
        run = self._run_of(job_id)
        if run is not None and self._has_status(job_id, "paused"):  # asked for while it is still pausing
            await run.ended.wait()
        with self._store.transaction():
            valid = self._store.has_event(job_id, "validated")
            if not self._store.move_job(job_id, "queued" if valid else "validating_files", "paused"):
                return False
            self._store.add_event(job_id, f"resume {os.urandom(4).hex()}", "The job was resumed and waits for its turn")
        self.wake()
        return True

    def _run_of(self, job_id: str) -> Run | None:
        """The training process that is at work on this job."""
        return self._current if self._current is not None and self._current.job_id == job_id else None

    def _pause_file(self, job_id: str) -> Path:
        return self._settings.jobs / job_id / "pause"

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
        find = pair_fault if job["method"] == "dpo" else chat_fault
        fault = check_training_file(folder / "training.jsonl", "training_file", find, tokens, MIN_TRAINING_EXAMPLES)
        if fault is None and job["validation_file"]:
            fault = check_training_file(folder / "validation.jsonl", "validation_file", find, tokens, 1)
        return fault

    # Training

    async def _train_next(self) -> bool:
        job = self._store.next_job("running") or next(iter(self._store.queue()), None)
        if job is None:
            return False
        try:
            model = self._catalogue.find(job["base"])
        except ApiError as error:
            fail(self._store, job["id"], JobError("model_not_found", error.message, "model"))
            return True
        with self._store.transaction():
            if job["status"] == "queued" and not self._store.take_turn(job["id"]):
                return True  # cancelled or paused a moment ago
            self._store.add_event(job["id"], "started", "Fine-tuning job started")
        await self._train(job, model)
        if not self._has_status(job["id"], *UNFINISHED):
            clear_job_folder(self._settings, job["id"])
        if not self._has_status(job["id"], "running"):
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
            was_paused = job["status"] == "queued"
            reason = "" if was_paused else "The service or its training process had stopped; "
            text = f"{reason}training goes on from step {step}"
            level = "info" if was_paused else "warn"
            self._store.add_event(job["id"], f"resumed {os.urandom(4).hex()}", text[0].upper() + text[1:], level=level)
        path = self._settings.jobs / job["id"] / "spec.json"
        self._pause_file(job["id"]).unlink(missing_ok=True)
        try:
            spec.save(path)
        except FileNotFoundError:
            fail(self._store, job["id"], GONE)
            return
        process = await self.trainers.start(path)
        self._current = run = Run(job["id"], process)
        finished = False
        try:
            if not self._has_status(job["id"], "running"):
                return  # cancelled or paused while the process started
            async for message in process.messages():
                await asyncio.to_thread(progress.record, message)
                run.stepping |= message["type"] == "step"
                finished = message["type"] in ("done", "paused") and self.trainers.single
                if finished:
                    break
        finally:
            self._current = None
            await self.trainers.take_back(process, finished=finished)
            run.ended.set()
        self._judge(job["id"], progress, process)

    def _has_status(self, job_id: str, *statuses: str) -> bool:
        job = self._store.job(job_id)
        return job is not None and job["status"] in statuses

    def _judge(self, job_id: str, progress: Progress, process: HelperProcess) -> None:
        """After a run: if the job is still running the process died; give it up only where it gets nowhere."""
        if not self._has_status(job_id, "running"):
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
        base_rate = model.base.learning_rate * (DPO_RATE if job["method"] == "dpo" else 1)
        where = model.location()
        return TrainingSpec(
            base_folder=where["folder"],
            tokenizer_folder=str(model.base.folder),
            adapter=where["adapter"],
            objective=job["method"],
            method=model.base.method,
            lora_rank=model.base.lora_rank,
            context=model.base.context,
            training_file=str(folder / "training.jsonl"),
            validation_file=str(folder / "validation.jsonl") if job["validation_file"] else None,
            n_epochs=numbers.n_epochs,
            batch_size=numbers.batch_size,
            learning_rate=numbers.learning_rate_multiplier * base_rate,
            beta=numbers.beta,
            seed=job["seed"],
            state_folder=str(state),
            resume_from=str(resume) if resume and _is_complete(resume) else None,
            pause_file=str(self._pause_file(job["id"])),
            models_folder=str(self._settings.models / job["id"]),
            bf16=self._settings.bf16,
            threads=self._settings.threads,
            service_pid=os.getpid(),
        )


def _is_complete(state: Path) -> bool:
    """Whether a state folder holds what the trainer writes last."""
    return (state / "trainer_state.json").is_file()
