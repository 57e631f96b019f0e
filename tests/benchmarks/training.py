"""How fast is training? The service's own, beside TRL as it comes and a plain torch loop: same model, data and steps.

    make bench        # or: python tests/benchmarks/training.py --help

Every run is a process of its own, and the ways take turns, so that a busy minute of the machine hits all of them alike.
The figures are the fastest of `--times` runs; tokens a second count the training alone, without imports, loading or
padding, and the processor's time besides, which other programs disturb less. All see the support sample's first
examples in batches of 8, as often, at the same learning rate, and learn the desk's replies alone; the validation loss
is computed alike for all. build/bench-training.json keeps the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from machine import machine

BATCH = 8
VALIDATION = 64  # examples
ADAMW_RATE = 1e-3
PRECISIONS = {"fp32": False, "bf16": True}


class Task:
    """What all of them train: the model's folder, and the data as files, rows and tokens."""

    def __init__(self, base: str, examples: int, epochs: int, bf16: bool, folder: Path) -> None:
        from transformers import AutoTokenizer

        from helpers.local_service.bases import find_bases
        from helpers.local_service.training_data import load_examples
        from helpers.workspace import read_jsonl, sample, write_jsonl

        self.base, self.epochs, self.bf16, self.folder = find_bases()[base], epochs, bf16, folder
        self.tokenizer = AutoTokenizer.from_pretrained(self.base.folder)
        self.rows = read_jsonl(sample("support") / "train.jsonl")[:examples]
        held_out = read_jsonl(sample("support") / "validation.jsonl")[:VALIDATION]
        self.file = write_jsonl(folder / "train.jsonl", self.rows)
        self.data = load_examples(self.file, self.tokenizer, 2048)
        self.validation = load_examples(write_jsonl(folder / "valid.jsonl", held_out), self.tokenizer, 2048).examples

    def model(self) -> Any:
        """The base as transformers loads it, in fp32."""
        import torch
        from transformers import AutoModelForCausalLM

        return AutoModelForCausalLM.from_pretrained(self.base.folder, dtype=torch.float32)


def service(task: Task, *, adamw: bool) -> tuple[Any, Callable[[], None]]:
    """What the service's training process does, with its own optimizer or with TRL's."""
    from helpers.local_service import train
    from helpers.local_service.training_spec import TrainingSpec

    spec = TrainingSpec(
        base_folder=str(task.base.folder),
        tokenizer_folder=str(task.base.folder),
        adapter=None,
        objective="supervised",
        method="full",
        lora_rank=0,
        context=2048,
        training_file=str(task.file),
        validation_file=None,
        n_epochs=task.epochs,
        batch_size=BATCH,
        learning_rate=ADAMW_RATE if adamw else task.base.learning_rate,
        beta=None,
        seed=1,
        state_folder=str(task.folder / "state"),
        resume_from=None,
        pause_file=str(task.folder / "pause"),
        models_folder=str(task.folder / "models"),
        bf16=task.bf16,
        threads=None,
        service_pid=os.getpid(),
    )
    if adamw:
        train.MuonAdamW = lambda model, rate, bf16: None  # type: ignore[assignment,misc]
    run = train.TrainingRun(spec, lambda message: None)
    trainer = run.prepare()
    return trainer.model, trainer.train


def trl(task: Task) -> tuple[Any, Callable[[], None]]:
    """TRL's SFTTrainer with its own settings, where it need not be told otherwise."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    arguments = SFTConfig(
        output_dir=str(task.folder / "trl"),
        num_train_epochs=task.epochs,
        per_device_train_batch_size=BATCH,
        learning_rate=ADAMW_RATE,
        assistant_only_loss=True,
        use_cpu=True,
        bf16=task.bf16,
        report_to=[],
        disable_tqdm=True,
    )
    rows = Dataset.from_list([{"messages": row["messages"]} for row in task.rows])
    trainer = SFTTrainer(model=task.model(), args=arguments, train_dataset=rows, processing_class=task.tokenizer)
    return trainer.model, trainer.train


def plain(task: Task) -> tuple[Any, Callable[[], None]]:
    """The loop that one writes by hand: shuffle, pad, forward, backward, step."""
    import torch

    from helpers.local_service.training_data import collate

    model = task.model().train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=ADAMW_RATE, weight_decay=0.0)
    examples, shuffle = list(task.data.examples), random.Random(1)
    steps = -(-len(examples) // BATCH) * task.epochs
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=steps)

    def loop() -> None:
        for _ in range(task.epochs):
            shuffle.shuffle(examples)
            for start in range(0, len(examples), BATCH):
                batch = collate(examples[start : start + BATCH], task.tokenizer.pad_token_id or 0)
                with torch.autocast("cpu", torch.bfloat16, enabled=task.bf16):
                    loss = model(**batch, use_cache=False).loss
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()

    return model, loop


WAYS: dict[str, Callable[[Task], tuple[Any, Callable[[], None]]]] = {
    "TRL as it comes": trl,
    "plain torch loop": plain,
    "service, AdamW": lambda task: service(task, adamw=True),
    "service": lambda task: service(task, adamw=False),
}


def validation_loss(task: Task, model: Any) -> float:
    """Mean cross-entropy over the replies' tokens, in fp32."""
    import torch

    from helpers.local_service.training_data import IGNORED, collate

    model.eval()
    total, tokens = 0.0, 0
    with torch.no_grad():
        for start in range(0, len(task.validation), BATCH):
            batch = collate(task.validation[start : start + BATCH], 0)
            logits = model(input_ids=batch["input_ids"]).logits[:, :-1].float().flatten(0, 1)
            labels = batch["labels"][:, 1:].flatten()
            total += torch.nn.functional.cross_entropy(logits, labels, ignore_index=IGNORED, reduction="sum").item()
            tokens += int((labels != IGNORED).sum())
    return total / tokens


