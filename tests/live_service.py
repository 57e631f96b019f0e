"""A local service in a process of its own, for tests: start it, talk to it, stop it or kill it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai

TIMEOUT = 90.0  # seconds; generous, because a busy two-core machine takes its time
FINISHED = ("succeeded", "failed", "cancelled")


class LiveService:
    """A service on the home folder `home`, with the bases in `bases`."""

    def __init__(self, home: Path, bases: Path, **environment: str) -> None:
        self.home = home
        self.env = {**os.environ, "FINETUNE_HOME": str(home), "FINETUNE_BASES": str(bases), **environment}
        self.process: subprocess.Popen[str] | None = None

    def start(self, *arguments: str) -> LiveService:
        """Start it and wait until it answers."""
        self.process = subprocess.Popen(self.command("serve", *arguments), env=self.env, text=True)
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the service ended with exit status {self.process.returncode}")
            running = self.running()
            if running.get("pid") == self.process.pid:
                self.url: str = running["url"]
                self.client = openai.OpenAI(base_url=self.url, api_key=self.key, max_retries=0, timeout=60)
                self.client.models.list()
                return self
            time.sleep(0.05)
        raise AssertionError("the service did not start in time")

    @staticmethod
    def command(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "helpers.local_service", *arguments]

    def running(self) -> dict[str, Any]:
        try:
            return json.loads((self.home / "running.json").read_text())
        except (OSError, ValueError):
            return {}

    @property
    def key(self) -> str:
        return (self.home / "key").read_text().strip()

    def stop(self) -> int:
        """Ask it to stop (SIGTERM); return its exit status."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(timeout=30)

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=30)

    def helpers(self, module: str = "") -> list[int]:
        """Process ids of the service's helper processes (Linux); `module` keeps those of local_service.<module>."""
        assert self.process is not None
        pids = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in pids if f"local_service.{module}" in command_line(pid)]

    def upload(self, rows: list[dict[str, Any]], name: str = "training.jsonl") -> str:
        """Upload training examples; return the file's id."""
        content = "".join(json.dumps(row) + "\n" for row in rows).encode()
        return self.client.files.create(file=(name, content), purpose="fine-tune").id

    def wait(self, job_id: str, *statuses: str) -> Any:
        """The job, once it is in one of these states (finished, where none are named)."""
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            job = self.client.fine_tuning.jobs.retrieve(job_id)
            if job.status in (statuses or FINISHED):
                return job
            if job.status in FINISHED:
                raise AssertionError(f"the job is {job.status}, not {statuses}: {job.error}")
            time.sleep(0.1)
        raise AssertionError(f"the job is still {job.status}")

    def wait_for_step(self, job_id: str, step: int) -> None:
        """Wait until a job has reported this step."""
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            if any((event.data or {}).get("step", 0) >= step for event in self.events(job_id)):
                return
            time.sleep(0.05)
        raise AssertionError(f"the job never reached step {step}")

    def events(self, job_id: str) -> list[Any]:
        """All events of a job, oldest first."""
        return list(self.client.fine_tuning.jobs.list_events(job_id, limit=100))[::-1]

    def train(self, rows: list[dict[str, Any]], model: str, **options: Any) -> Any:
        """Upload, create a job, wait for its end; return the job."""
        file = self.upload(rows)
        return self.wait(self.client.fine_tuning.jobs.create(model=model, training_file=file, **options).id)


def command_line(pid: str) -> str:
    """A process's command line; empty where it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


@contextmanager
def live_service(home: Path, bases: Path, *arguments: str, **environment: str) -> Iterator[LiveService]:
    """A service that is stopped at the end of the block."""
    service = LiveService(home, bases, **environment).start(*arguments)
    try:
        yield service
    finally:
        if service.process is not None and service.process.poll() is None:
            service.stop()


def examples(count: int, *, words: int = 3, seed: int = 0) -> list[dict[str, Any]]:
    """Chat examples that are all different: a question with a number, and the number as the answer."""
    return [
        {
            "messages": [
                {"role": "system", "content": "You answer with the number."},
                {"role": "user", "content": " ".join(["please"] * words) + f" number {seed * 1000 + index}"},
                {"role": "assistant", "content": f"It is {seed * 1000 + index}."},
            ]
        }
        for index in range(count)
    ]


def pairs(count: int, *, words: int = 3, seed: int = 0) -> list[dict[str, Any]]:
    """Preference pairs on the questions of `examples`: a short answer preferred to one that says sorry."""
    return [
        {
            "input": {"messages": example["messages"][:2]},
            "preferred_output": [example["messages"][2]],
            "non_preferred_output": [{"role": "assistant", "content": "Sorry, we can not help with the number."}],
        }
        for example in examples(count, words=words, seed=seed)
    ]


def wait_until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for something that comes true soon; fail where it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not so after {seconds:.0f} seconds"
        time.sleep(0.05)


def said(error: Any) -> str:
    """The message in the body of an SDK error caught with pytest.raises (str(error) differs between SDK versions)."""
    return error.value.body["message"]
