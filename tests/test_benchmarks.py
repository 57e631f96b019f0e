"""`make bench`: every comparison runs to its end on a small case. How fast they are is nobody's business here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.local_service.hardware import use_bf16

BENCHMARKS = Path(__file__).parent / "benchmarks"
PRECISION = "bf16" if use_bf16(None) else "fp32"  # emulated bf16 takes a minute a way
WAYS = ["TRL as it comes", "plain torch loop", "service, AdamW", "service"]


def run(program: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, BENCHMARKS / program, "--base", "pocket-1m", *arguments], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_training_learns_the_same_task(way: str) -> None:
    shown = json.loads(
        run("training.py", "--examples", "40", "--epochs", "2", "--measure", way, PRECISION).splitlines()[-1]
    )
    assert shown["tokens_per_second"] > 0
    assert 0 < shown["validation_loss"] < 2.8  # untrained about 3.6


def test_generation_is_compared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FINETUNE_BUILD", str(tmp_path))
    shown = run("generation.py", "--times", "1", "--questions", "2", "--answer-tokens", "8")
    assert all(way in shown for way in ("generate one by one, fp32", "service, one by one", "together"))
    kept = json.loads((tmp_path / "bench-generation.json").read_text())
    assert all(speed > 0 for speeds in kept["tokens_per_second"].values() for speed in speeds)


def test_an_evaluation_is_timed_and_an_interrupted_one_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FINETUNE_BUILD", str(tmp_path))
    shown = run("evaluation.py", "--items", "12", "--examples", "12")
    kept = json.loads((tmp_path / "bench-evaluation.json").read_text())
    assert len(kept["seconds"]) == 2 and all(name in shown for name in kept["seconds"])
    before, after = kept["kept"]
    assert 6 <= before <= after == 12