def measure(way: str, base: str, examples: int, epochs: int, bf16: bool) -> None:
    """In the child process: print what one run showed."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        task = Task(base, examples, epochs, bf16, Path(folder))
        model, run = WAYS[way](task)
        begin, begin_processor = time.perf_counter(), time.process_time()
        run()
        seconds, processor = time.perf_counter() - begin, time.process_time() - begin_processor
        tokens = task.data.tokens * epochs
        shown = {"tokens_per_second": tokens / seconds, "processor_us_per_token": processor / tokens * 1e6}
        print(json.dumps({**shown, "validation_loss": validation_loss(task, model)}))


def in_own_process(way: str, precision: str, same: list[str]) -> dict[str, float]:
    """What one run showed. The service's runs in the environment that it gives its processes. Raises RuntimeError."""
    from helpers.local_service.helper_process import ENVIRONMENT

    command = [sys.executable, __file__, *same, "--measure", way, precision]
    known = {**ENVIRONMENT, **os.environ} if way.startswith("service") else None
    done = subprocess.run(command, capture_output=True, text=True, env=known)
    if done.returncode:
        raise RuntimeError(f"{way} in {precision} failed: {done.stderr.strip().splitlines()[-1]}")
    shown: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return shown


def show(precision: str, best: dict[str, dict[str, float]]) -> None:
    """Print one precision's ways, each beside the first two."""
    others = [best[way]["tokens_per_second"] for way in list(WAYS)[:2]]
    for way, figures in best.items():
        speed, processor, loss = figures.values()
        ratios = " ".join(f"{speed / other:8.2f}" for other in others)
        print(f"  {f'{way}, {precision}':24} {speed:9,.0f} {ratios} {processor:13.0f} {loss:16.3f}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure training beside TRL and a plain torch loop.")
    parser.add_argument("--base", default="pocket-6m", help="base model of the course (%(default)s)")
    parser.add_argument("--times", type=int, default=3, help="runs of each (%(default)s)")
    parser.add_argument("--examples", type=int, default=160, help="training examples (%(default)s)")
    parser.add_argument("--epochs", type=int, default=2, help="times each is seen (%(default)s)")
    parser.add_argument("--measure", nargs=2, metavar=("WAY", "PRECISION"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        way, precision = options.measure
        measure(way, options.base, options.examples, options.epochs, PRECISIONS[precision])
        return 0
    from helpers.workspace import build, write_whole

    same = ["--base", options.base, "--examples", str(options.examples), "--epochs", str(options.epochs)]
    print(f"{machine()}; {options.base}, {options.examples} examples, {options.epochs} epochs; best of {options.times}")
    print(f"  {'':24} {'tokens/s':>9} {'of TRL':>8} {'of plain':>8} {'processor µs':>13} {'validation loss':>16}")
    kept: dict[str, Any] = {"machine": machine(), **vars(options)}
    for precision in PRECISIONS:
        runs: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        for _ in range(options.times):
            for way in WAYS:
                runs[way].append(in_own_process(way, precision, same))
        best = {way: max(each, key=lambda run: run["tokens_per_second"]) for way, each in runs.items()}
        show(precision, best)
        kept[precision] = runs
    print(write_whole(Path(build("bench-training.json")), json.dumps(kept, indent=1) + "\n"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
