"""Generation: the tokens of transformers' own generate, whoever else is in the batch, joining late or leaving early."""

import math
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from helpers.local_service import engine
from helpers.local_service.engine import Engine, Generation, ModelBatch
from helpers.local_service.sampling import Sampling, choose, log_probabilities


@pytest.fixture(scope="module")
def model(tiny_bases: Path) -> Any:
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_pretrained(tiny_bases / "tiny", dtype=torch.float32)
    for parameter in model.parameters():  # random weights say the same thing always; larger ones vary
        parameter.data *= 4
    return model.eval()


class Recorded:
    """One answer, and the tokens it got."""

    def __init__(self, prompt: list[int], most_tokens: int, **sampling: Any) -> None:
        self.tokens: list[int] = []
        self.log_probs: list[float] = []
        settings = Sampling(rng=random.Random(repr(prompt)), **({"temperature": 0.0} | sampling))
        self.generation = Generation(prompt, most_tokens, self._take, settings, top_logprobs=0)

    def _take(self, token: int, log_probs: Any) -> bool:
        self.tokens.append(token)
        self.log_probs.append(log_probs[0])
        return True


def prompts(count: int, seed: int = 0) -> list[list[int]]:
    rng = random.Random(seed)
    return [[rng.randrange(8, 500) for _ in range(rng.randint(1, 60))] for _ in range(count)]


def run(batch: ModelBatch) -> None:
    while batch.busy:
        batch.step()


def alone(model: Any, prompt: list[int], most_tokens: int, **sampling: Any) -> Recorded:
    record, batch = Recorded(prompt, most_tokens, **sampling), ModelBatch(model)
    batch.waiting.append(record.generation)
    run(batch)
    return record


def test_greedy_tokens_are_those_of_transformers(model: Any) -> None:
    for prompt in prompts(5):
        expected = model.generate(
            torch.tensor([prompt]), max_new_tokens=30, do_sample=False, eos_token_id=None, pad_token_id=2
        )[0, len(prompt) :]
        assert alone(model, prompt, 30).tokens == expected.tolist()


@pytest.mark.parametrize("sampling", [{}, {"temperature": 1.0}, {"temperature": 0.7, "top_p": 0.8}])
def test_an_answer_does_not_depend_on_its_neighbours(model: Any, sampling: dict[str, float]) -> None:
    records = [Recorded(prompt, 5 + 9 * (index % 7), **sampling) for index, prompt in enumerate(prompts(40))]
    batch = ModelBatch(model)
    for index, record in enumerate(records):  # some wait from the start, others join while these speak
        batch.waiting.append(record.generation)
        if index > 10:
            batch.step()
    run(batch)
    for record in records:
        single = alone(model, record.generation.prompt, record.generation.most_tokens, **sampling)
        assert record.tokens == single.tokens
        assert record.log_probs == pytest.approx(single.log_probs, abs=1e-4)


def test_prompts_that_begin_alike_are_read_once(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few-shot prompts share most of their tokens; the answers are those of prompts read whole."""
    start, other = prompts(40, seed=5)[-1] + [7] * 80, [8] * 50
    alike = [Recorded(start + prompt, 12) for prompt in prompts(12)]
    mixed = [Recorded(other + prompt, 12) for prompt in prompts(3)] + [Recorded(prompt, 12) for prompt in prompts(6)]
    batch, read = ModelBatch(model), 0
    forward = batch._forward

    def counting(ids: torch.Tensor, *rest: Any) -> torch.Tensor:
        nonlocal read
        read += ids.numel() if ids.shape[1] > 1 else 0
        return forward(ids, *rest)

    monkeypatch.setattr(batch, "_forward", counting)
    batch.waiting.append(alike[0].generation)
    for record in alike[1:] + mixed:
        batch.step()
        batch.waiting.append(record.generation)
    run(batch)
    assert read < sum(len(record.generation.prompt) for record in alike + mixed) - 11 * len(start)
    for record in alike + mixed:
        single = alone(model, record.generation.prompt, 12)
        assert record.tokens == single.tokens
        assert record.log_probs == pytest.approx(single.log_probs, abs=1e-4)


def test_more_answers_than_rows_all_come_to_an_end(model: Any) -> None:
    records = [Recorded([9, 10], 3 + index % 5) for index in range(150)]
    batch = ModelBatch(model)
    batch.waiting.extend(record.generation for record in records)
    run(batch)
    assert [len(record.tokens) for record in records] == [3 + index % 5 for index in range(150)]


def test_answers_wait_for_memory(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    per_token = 2 * 4 * 2 * 48  # keys and values, fp32, two layers, 48 wide
    monkeypatch.setattr(engine, "CACHE_BYTES", per_token * 100)
    records = [Recorded([9] * 10, 20) for _ in range(8)] + [Recorded([9] * 150, 20)]
    batch, most = ModelBatch(model), 0
    batch.waiting.extend(record.generation for record in records)
    while batch.busy:
        batch.step()
        most = max(most, len(batch.rows))
    assert most == 3  # of 30 tokens each; the last one is too long for the memory and goes alone
    assert [len(record.tokens) for record in records] == [20] * 9


def test_a_cancelled_answer_gets_nothing_more(model: Any) -> None:
    batch, stopped, other = ModelBatch(model), Recorded([9], 50), Recorded([10], 20)
    batch.waiting.extend([stopped.generation, other.generation])
    batch.step()
    got = len(stopped.tokens)
    stopped.generation.finished = True
    run(batch)
    assert len(stopped.tokens) == got
    assert len(other.tokens) == 20


def test_models_are_dropped_least_recently_used_first(model: Any) -> None:
    size = sum(parameter.numel() * 4 for parameter in model.parameters())
    loaded: list[str] = []
    models = Engine(lambda name: loaded.append(name) or model, most_bytes=2 * size)  # type: ignore[func-returns-value]
    for name in ("a", "b", "a", "c", "a", "b"):
        record = Recorded([9], 2)
        models.submit(name, [record.generation])
        while models.busy:
            models.step()
        assert len(record.tokens) == 2
    assert loaded == ["a", "b", "c", "b"]


def test_sampling_follows_the_distribution() -> None:
    scores = torch.log(torch.tensor([[0.5, 0.3, 0.15, 0.05]]))

    def frequencies(**sampling: float) -> list[float]:
        row = Sampling(rng=random.Random(0), **sampling)
        counts = Counter(choose(scores, [row])[0] for _ in range(4000))
        return [counts[token] / 4000 for token in range(4)]

    assert frequencies() == pytest.approx([0.5, 0.3, 0.15, 0.05], abs=0.03)
    assert frequencies(top_p=0.79) == pytest.approx([0.625, 0.375, 0, 0], abs=0.03)
    assert frequencies(top_p=0.81) == pytest.approx([0.526, 0.316, 0.158, 0], abs=0.03)
    squares = [p**2 for p in (0.5, 0.3, 0.15, 0.05)]
    assert frequencies(temperature=0.5) == pytest.approx([p / sum(squares) for p in squares], abs=0.03)
    for certain in ({"temperature": 0.0}, {"temperature": 1e-9}, {"top_p": 0.0}, {"top_p": 0.1}):
        assert frequencies(**certain) == [1.0, 0, 0, 0]


def test_log_probabilities_are_those_of_the_distribution() -> None:
    scores = torch.log(torch.tensor([0.5, 0.3, 0.15, 0.05])) + 7
    value, top = log_probabilities(scores, 2, 2)
    assert value == pytest.approx(math.log(0.15))
    assert top == [(0, pytest.approx(math.log(0.5))), (1, pytest.approx(math.log(0.3)))]
