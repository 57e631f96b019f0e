"""Training in the test's own process: a spec over small files, a run of it, and the figures it reported."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from live_service import examples, pairs

from helpers.local_service.train import TrainingRun
from helpers.local_service.training_spec import TrainingSpec

Messages = list[dict[str, Any]]


def spec_for(folder: Path, bases: Path, objective: str = "supervised") -> TrainingSpec:
    """A job on the tiny base: 13 examples, 5 for validation, 2 epochs of batch 4."""
    make = examples if objective == "supervised" else pairs
    for name, rows in (("training", make(13)), ("validation", make(5, seed=1))):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    base = str(bases / "tiny")
    return TrainingSpec(
        base_folder=base,
        tokenizer_folder=base,
        adapter=None,
        objective=objective,
        method="full",
        lora_rank=8,
        context=256,
        training_file=str(folder / "training.jsonl"),
        validation_file=str(folder / "validation.jsonl"),
        n_epochs=2,
        batch_size=4,
        learning_rate=1e-3,
        beta=0.1 if objective == "dpo" else None,
        seed=3,
        state_folder=str(folder / "state"),
        resume_from=None,
        pause_file=str(folder / "pause"),
        models_folder=str(folder / "models"),
        bf16=False,
        threads=None,
        service_pid=os.getpid(),
    )


def run(spec: TrainingSpec) -> Messages:
    """What a training process would tell the service."""
    messages: Messages = []
    shutil.rmtree(spec.state_folder, ignore_errors=True)
    TrainingRun(spec, messages.append).run()
    return messages


def figures(messages: Messages, name: str = "train_loss") -> list[float]:
    """A figure of every step that has it, in order."""
    steps = [message["metrics"] for message in messages if message["type"] == "step"]
    return [metrics[name] for metrics in steps if name in metrics]
