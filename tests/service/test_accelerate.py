"""One job on two processes, started by Accelerate: the same training as on one."""

from __future__ import annotations

import random
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from live_service import LiveService, live_service

LAUNCHER = f"{shlex.quote(sys.executable)} -m accelerate.commands.launch --cpu --num_processes 2 --num_machines 1"


def rows(count: int, seed: int) -> list[dict[str, Any]]:
    """Questions after a number, whose answer is the number and a word that goes with its last digit."""
    words = ["blue", "red", "green", "late", "lost", "paid", "card", "week", "price", "help"]
    numbers = random.Random(seed).sample(range(100, 999), count)
    return [
        {"messages": [{"role": "user", "content": f"number {n}"},
                      {"role": "assistant", "content": f"{words[n % 10]} order"}]}
        for n in numbers
    ]  # fmt: skip


def losses(service: LiveService) -> tuple[float, float]:
    """Training loss of the first step, validation loss at the end."""
    validation = service.upload(rows(24, seed=2), "validation.jsonl")
    settings = {"n_epochs": 3, "batch_size": 8}
    job = service.train(rows(64, seed=1), "tiny", hyperparameters=settings, validation_file=validation, seed=5)
    assert job.status == "succeeded", job.error
    data = [event.data for event in service.events(job.id) if event.type == "metrics"]
    assert [row["step"] for row in data] == list(range(1, 25))
    return data[0]["train_loss"], data[-1]["full_valid_loss"]


@pytest.mark.skipif(sys.platform == "win32", reason="the launcher is started as on Linux and macOS")
def test_two_processes_train_what_one_does(service: LiveService, tmp_path: Path, tiny_bases: Path) -> None:
    first, last = losses(service)
    with live_service(tmp_path / "home", tiny_bases, FINETUNE_LAUNCHER=LAUNCHER, FINETUNE_THREADS="1") as launched:
        first_of_two, last_of_two = losses(launched)
    assert first_of_two == pytest.approx(first, abs=0.02)  # nothing learned yet: the same examples, the same loss
    assert last_of_two == pytest.approx(last, abs=0.1) and last_of_two < first - 1
