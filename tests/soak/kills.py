"""kill -9 at random moments while a learner uploads and trains: does the job succeed unaided, is anything lost?"""

from __future__ import annotations

import json
import random
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import openai
from live_service import FINISHED, LiveService, examples

from .story import story_faults

SETTINGS: Any = {"n_epochs": 6, "batch_size": 1}  # 10 examples: 60 steps, a checkpoint every 10
RETRIES = 10  # of OpenAI's client, which so waits for the service to be back
BEGINNING = 0.1  # of a job's time: upload, validation, queue
PATIENCE = 600.0  # seconds until a job that has not ended counts as hanging
CONTENT = "".join(json.dumps(row) + "\n" for row in examples(10)).encode()


@dataclass(frozen=True)
class Kill:
    """One kill, and what became of the jobs that the learner has created around it (one, most often)."""

    seconds: float  # from the beginning of the upload
    phase: str  # what the service was doing: uploading, or the job's status
    ended: list[str]  # each job's last status, with the reason where it failed
    faults: list[str]  # what was lost, or came twice

    @property
    def unaided(self) -> bool:
        return bool(self.ended) and all(status == "succeeded" for status in self.ended)


def run(service: LiveService, kills: int, seed: int) -> list[Kill]:
    """Kill the service so many times, each at a moment of its own within the time that a job takes undisturbed.

    Every third moment lies in the first part of it, where the file is uploaded, checked and queued: that is soon over.
    """
    generator = random.Random(seed)
    _length(service)  # the first one only warms the training process, as it is for a learner
    length = min(_length(service) for _ in range(3))  # the shortest: of a longer one the end would come after the job
    share = [BEGINNING if number % 3 == 2 else 1.0 for number in range(kills)]
    return [_kill(service, generator.uniform(0, length * part)) for part in share]


def _length(service: LiveService) -> float:
    """Seconds from the beginning of an upload to the end of its job, seen by asking often."""
    begin = time.monotonic()
    _create(service.client)
    _wait_for_all(service)
    return time.monotonic() - begin


def _create(client: openai.OpenAI) -> str:
    """Upload, and create a job; return the file's id."""
    file = client.files.create(file=("training.jsonl", CONTENT), purpose="fine-tune").id
    client.fine_tuning.jobs.create(model="tiny", training_file=file, hyperparameters=SETTINGS)
    return file


def _kill(service: LiveService, seconds: float) -> Kill:
    known = {job.id for job in service.client.fine_tuning.jobs.list(limit=100)}

    def kill() -> str:
        time.sleep(seconds)
        phase = _phase(service, len(known))
        service.kill()
        service.start()
        return phase

    with ThreadPoolExecutor(1) as pool:
        killed = pool.submit(kill)
        file = _create(service.client.with_options(max_retries=RETRIES))
        phase = killed.result()
    _wait_for_all(service)
    jobs = [job for job in service.client.fine_tuning.jobs.list(limit=100) if job.id not in known]
    faults = [f"{job.id}: {fault}" for job in jobs for fault in story_faults(job, service.events(job.id))]
    if service.client.files.content(file).content != CONTENT:
        faults.append("the uploaded file has changed")
    ended = [f"{job.status}: {job.error.message}" if job.error else job.status for job in jobs]
    return Kill(seconds, phase, ended, faults)


def _phase(service: LiveService, known: int) -> str:
    """What the service is doing, from its database: asking it would take time, in which it goes on."""
    with sqlite3.connect(f"file:{service.home / 'service.sqlite3'}?mode=ro", uri=True) as database:
        (jobs,) = database.execute("SELECT count(*) FROM jobs").fetchone()
        (status,) = database.execute("SELECT status FROM jobs ORDER BY seq DESC LIMIT 1").fetchone()
    return status if jobs > known else "uploading"


def _wait_for_all(service: LiveService) -> None:
    """Wait until every job has ended, or patience has."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if all(job.status in FINISHED for job in service.client.fine_tuning.jobs.list(limit=100)):
            return
        time.sleep(0.05)
