"""How fast is check? Our checks by group, beside plain JSON reading, raw tiktoken and two public checkers, in one run.

    make bench        # or: python tests/benchmarks/check.py --rows 500000

Each is measured in a process of its own, so that the peak of memory is its own, over one generated file of plain chat
examples. The figures are the fastest of `--times` passes, by the clock and by the processor's time, which other
programs on the machine disturb less. The public checkers come from PyPI into a folder that goes away; without an index
they are left out, and that is said. build/bench-check.json keeps the figures.
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
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import psutil
from machine import machine

CORES = os.cpu_count() or 1
BATCH = 1000  # rows counted at a time
# They look at less than we do: cleanllm at roles, contents and their order (its preflight for TRL), together at UTF-8
# and JSON objects alone.
PUBLIC = {"cleanllm": "cleanllm==4.0.0", "together": "together==3.1.1"}


def write_rows(path: Path, count: int) -> None:
    """Write chat examples of one to three turns, made of the support sample's words, no two alike."""
    from helpers.workspace import read_jsonl, sample

    rows = read_jsonl(sample("support") / "train.jsonl")
    words = sorted({word for row in rows for m in row["messages"][1:] for word in m["content"].split()})
    rng = random.Random(1)

    def say(most: int) -> str:
        told = rng.choices(words, k=rng.randint(8, most))
        return " ".join(told[: len(told) // 2]) + ".\n" + " ".join(told[len(told) // 2 :])

    with path.open("w", encoding="utf-8") as file:
        for _ in range(count):
            messages = [{"role": "system", "content": "You are the support desk."}]
            for _ in range(rng.choice([1, 1, 1, 2, 3])):
                messages += [{"role": "user", "content": say(60)}, {"role": "assistant", "content": say(90)}]
            file.write(json.dumps({"messages": messages}, ensure_ascii=False) + "\n")


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        yield from map(json.loads, file)


def plain_json(path: Path) -> None:
    for _ in rows_of(path):
        pass


def structure(path: Path) -> None:
    from helpers.checks.rows import read_row

    with path.open("rb", buffering=256 * 1024) as file:
        assert not any(read_row(line, number)[1] for number, line in enumerate(file, start=1))


def on_all_cores(count: Callable[[list[dict[str, Any]]], int], rows: Iterator[dict[str, Any]]) -> int:
    """Return the sum of the counts of batches of rows; a few batches are held at a time, never the whole file."""
    total = 0
    with ThreadPoolExecutor(CORES) as pool:
        while batches := [batch for _ in range(8 * CORES) if (batch := list(islice(rows, BATCH)))]:
            total += sum(pool.map(count, batches))
    return total


def structure_and_tokens(path: Path) -> None:
    """Every example's structure and its tokens, those counted by all cores."""
    from helpers.checks.rows import read_row
    from helpers.tokens import count_example

    def count(rows: list[dict[str, Any]]) -> int:
        return sum(count_example(row["messages"]) for row in rows)

    with path.open("rb", buffering=256 * 1024) as file:
        read = (read_row(line, number)[0] for number, line in enumerate(file, start=1))
        assert on_all_cores(count, (row for row in read if row is not None)) > 0


def raw_tiktoken(path: Path) -> None:
    """The same texts by tiktoken alone, an example's at a time, on all cores; the reading of the file is included."""
    from helpers.tokens import encoding

    encode = encoding().encode_ordinary

    def count(rows: list[dict[str, Any]]) -> int:
        return sum(len(encode(message["content"])) for row in rows for message in row["messages"])

    assert on_all_cores(count, rows_of(path)) > 0


def copies(path: Path) -> None:
    """Copies, contradictions, snapshots, near-duplicates, system messages."""
    from helpers.checks.examples import example_of
    from helpers.checks.files import Collection

    seen = Collection()
    for number, row in enumerate(rows_of(path), start=1):
        list(seen.add(example_of(row), number))
    list(seen.finish("supervised"))


def texts(path: Path) -> None:
    from helpers.checks.texts import check_texts

    for number, row in enumerate(rows_of(path), start=1):
        list(check_texts(row["messages"], number))


def personal_data(path: Path) -> None:
    from helpers.checks.texts import private_kinds

    for row in rows_of(path):
        for message in row["messages"]:
            private_kinds(message["content"])


def whole_check(path: Path) -> None:
    from helpers.check import check_file

    check_file(path)


def cleanllm(path: Path) -> None:
    from cleanllm.validate import preflight_jsonl

    assert preflight_jsonl(str(path), "trl")["total_rows"]


def together(path: Path) -> None:
    from together.lib.utils import check_file

    assert check_file(path)["is_check_passed"]


MEASURES: dict[str, Callable[[Path], None]] = {
    "json.loads of every line": plain_json,
    "structure": structure,
    "structure, cleanllm 4.0.0": cleanllm,
    "structure, together 3.1.1": together,
    "structure and tokens, all cores": structure_and_tokens,
    "raw tiktoken, all cores": raw_tiktoken,
    "copies and near-duplicates": copies,
    "texts: residue, personal data": texts,
    "personal data alone": personal_data,
    "check_file, all of it": whole_check,
}


def measure(name: str, path: Path, times: int) -> None:
    """In the child process: print the seconds of the fastest pass, by clock and processor, and the peak of memory."""
    clock, processor = [], []
    for _ in range(times):
        begin, begin_processor = time.perf_counter(), time.process_time()
        MEASURES[name](path)
        clock.append(time.perf_counter() - begin)
        processor.append(time.process_time() - begin_processor)
    peak = peak_memory() / 1024 / 1024
    print(json.dumps({"seconds": min(clock), "processor_seconds": min(processor), "peak_mb": peak}))


def peak_memory() -> int:
    """The most bytes that this process has held at a time."""
    if sys.platform == "linux":  # what getrusage says there begins with the parent's peak
        return 1024 * int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def install(folder: Path) -> list[str]:
    """Install the public checkers beside this project; return the names of those that are there."""
    there = []
    for name, requirement in PUBLIC.items():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "0"]
        done = subprocess.run(
            [*command, "--target", str(folder), "--upgrade", requirement], capture_output=True, text=True
        )
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            print(f"{requirement} could not be installed and is left out: {reason}", file=sys.stderr)
        else:
            there.append(name)
    return there


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure check beside JSON reading, tiktoken and public checkers.")
    parser.add_argument("--rows", type=int, default=50_000, help="examples in the file (%(default)s)")
    parser.add_argument("--times", type=int, default=3, help="passes of each measurement (%(default)s)")
    parser.add_argument("--only", metavar="WORD", default="", help="those whose name holds this word")
    parser.add_argument("--measure", nargs=2, metavar=("NAME", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure[0], Path(options.measure[1]), options.times)
        return 0
    from helpers.workspace import build, write_whole

    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        folder, path = Path(temporary) / "public", Path(temporary) / "train.jsonl"
        write_rows(path, options.rows)
        there = install(folder)
        print(f"{machine()}; {options.rows:,} rows, {path.stat().st_size / 1e6:,.0f} MB; fastest of {options.times}")
        print(f"  {'':34} {'seconds':>9} {'processor':>9} {'µs a row':>9} {'peak MB':>8}")
        for name, run in MEASURES.items():
            if options.only not in name or (run.__name__ in PUBLIC and run.__name__ not in there):
                continue
            command = [sys.executable, __file__, "--times", str(options.times), "--measure", name, str(path)]
            # The public checkers' packages are for their own processes alone: they may be other versions than ours.
            known = {**os.environ, "PYTHONPATH": str(folder)} if run.__name__ in PUBLIC else None
            done = subprocess.run(command, capture_output=True, text=True, env=known)
            if done.returncode:
                print(f"  {name:34} failed: {done.stderr.strip().splitlines()[-1]}")
                continue
            figures[name] = json.loads(done.stdout.splitlines()[-1])
            seconds, processor, peak = figures[name].values()
            each = processor / options.rows * 1e6
            print(f"  {name:34} {seconds:9.2f} {processor:9.2f} {each:9.1f} {peak:8.0f}", flush=True)
    kept = {"machine": machine(), "rows": options.rows, "times": options.times, "figures": figures}
    print(write_whole(Path(build("bench-check.json")), json.dumps(kept, indent=1, ensure_ascii=False) + "\n"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
