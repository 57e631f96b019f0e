"""How fast is this machine? Training in fp32 and bf16, and generation one by one and together, as a learner meets them:
through the local service. A service of its own, on a folder that goes away, is started and stopped for each setting.

    make bench        # or: python tests/benchmarks/run.py --help

Every figure is the median of `--times` runs after one that is not counted. build/bench.json keeps them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from helpers import Service, connect
from helpers.errors import Explained
from helpers.stop import stop_service
from helpers.workspace import build, read_jsonl, sample, write_jsonl, write_whole

TOGETHER = 8  # requests under way at a time
PRECISIONS = {"fp32": "0", "bf16": "1"}


@contextmanager
def own_service(base: str | None, bf16: str) -> Iterator[Service]:
    """A local service on an empty folder, with bf16 on or off."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        os.environ.update(FINETUNE_HOME=home, FINETUNE_BF16=bf16)
        try:
            yield connect("local", base, quiet=True)
        finally:
            stop_service()


def median(measure: Callable[[], float], times: int) -> float:
    """The median of some runs after one that is not counted, in which caches fill and processes start."""
    measure()
    return statistics.median(measure() for _ in range(times))


def training(service: Service, examples: int) -> float:
    """Trained tokens a second of one job, from its creation to its end, as the learner waits for it."""
    client = service.client
    rows = read_jsonl(sample("support") / "train.jsonl")[:examples]
    path = write_jsonl(build("bench", "train.jsonl"), rows)
    file = client.files.create(file=path, purpose="fine-tune")
    options: Any = {"method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 1}}}}
    begin = time.perf_counter()
    job = client.fine_tuning.jobs.create(model=service.base_model, training_file=file.id, seed=1, **options)
    while job.status not in ("succeeded", "failed", "cancelled"):
        time.sleep(0.05)
        job = client.fine_tuning.jobs.retrieve(job.id)
    if job.status != "succeeded":
        raise Explained(f"The benchmark's job {job.status}: {job.error.message if job.error else 'no reason given'}")
    return (job.trained_tokens or 0) / (time.perf_counter() - begin)


def generation(service: Service, workers: int, questions: int, most: int) -> float:
    """Tokens a second in answers of at most `most` tokens, with so many requests under way at a time."""
    asked = [row["messages"][:-1] for row in read_jsonl(sample("support") / "validation.jsonl")[:questions]]

    def tokens(messages: Any) -> int:
        answer = service.client.chat.completions.create(
            model=service.base_model, messages=messages, max_tokens=most, temperature=0
        )
        return answer.usage.completion_tokens if answer.usage else 0

    begin = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        total = sum(pool.map(tokens, asked))
    return total / (time.perf_counter() - begin)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure training and generation on this machine.")
    parser.add_argument("--base", help="base model (default: the course's)")
    parser.add_argument("--times", type=int, default=3, help="counted runs of each measurement (%(default)s)")
    parser.add_argument("--examples", type=int, default=160, help="training examples in a job (%(default)s)")
    parser.add_argument("--questions", type=int, default=16, help="questions to answer (%(default)s)")
    parser.add_argument("--answer-tokens", type=int, default=100, help="most tokens in an answer (%(default)s)")
    options = parser.parse_args()
    figures: dict[str, float] = {}
    try:
        for name, flag in PRECISIONS.items():
            with own_service(options.base, flag) as service:
                figures[f"training, {name}"] = median(partial(training, service, options.examples), options.times)
                if name != "bf16":
                    continue
                for label, workers in (("one by one", 1), (f"{TOGETHER} together", TOGETHER)):
                    measure = partial(generation, service, workers, options.questions, options.answer_tokens)
                    figures[f"generation, {label}"] = median(measure, options.times)
    except Explained as error:
        print(error, file=sys.stderr)
        return 1
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    print(f"{machine}, Python {platform.python_version()}; median of {options.times}, tokens a second")
    for label, value in figures.items():
        print(f"  {label:24} {value:8,.0f}")
    kept = {"machine": machine, "base": service.base_model, "times": options.times, "tokens_per_second": figures}
    print(write_whole(Path(build("bench.json")), json.dumps(kept, indent=1) + "\n"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
