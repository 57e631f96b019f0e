"""How long does an evaluation take, and does an interrupted one go on? Two models on the held-out support set.

    make bench        # or: python tests/benchmarks/evaluation.py --help

A base and a model tuned from it answer all the questions by helpers.evaluate, with the graders of the support case, on
a service whose folder goes away. Then the tuned one is asked again from nothing in a process that is killed halfway,
and once more to the end: what it had answered must not be asked again. build/bench-evaluation.json keeps the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from generation import own_service
from machine import machine

from helpers import Service, course
from helpers.evaluate import evaluate
from helpers.score import grade_support
from helpers.workspace import build, read_jsonl, sample, tuned_model, write_jsonl, write_whole

ASK_AGAIN = """
import sys
from helpers import connect
from evaluation import held_out, timed
timed(connect("local", sys.argv[1], quiet=True), sys.argv[2], held_out(int(sys.argv[3])))
"""


def held_out(count: int) -> list[dict[str, Any]]:
    """The first `count` of the support case's two held-out sets: new customers, then new phrasings."""
    folder = sample("support")
    return [*read_jsonl(folder / "test.jsonl"), *read_jsonl(folder / "test_new_phrasings.jsonl")][:count]


def timed(service: Service, model: str, items: list[dict[str, Any]]) -> float:
    """Evaluate one model, and return the seconds."""
    begin = time.perf_counter()
    evaluate(service.client, model, items, grade_support, task="support", system=model)
    return time.perf_counter() - begin


def answers_kept() -> int:
    """How many answers are on the disk."""
    return len([*Path(build("answers", "_")).parent.glob("*/*.json")])


def interrupted(service: Service, model: str, count: int) -> int:
    """Ask in a process of its own until half the answers are there, and kill it; return how many are kept then."""
    code = [sys.executable, "-c", ASK_AGAIN, service.base_model, model, str(count)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    with subprocess.Popen(code, env=environment) as process:
        while answers_kept() < count // 2 and process.poll() is None:
            time.sleep(0.05)
        process.kill()
    return answers_kept()


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure an evaluation of two models, and an interrupted one.")
    parser.add_argument("--base", default="pocket-1m", help="base model of the course (%(default)s)")
    parser.add_argument("--items", type=int, default=200, help="held-out items (%(default)s)")
    parser.add_argument("--examples", type=int, default=400, help="the tuned model's examples (%(default)s)")
    options = parser.parse_args()
    items = held_out(options.items)
    with own_service(options.base) as service, tempfile.TemporaryDirectory() as folder:
        some = read_jsonl(sample("support") / "train.jsonl")[: options.examples]
        tuned = tuned_model(service, write_jsonl(Path(folder) / "train.jsonl", some), suffix="bench", n_epochs=1)
        with course.settings(FINETUNE_BUILD=str(Path(folder) / "whole")):
            seconds = {name: timed(service, name, items) for name in (service.base_model, tuned)}
        with course.settings(FINETUNE_BUILD=str(Path(folder) / "interrupted")):
            before = interrupted(service, tuned, len(items))
            rest = timed(service, tuned, items)
            after = answers_kept()
    print(f"{machine()}; {options.base}, {len(items)} items, each model asked each of them")
    for name, taken in seconds.items():
        print(f"  {name:48} {taken:6.1f} s")
    print(f"  {'both':48} {sum(seconds.values()):6.1f} s")
    print(f"  killed with {before} answers kept; the rest, {after - before}, took {rest:.1f} s")
    kept = {"machine": machine(), **vars(options), "seconds": seconds, "kept": [before, after], "rest_seconds": rest}
    print(write_whole(Path(build("bench-evaluation.json")), json.dumps(kept, indent=1) + "\n"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
