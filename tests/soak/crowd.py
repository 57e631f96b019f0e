"""A class at work: everybody uploads, trains, polls and chats at once, some with as many jobs as they may have."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openai
from live_service import FINISHED, LiveService, examples, live_service

from helpers.local_service.limits import MOST_UNFINISHED_JOBS

from .story import story_faults

SETTINGS: Any = {"n_epochs": 1, "batch_size": 2}
EXAMPLES = 20
PAUSE = 1.0  # seconds between a learner's looks at the jobs, on average


@dataclass
class Learner:
    """What one learner has met."""

    eager: bool  # keeps as many jobs waiting as a learner may have; the others have one
    requests: int = 0
    trained: int = 0
    errors: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)  # events that were seen and are gone, or are missing in a story
    looks: list[float] = field(default_factory=list)  # seconds that jobs.retrieve took
    chats: list[float] = field(default_factory=list)  # seconds that a chat of up to 16 tokens took


@dataclass(frozen=True)
class Crowd:
    """What a class has met, and whether the turns were fair."""

    learners: list[Learner]
    turns: int
    unfair: int  # turns that were not the learner's who had trained least recently of those who waited


def run(folder: Path, bases: Path, *, learners: int, seconds: float, model: str) -> Crowd:
    """Serve a class for so long, and until everybody has trained once."""
    names = folder / "names.txt"
    names.write_text("".join(f"Learner {number}\n" for number in range(1, learners + 1)))
    with live_service(folder / "home", bases, "--class", str(names)) as service:
        keys = json.loads((service.home / "learner_keys.json").read_text())["class"]
        patience = openai.DEFAULT_TIMEOUT  # what OpenAI's client has where nothing is said
        clients = [service.client.with_options(api_key=key, timeout=patience) for key in keys.values()]
        until = time.monotonic() + seconds
        with ThreadPoolExecutor(learners) as pool:
            started = [
                pool.submit(_attend, client, model, until, Learner(eager=number % 3 == 0), number)
                for number, client in enumerate(clients)
            ]
            attended = [learner.result() for learner in started]
        return Crowd(attended, *_turns(service))


def _attend(client: openai.OpenAI, model: str, until: float, me: Learner, seed: int) -> Learner:
    """Do what a learner does, until the time is over and a job has been trained."""
    generator = random.Random(seed)
    jobs: dict[str, set[str]] = {}  # of each unfinished job the events seen so far
    while time.monotonic() < until or not me.trained:
        try:
            while len(jobs) < (MOST_UNFINISHED_JOBS if me.eager else 1):
                jobs[_create(client, model, me)] = set()
            for job in list(jobs):
                if _look(client, me, job, jobs[job]):
                    del jobs[job]
            _chat(client, me, model)
        except openai.OpenAIError as error:
            me.errors.append(f"{type(error).__name__}: {error}")
        time.sleep(generator.uniform(0, 2 * PAUSE))
    for job in jobs:
        try:
            client.fine_tuning.jobs.cancel(job)
        except openai.BadRequestError:  # it has just ended
            continue
    return me


def _create(client: openai.OpenAI, model: str, me: Learner) -> str:
    content = "".join(json.dumps(row) + "\n" for row in examples(EXAMPLES)).encode()
    file = client.files.create(file=("training.jsonl", content), purpose="fine-tune").id
    job = client.fine_tuning.jobs.create(model=model, training_file=file, hyperparameters=SETTINGS)
    client.files.delete(file)
    me.requests += 3
    return job.id


def _look(client: openai.OpenAI, me: Learner, job_id: str, seen: set[str]) -> bool:
    """Poll a job and its events; return whether it has ended. The tuned model answers once and is deleted."""
    begin = time.monotonic()
    job = client.fine_tuning.jobs.retrieve(job_id)
    me.looks.append(time.monotonic() - begin)
    events = list(client.fine_tuning.jobs.list_events(job_id, limit=100))[::-1]
    me.requests += 2
    me.lost += sorted(seen - {event.id for event in events})
    seen.update(event.id for event in events)
    if job.status not in FINISHED:
        return False
    if job.status == "succeeded" and job.fine_tuned_model is not None:
        me.trained += 1
        me.lost += [f"{job_id}: {fault}" for fault in story_faults(job, events)]
        _chat(client, me, job.fine_tuned_model)
        client.models.delete(job.fine_tuned_model)
        me.requests += 1
    else:
        me.errors.append(f"{job_id} {job.status}: {job.error.message if job.error else ''}")
    return True


def _chat(client: openai.OpenAI, me: Learner, model: str) -> None:
    begin = time.monotonic()
    question: Any = [{"role": "user", "content": f"please number {me.requests}"}]
    client.chat.completions.create(model=model, messages=question, max_tokens=16)
    me.chats.append(time.monotonic() - begin)
    me.requests += 1


def _turns(service: LiveService) -> tuple[int, int]:
    """How many jobs began to train, and how many of them out of turn, by the order in which that was recorded."""
    with sqlite3.connect(f"file:{service.home / 'service.sqlite3'}?mode=ro", uri=True) as database:
        told = database.execute(
            "SELECT key, job_id, owner FROM events JOIN jobs ON jobs.id = job_id"
            " WHERE key IN ('validated', 'started', 'cancelled') ORDER BY events.seq"
        ).fetchall()
    waiting: dict[str, str] = {}
    last: dict[str, int] = {}  # the turn at which each learner last began to train
    turns = unfair = 0
    for key, job, owner in told:
        if key == "validated":
            waiting[job] = owner
        elif key == "cancelled":
            waiting.pop(job, None)
        else:
            del waiting[job]
            turns += 1
            unfair += any(last.get(other, 0) < last.get(owner, 0) for other in waiting.values())
            last[owner] = turns
    return turns, unfair
