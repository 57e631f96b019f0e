"""A grown base answers as the smaller one did, and what is new in it learns."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaForCausalLM

from helpers.local_service.pretrain import card, train
from helpers.local_service.pretrain.grow import grow

SMALL = train.Recipe("small", layers=2, width=32, inner=64, heads=2, tokens=20_000, micro_tokens=512)
LARGE = dataclasses.replace(SMALL, name="large", layers=5, width=64, inner=176)


@pytest.fixture(autouse=True)
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POCKET_COMPILE", "0")
    for recipe in (SMALL, LARGE):
        monkeypatch.setitem(train.RECIPES, recipe.name, recipe)


def trained(vocabulary: int = 300) -> LlamaForCausalLM:
    """Return a small model whose weights are nothing like fresh ones: norms are not one, projections not small."""
    model = train.new_model(SMALL, vocabulary)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(2).add_(torch.randn_like(weight) * 0.1)
        model.model.embed_tokens.weight.mul_(10)  # far from the epsilon of the norms, whose share halves with the width
    return model


def assert_same(one: LlamaForCausalLM, other: LlamaForCausalLM) -> None:
    a, b = logits(one), logits(other)
    assert (a - b).abs().max() < 2e-3 * b.abs().max()


def logits(model: LlamaForCausalLM) -> torch.Tensor:
    ids = torch.arange(5, 205).reshape(2, 100)
    with torch.no_grad():
        return model(ids).logits


@pytest.mark.parametrize("changes", [{}, {"layers": 2}, {"width": 32}, {"width": 96, "layers": 3}])
def test_a_grown_model_computes_what_the_small_one_does(changes: dict[str, int]) -> None:
    small, large = trained(), train.new_model(dataclasses.replace(LARGE, **changes), 300)
    grow(small, large)
    assert large.num_parameters() > small.num_parameters()
    assert_same(large, small)
    with torch.no_grad():
        large.model.layers[0].self_attn.q_proj.weight.mul_(0.5)
    with pytest.raises(AssertionError):  # the comparison sees a difference
        assert_same(large, small)


def test_every_new_number_learns() -> None:
    small, large = trained(), train.new_model(LARGE, 300)
    grow(small, large)
    start = {name: weight.detach().clone() for name, weight in large.named_parameters()}
    optimiser = torch.optim.AdamW(large.parameters(), lr=1e-3, weight_decay=0.0)
    ids = torch.arange(300).reshape(3, 100)
    for _ in range(4):
        large(ids, labels=ids).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    for name, weight in large.named_parameters():
        assert (weight.detach() != start[name]).float().mean() > 0.99, name


@pytest.mark.parametrize("changes", [{"heads": 4}, {"width": 16}, {"layers": 1}, {"inner": 32}, {"width": 48}])
def test_it_refuses_a_shape_into_which_it_cannot_grow(changes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="can only grow from"):
        grow(trained(), train.new_model(dataclasses.replace(LARGE, **changes), 300))


def test_a_run_grows_a_smaller_base_and_says_so(tokenizer_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(tokenizer_folder, tmp_path / "small")
    one = train.Trainer(SMALL, tmp_path / "small")
    one.run()
    train.export(tmp_path / "small", tmp_path / "base")
    shutil.copytree(tokenizer_folder, tmp_path / "large")
    two = train.Trainer(LARGE, tmp_path / "large")
    two.start_from(tmp_path / "base")
    finished = LlamaForCausalLM.from_pretrained(tmp_path / "base", dtype=torch.float32)
    assert_same(two.model, finished)
    two.run()
    train.export(tmp_path / "large", tmp_path / "grown")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "grown")
    assert (model.config.num_hidden_layers, model.config.hidden_size) == (5, 64)
    assert model.config.pretraining["smaller"] == one.tokens
    assert model.config.pretraining["tokens"] == one.tokens + two.tokens
    card.write(tmp_path / "large", tmp_path / "grown", "| skill |", items=1)
    text = (tmp_path / "grown" / "README.md").read_text(encoding="utf-8")
    assert f"the first {one.tokens / 1e6:.1f} million as a smaller base, then grown" in text
    third = train.Trainer(LARGE, tmp_path / "large")
    assert third.resume() and third.before["smaller"] == one.tokens
