"""What a training process is told about its job: a JSON file in the job's folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class TrainingSpec:
    """Everything a training process needs; it knows neither the database nor HTTP."""

    base_folder: str  # the model to train: weights and config
    tokenizer_folder: str  # the base's folder, with tokenizer and chat template
    adapter: str | None  # continue this PEFT adapter of base_folder
    objective: str  # the job's method: supervised or dpo
    method: str  # full or lora
    lora_rank: int
    context: int  # tokens; longer examples are cut
    training_file: str
    validation_file: str | None
    n_epochs: int
    batch_size: int
    learning_rate: float
    beta: float | None  # dpo: how strongly the reference holds
    seed: int
    state_folder: str  # what a resumed job needs: weights, optimizer, scheduler, random state
    resume_from: str | None  # a folder inside state_folder
    pause_file: str  # training stops with a checkpoint at the first step that finds a file here
    models_folder: str  # finished checkpoints, usable as models, go to step-<n> in here
    bf16: bool | None  # None: where the processor has it
    threads: int | None
    service_pid: int

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> TrainingSpec:
        fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return cls(**fields)
