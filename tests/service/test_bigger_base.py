"""A bigger base from a folder of its own: no setting says how to train it, and all goes as with the small ones."""

from __future__ import annotations

import json
from pathlib import Path

from live_service import examples, live_service
from tiny_base import build_base

from helpers.local_service.bases import FULL_TRAINING_LIMIT, find_bases


def test_a_base_over_the_limit_gets_an_adapter_by_the_same_api(tmp_path: Path) -> None:
    """Random weights; a few steps, to see that they are taken, kept and answered with."""
    folder = build_base(tmp_path / "bases" / "bigger", layers=8, hidden=512, heads=8)
    base = find_bases([folder])["bigger"]
    assert base.parameters > FULL_TRAINING_LIMIT and base.method == "lora"
    with live_service(tmp_path / "home", folder) as service:
        job = service.train(
            examples(10), "bigger", hyperparameters={"n_epochs": 2, "batch_size": 5, "learning_rate_multiplier": 10}
        )
        assert job.status == "succeeded", job.error
        adapter = service.home / "models" / job.id / "step-4"
        config = json.loads((adapter / "adapter_config.json").read_text())
        assert (config["r"], Path(config["base_model_name_or_path"]).name) == (16, "bigger")
        losses = [event.data["train_loss"] for event in service.events(job.id) if event.type == "metrics"]
        assert len(losses) == 4 and losses[-1] < losses[0]
        question = [{"role": "user", "content": "number 3"}]
        for model in ("bigger", job.fine_tuned_model):
            reply = service.client.chat.completions.create(model=model, messages=question, max_tokens=3)
            assert reply.model == model and reply.usage.completion_tokens <= 3
