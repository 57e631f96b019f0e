"""The recipe end to end at a tiny size: it learns, can be stopped and resumed, and exports what transformers loads."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from helpers.local_service.pretrain import __main__ as command
from helpers.local_service.pretrain import benchmark, corpus, train

TINY = train.Recipe("tiny", layers=1, width=32, inner=64, heads=2, tokens=240_000, micro_tokens=2_048)


@pytest.fixture(autouse=True)
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POCKET_COMPILE", "0")
    monkeypatch.setitem(train.RECIPES, "tiny", TINY)


def test_it_learns_resumes_and_exports(tokenizer_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(tokenizer_folder, folder)
    first = train.Trainer(dataclasses.replace(TINY, tokens=120_000), folder)
    first.run()
    second = train.Trainer(TINY, folder)
    assert second.resume()
    assert (second.step, second.tokens) == (first.step, first.tokens)
    for name, weight in first.model.state_dict().items():
        assert torch.equal(weight, second.model.state_dict()[name]), name
    train.Trainer(TINY, folder).run()
    log = [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert log[-1]["tokens"] > 150_000
    assert log[-1]["loss"] < log[0]["loss"] - 0.5

    target = tmp_path / "base"
    train.export(folder, target)
    model = AutoModelForCausalLM.from_pretrained(target)
    assert model.config.architectures == ["LlamaForCausalLM"]
    assert model.config.max_position_embeddings == 2048
    assert next(model.parameters()).dtype == torch.bfloat16
    scores = benchmark.score(benchmark.generate_with(target), 2, ["copy", "sort"])
    assert set(scores) == {"copy", "sort"}
    assert "mean of 2" in benchmark.table(scores)


def test_a_run_can_start_from_a_finished_base_and_remembers_it(tokenizer_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(tokenizer_folder, tmp_path / "one")
    one = train.Trainer(dataclasses.replace(TINY, tokens=20_000), tmp_path / "one")
    one.run()
    train.export(tmp_path / "one", tmp_path / "base")
    shutil.copytree(tokenizer_folder, tmp_path / "two")
    two = train.Trainer(dataclasses.replace(TINY, tokens=20_000), tmp_path / "two")
    two.start_from(tmp_path / "base")
    for name, weight in one.model.state_dict().items():
        assert torch.allclose(weight, two.model.state_dict()[name], atol=1e-2), name
    two.run()
    train.export(tmp_path / "two", tmp_path / "second")
    config = AutoModelForCausalLM.from_pretrained(tmp_path / "second").config
    assert config.pretraining["tokens"] == one.tokens + two.tokens
    assert config.pretraining["steps"] == one.step + two.step

    (tmp_path / "base" / "tokenizer.model").write_bytes(b"another")
    shutil.copytree(tokenizer_folder, tmp_path / "three")
    with pytest.raises(ValueError, match="another tokenizer"):
        train.Trainer(TINY, tmp_path / "three").start_from(tmp_path / "base")


def test_starting_from_a_base_takes_its_words_into_a_new_folder(
    tokenizer_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tokenizer_folder, tmp_path / "one")
    train.Trainer(dataclasses.replace(TINY, tokens=8_000), tmp_path / "one").run()
    train.export(tmp_path / "one", tmp_path / "base")
    order = ["train", "export", "--base", "tiny", "--set", "tokens=8000", "--target", str(tmp_path / "newer")]
    order += ["--folder", str(tmp_path / "new"), "--start-from", str(tmp_path / "base")]
    monkeypatch.setattr(sys, "argv", ["pretrain", *order])
    command.main()
    assert len(AutoTokenizer.from_pretrained(tmp_path / "newer")) == len(
        AutoTokenizer.from_pretrained(tmp_path / "base")
    )
    assert train.Trainer(TINY, tmp_path / "new" / "tiny").resume()


def test_two_runs_with_one_seed_are_the_same(tokenizer_folder: Path, tmp_path: Path) -> None:
    losses = []
    for name in ("a", "b"):
        shutil.copytree(tokenizer_folder, tmp_path / name)
        trainer = train.Trainer(TINY, tmp_path / name)
        stream = train.batches(trainer.encoder, 1, TINY.micro_tokens)
        losses.append([trainer.learn(stream) for _ in range(4)])
    assert losses[0] == losses[1]


LEARN_ONE_PIECE = """
import itertools, json, sys
from pathlib import Path
import torch
from helpers.local_service.pretrain import train
recipe = train.Recipe(**json.loads(sys.argv[3]))
trainer = train.Trainer(recipe, Path(sys.argv[1]))
pieces = itertools.islice(train.batches(trainer.encoder, 1, recipe.micro_tokens), trainer.rank, None)
trainer.learn(pieces)
if trainer.rank == 1:  # the one that does not save
    torch.save((trainer.model.state_dict(), trainer.tokens), sys.argv[2])
