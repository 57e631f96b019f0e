"""A base with random weights: listed and trained by a running service, of the same shape, and knowing nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from live_service import LiveService, examples, live_service
from safetensors import safe_open

from helpers.connection import Service
from helpers.errors import Explained
from helpers.random_base import random_base


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, tiny_bases: Path) -> Iterator[LiveService]:
    """A service of its own: other tests count the bases of theirs."""
    with live_service(tmp_path_factory.mktemp("random_base"), tiny_bases) as running:
        yield running


@pytest.fixture
def local(service: LiveService, monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setenv("FINETUNE_HOME", str(service.home))
    monkeypatch.setenv("FINETUNE_BASES", service.env["FINETUNE_BASES"])
    return Service("local", service.client, "tiny", is_local=True)


def shapes(folder: Path) -> dict[str, list[int]]:
    with safe_open(folder / "model.safetensors", framework="numpy") as file:
        return {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118


def test_a_running_service_lists_it_answers_for_it_and_trains_it(service: LiveService, local: Service) -> None:
    untrained = random_base(local)
    assert untrained.base_model in {model.id for model in service.client.models.list()}
    question = [{"role": "user", "content": "number 3"}]
    reply = service.client.chat.completions.create(model=untrained.base_model, messages=question, max_tokens=4)
    assert reply.model == untrained.base_model
    job = service.train(examples(10), untrained.base_model, hyperparameters={"n_epochs": 1})
    assert job.status == "succeeded" and job.fine_tuned_model.startswith(f"ft:{untrained.base_model}:")


def test_it_is_made_once_and_differs_by_seed(service: LiveService, local: Service) -> None:
    first, again, other = random_base(local), random_base(local), random_base(local, seed=2)
    assert first.base_model == again.base_model != other.base_model
    made = Path(service.home, "bases")
    assert shapes(made / first.base_model) == shapes(Path(service.env["FINETUNE_BASES"], "tiny"))
    weights = [(made / name / "model.safetensors").read_bytes() for name in (first.base_model, other.base_model)]
    assert weights[0] != weights[1]
    assert not list(Path(service.home).glob("*.part"))


def test_a_hosted_base_cannot_be_copied(local: Service) -> None:
    with pytest.raises(Explained, match="Use the local service"):
        random_base(Service("openai", local.client, "gpt-4o-2024-08-06", is_local=False))
