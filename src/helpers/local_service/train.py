"""The training process: one job at a time, from its files to its checkpoints.

    python -m helpers.local_service.train --standby         wait, ready to go, for jobs' paths on standard input
    python -m helpers.local_service.train --job PATH        train the job described there (what a launcher starts)

It tells what happens in JSON lines on standard output: "plan", "warning", "step", "checkpoint", and at the end "done",
"paused" or "failed".
It knows neither the database nor HTTP, and ends with the service.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import queue
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Set before the libraries are imported: nothing here may use the network or ask it anything.
os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", TOKENIZERS_PARALLELISM="false", TQDM_DISABLE="1")
os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from . import attention
from .dpo import QuickDPOTrainer, dpo_trainer
from .export import export_model
from .failures import Diverged, failure
from .hardware import give_memory_back, has_cuda, set_threads, use_bf16
from .lifeline import claim_output, die_with_parent, exit_at_end_of_input, exit_with_process
from .optimizer import MuonAdamW, rate_share
from .quick_trainer import Means, Reporter
from .sft import QuickSFTTrainer, sft_trainer
from .training_data import TrainingData, load_examples, load_pairs
from .training_spec import TrainingSpec

LINEAR_LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")  # of a Llama block
WARM_UP = 0.05  # of all steps
MICRO_BATCH_TOKENS = 16_384  # more tokens at once need more memory and are no faster
VALIDATION_BATCH = 4  # examples looked at beside a training step
VALIDATED_STEPS = 25  # about so many of a job's steps have a validation figure, which costs as much as half a step
TRIMMED_STEPS = 10  # after so many, memory that is free goes back to the system; takes a tenth of a second
NICENESS = 5  # training gives way to notebooks and to chat

Send = Callable[[dict[str, Any]], None]


class TrainingRun:
    """One job's training, step by step."""

    def __init__(self, spec: TrainingSpec, send: Send) -> None:
        self.spec, self.send = spec, send
        self.tokenizer = AutoTokenizer.from_pretrained(spec.tokenizer_folder)
        load = load_pairs if spec.objective == "dpo" else load_examples
        self.training = load(Path(spec.training_file), self.tokenizer, spec.context)
        self.validation = (
            load(Path(spec.validation_file), self.tokenizer, spec.context) if spec.validation_file else None
        )
        self.steps_per_epoch = math.ceil(len(self.training.examples) / spec.batch_size)
        self.total_steps = self.steps_per_epoch * spec.n_epochs
        self._sequences = 2 if spec.objective == "dpo" else 1  # in one example
        self.validate_every = max(1, self.total_steps // VALIDATED_STEPS)
        self.last_metrics: dict[str, Any] = {}

    def run(self) -> None:
        """Train; messages tell the rest. Raises what training raises."""
        self._announce()
        trainer = self.prepare()
        trainer.train(resume_from_checkpoint=self.spec.resume_from)
        self.send({"type": "done" if trainer.state.global_step == self.total_steps else "paused"})

    def prepare(self) -> QuickSFTTrainer | QuickDPOTrainer:
        """Return the trainer, ready to train, whose steps and checkpoints become messages."""
        self.trainer = self._trainer()
        self.trainer.add_callback(Reporter(self.trainer, self._on_step, self._on_checkpoint, self._is_to_pause))
        return self.trainer

    def _is_to_pause(self) -> bool:
        """Whether the service has asked for a pause. Several processes must all take the same step for their last."""
        asked, accelerator = Path(self.spec.pause_file).exists(), self.trainer.accelerator
        if accelerator.num_processes > 1:
            asked = bool(accelerator.reduce(torch.tensor(float(asked), device=accelerator.device)))
        return asked

    def _announce(self) -> None:
        tokens = self.training.tokens * self.spec.n_epochs
        self.send({"type": "plan", "total_steps": self.total_steps, "trained_tokens": tokens})
        for name, data in (("training", self.training), ("validation", self.validation)):
            if data is not None and data.cut:
                self.send({"type": "warning", "key": f"cut {name}", "message": self._cut_warning(name, data)})

    def _cut_warning(self, name: str, data: TrainingData) -> str:
        nothing_left = f" In {data.empty} of them nothing is left to learn." if data.empty else ""
        return (
            f"{data.cut} of {len(data.examples)} {name} examples are longer than {self.spec.context} tokens, the most "
            f"this model reads; they were cut at the end.{nothing_left}"
        )

    def _trainer(self) -> QuickSFTTrainer | QuickDPOTrainer:
        spec, processes = self.spec, int(os.environ.get("WORLD_SIZE", "1"))
        micro_batch = self._micro_batch(processes)
        arguments: dict[str, Any] = {
            "output_dir": spec.state_folder,
            "num_train_epochs": spec.n_epochs,
            "per_device_train_batch_size": micro_batch,
            "gradient_accumulation_steps": max(1, spec.batch_size // (micro_batch * processes)),
            "learning_rate": spec.learning_rate,
            "lr_scheduler_type": "linear",
            "warmup_steps": math.ceil(self.total_steps * WARM_UP),
            "weight_decay": 0.0,
            "max_grad_norm": 1.0,
            "optim": "adamw_torch_fused",
            "seed": spec.seed,
            "use_cpu": not has_cuda(),
            "bf16": use_bf16(spec.bf16),
            "gradient_checkpointing": False,  # memory is not what a small model lacks
            "dataloader_pin_memory": False,
            "ddp_find_unused_parameters": False,
            "save_strategy": "epoch",
            "save_total_limit": 2,
            "logging_strategy": "no",  # Reporter tells every step
            "report_to": [],
            "disable_tqdm": True,
        }
        model = self._model()
        own = None  # an adapter learns with AdamW
        if spec.method == "full":
            rate = spec.learning_rate * rate_share(self.total_steps)
            own = MuonAdamW(model, rate, bf16=bool(arguments["bf16"]))
        if spec.objective == "dpo":
            assert spec.beta is not None
            return dpo_trainer(model, self.tokenizer, self.training, self.validation, arguments, own, spec.beta)
        return sft_trainer(model, self.tokenizer, self.training, arguments, own)

    def _micro_batch(self, processes: int) -> int:
        """Examples per forward pass: the largest share of the batch, in equal shares, that memory is kept for."""
        longest = max(self.training.lengths) * self._sequences
        share = max(1, self.spec.batch_size // processes)
        fitting = [size for size in range(1, share + 1) if share % size == 0 and size * longest <= MICRO_BATCH_TOKENS]
        return max(fitting, default=1)

    def _model(self) -> Any:
        implementation = "sdpa" if has_cuda() else attention.NAME
        model = AutoModelForCausalLM.from_pretrained(
            self.spec.base_folder, dtype=torch.float32, attn_implementation=implementation
        )
        model.config.use_cache = False
        torch.manual_seed(self.spec.seed)  # an adapter begins with random weights
        if self.spec.method != "lora":
            return model
        if self.spec.adapter:
            return PeftModel.from_pretrained(model, self.spec.adapter, is_trainable=True)
        rank = self.spec.lora_rank
        config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=list(LINEAR_LAYERS), task_type="CAUSAL_LM")
        return get_peft_model(model, config)

    def _on_step(self, step: int, figures: dict[str, float]) -> None:
        if not math.isfinite(figures["loss"]):
            raise Diverged(f"the training loss was {figures['loss']} at step {step}")
        metrics = {"step": step, "total_steps": self.total_steps, **_named("train", figures)}
        epoch_ends = step % self.steps_per_epoch == 0
        if self.validation is not None:
            if epoch_ends or step % self.validate_every == 0:
                metrics |= _named("valid", self._validate_some(step).result())
            if epoch_ends:
                metrics |= _named("full_valid", self._validate_all().result())
        self.last_metrics = metrics
        self.send({"type": "step", "metrics": metrics})
        if epoch_ends or step % TRIMMED_STEPS == 0:
            give_memory_back()

    def _validation_examples(self) -> list[dict[str, Any]]:
        if isinstance(self.trainer, QuickDPOTrainer):
            return self.trainer.validation_pairs  # they carry what the reference makes of them
        assert self.validation is not None
        return self.validation.examples

    def _validate_some(self, step: int) -> Means:
        """A few examples, the next few at every validated step: cheap, and noisy for that."""
        examples = self._validation_examples()
        count = min(VALIDATION_BATCH, len(examples))
        first = step // self.validate_every * count
        return self.trainer.score([examples[(first + index) % len(examples)] for index in range(count)])

    def _validate_all(self) -> Means:
        assert self.validation is not None
        examples, lengths = self._validation_examples(), self.validation.lengths
        order = sorted(range(len(examples)), key=lambda index: lengths[index])
        size = max(1, MICRO_BATCH_TOKENS // (max(lengths) * self._sequences))
        means = Means()
        for start in range(0, len(order), size):
            means.join(self.trainer.score([examples[index] for index in order[start : start + size]]))
        return means

    def _on_checkpoint(self, step: int) -> None:
        if not self.trainer.accelerator.is_main_process:
            return
        folder = Path(self.spec.models_folder) / f"step-{step}"
        export_model(self.trainer.accelerator.unwrap_model(self.trainer.model), folder, Path(self.spec.base_folder))
        metrics = {name: value for name, value in self.last_metrics.items() if name != "total_steps"}
        state = f"checkpoint-{step}"
        self.send(
            {
                "type": "checkpoint",
                "step": step,
                "folder": folder.name,
                "adapter": self.spec.method == "lora",
                "state": state,
                "metrics": metrics,
            }
        )


def _named(when: str, figures: dict[str, float]) -> dict[str, float]:
    return {f"{when}_{name}": round(value, 6) for name, value in figures.items()}


def train(spec_path: Path, send: Send) -> bool:
    """Run a job; every outcome is a message. Returns whether it succeeded, so that this process is fit for another."""
    spec = TrainingSpec.load(spec_path)
    if int(os.environ.get("RANK", "0")) > 0:
        send = _say_nothing
    set_threads(spec.threads)
    try:
        TrainingRun(spec, send).run()
    except Exception as error:  # noqa: BLE001 - the last stop: traceback to the log, reason to the person
        traceback.print_exc()
        send(failure(error))
        return False
    return True


def _say_nothing(message: dict[str, Any]) -> None:
    """Only the first of several processes speaks."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--job", type=Path)
    parser.add_argument("--standby", action="store_true")
    options = parser.parse_args()
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    send = claim_output()
    if options.job:
        exit_with_process(TrainingSpec.load(options.job).service_pid)
        train(options.job, send)
        return
    die_with_parent()
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    exit_at_end_of_input(lines.put)
    send({"type": "ready"})
    while train(Path(json.loads(lines.get())["job"]), send):
        gc.collect()  # a trainer and its model hold on to each other
        give_memory_back()


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # skips the libraries' slow farewells; every message has been sent