trainer.save()
"""


def test_two_processes_take_the_step_that_one_would(tokenizer_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(tokenizer_folder, tmp_path / "two")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    (tmp_path / "learn.py").write_text(LEARN_ONE_PIECE, encoding="utf-8")
    recipe = dataclasses.replace(TINY, passes=((0.0, 2),))
    learn = [tmp_path / "learn.py", tmp_path / "two", tmp_path / "second.pt", json.dumps(dataclasses.asdict(recipe))]
    subprocess.run([*torchrun, *learn], check=True, timeout=300)
    of_second, tokens = torch.load(tmp_path / "second.pt")
    of_first = torch.load(tmp_path / "two" / "checkpoint.pt")

    shutil.copytree(tokenizer_folder, tmp_path / "one")
    alone = train.Trainer(recipe, tmp_path / "one")
    untrained = {name: weight.clone() for name, weight in alone.model.state_dict().items()}
    alone.learn(train.batches(alone.encoder, 1, TINY.micro_tokens))
    assert alone.tokens == tokens == of_first["progress"][1]
    for name, weight in alone.model.state_dict().items():
        assert torch.equal(of_first["model"][name], of_second[name]), name
        moved = (weight - untrained[name]).norm()
        assert (weight - of_second[name]).norm() <= 0.05 * moved, name


def test_the_rate_warms_up_stays_and_falls_to_nothing(tokenizer_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(tokenizer_folder, tmp_path / "run")
    trainer = train.Trainer(TINY, tmp_path / "run")
    at = {}
    for step, tokens in ((0, 0), (100, 120_000), (100, 192_000), (100, 240_000)):
        trainer.step, trainer.tokens = step, tokens
        at[tokens] = trainer.rate()
    assert at[0] == pytest.approx(1 / TINY.warmup_steps)
    assert at[120_000] == 1
    assert at[192_000] == pytest.approx(0.5)
    assert at[240_000] == 0


def test_copying_comes_first_then_the_drill_then_every_skill(tokenizer_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(tokenizer_folder, tmp_path / "run")
    trainer = train.Trainer(dataclasses.replace(TINY, drill=(0.25, 0.5)), tmp_path / "run")
    drawn = []
    for share in (0.0, 0.24, 0.26, 0.49, 0.51, 1.0):
        trainer.tokens = int(share * TINY.tokens)
        drawn.append(trainer.shares())
    first, drill, even = corpus.OPENING, corpus.DRILL, corpus.BALANCED
    assert drawn == [first, first, drill, drill, even, even]
    trainer.tokens, trainer.before = 0, {"tokens": 1, "steps": 1, "seconds": 1}
    assert trainer.shares() == even  # a finished base copies and looks up already


def test_the_tokenizer_gives_back_what_it_was_given(tokenizer_folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
    for text in ("LM-20417 costs £18.", "Ärger, naïve — “quoted”", "two\nlines\n\n  and spaces ", "日本 🙂"):
        ids = tokenizer.encode(text, add_special_tokens=False)
        assert tokenizer.decode(ids) == text
