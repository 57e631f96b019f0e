"""How fast are answers? The service's, one by one and together, beside transformers' generate, one prompt at a time.

    make bench        # or: python tests/benchmarks/generation.py --help

The prompts are the support sample's held-out ones; all answers are the likeliest, of one length at most. The service
has a folder of its own that goes away, and answers in fp32 whatever it trains in; generate is measured in both. The
ways take turns, and each figure is the fastest of `--times` rounds. build/bench-generation.json keeps them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from machine import machine

from helpers import Service, connect
from helpers.asking import usual_workers
from helpers.evaluate import prompts
from helpers.local_service.bases import find_bases
from helpers.stop import stop_service
from helpers.workspace import build, read_jsonl, sample, write_whole

Ask = Callable[[list[Any]], int]  # conversations in, tokens of the answers out


@contextmanager
def own_service(base: str) -> Iterator[Service]:
    """A local service on an empty folder."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        os.environ["FINETUNE_HOME"] = home
        try:
            yield connect("local", base, quiet=True)
        finally:
            stop_service()


def by_service(service: Service, workers: int, most: int, conversations: list[Any]) -> int:
    """So many requests under way at a time."""

    def tokens(messages: Any) -> int:
        answer = service.client.chat.completions.create(
            model=service.base_model, messages=messages, max_tokens=most, temperature=0
        )
        return answer.usage.completion_tokens if answer.usage else 0

    with ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(tokens, conversations))


def by_generate(folder: Path, precision: str, most: int) -> Ask:
    """transformers' generate as its documentation shows it."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, precision))

    def ask(conversations: list[Any]) -> int:
        total = 0
        for messages in conversations:
            asked = tokenizer.apply_chat_template(
                messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
            )
            answer = model.generate(**asked, max_new_tokens=most, do_sample=False)
            total += answer.shape[1] - asked["input_ids"].shape[1]
        return total

    return ask


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure answers beside transformers' generate.")
    parser.add_argument("--base", default="pocket-6m", help="base model of the course (%(default)s)")
    parser.add_argument("--times", type=int, default=2, help="rounds (%(default)s)")
    parser.add_argument("--questions", type=int, default=100, help="prompts (%(default)s)")
    parser.add_argument("--answer-tokens", type=int, default=100, help="most tokens in an answer (%(default)s)")
    options = parser.parse_args()
    asked = prompts(read_jsonl(sample("support") / "test.jsonl")[: options.questions])
    most, folder = options.answer_tokens, find_bases()[options.base].folder
    rounds: dict[str, list[float]] = {}
    with own_service(options.base) as service:
        together = usual_workers(service.client)
        ways: dict[str, Ask] = {
            "generate one by one, fp32": by_generate(folder, "float32", most),
            "generate one by one, bf16": by_generate(folder, "bfloat16", most),
            "service, one by one": partial(by_service, service, 1, most),
            f"service, {together} together": partial(by_service, service, together, most),
        }
        for ask in ways.values():
            ask(asked[:1])  # models are loaded and caches filled
        for _ in range(options.times):
            for name, ask in ways.items():
                begin = time.perf_counter()
                tokens = ask(asked)
                rounds.setdefault(name, []).append(tokens / (time.perf_counter() - begin))
    print(f"{machine()}; {options.base}, {len(asked)} prompts, at most {most} tokens each; best of {options.times}")
    print(f"  {'':28} {'tokens/s':>9} {'of generate, fp32':>18}")
    for name, speeds in rounds.items():
        print(f"  {name:28} {max(speeds):9,.0f} {max(speeds) / max(rounds['generate one by one, fp32']):18.2f}")
    kept = {"machine": machine(), **vars(options), "tokens_per_second": rounds}
    print(write_whole(Path(build("bench-generation.json")), json.dumps(kept, indent=1) + "\n"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
