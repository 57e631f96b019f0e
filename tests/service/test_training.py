"""Training, in this process: what the loss is, which examples it sees when, and that settings do what they say."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from training_runs import Messages, figures, run, spec_for
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from trl import SFTConfig, SFTTrainer

from helpers.local_service import attention, train
from helpers.local_service.optimizer import FIVE, THREE, Muon, MuonAdamW
from helpers.local_service.train import TrainingRun
from helpers.local_service.training_data import EpochOrder, collate, load_examples
from helpers.local_service.training_spec import TrainingSpec


@pytest.fixture
def spec(tmp_path: Path, tiny_bases: Path) -> TrainingSpec:
    return spec_for(tmp_path, tiny_bases)


def test_an_epoch_sees_every_example_once_in_batches_of_like_length() -> None:
    lengths = [length for length in range(10, 110) for _ in range(2)]
    order = EpochOrder(lengths, 8, seed=1)
    first = list(order)
    assert sorted(first) == list(range(200))
    assert list(EpochOrder(lengths, 8, seed=1)) == first
    assert list(EpochOrder(lengths, 8, seed=2)) != first
    order.set_epoch(1)
    assert list(order) != first and sorted(order) == list(range(200))
    spread = [
        max(lengths[i] for i in first[at : at + 8]) - min(lengths[i] for i in first[at : at + 8])
        for at in range(0, 200, 8)
    ]
    assert sum(spread) / len(spread) < 25  # 8 at random would spread over 79
    assert list(EpochOrder([5] * 3, 8, seed=1)) != [] and len(EpochOrder([5] * 3, 8, seed=1)) == 3


def test_a_batch_is_padded_on_the_right() -> None:
    batch = collate(
        [{"input_ids": [5, 6], "labels": [-100, 6]}, {"input_ids": [7, 8, 9], "labels": [7, 8, 9]}], padding=2
    )
    assert batch["input_ids"].tolist() == [[5, 6, 2], [7, 8, 9]]
    assert batch["labels"].tolist() == [[-100, 6, -100], [7, 8, 9]]


def test_the_loss_is_that_of_trls_own_trainer(spec: TrainingSpec, tmp_path: Path) -> None:
    """Same file, same order, same settings: TRL as it comes, with its collator and chat template code."""
    ours = run(replace(spec, n_epochs=1))
    tokenizer = AutoTokenizer.from_pretrained(spec.tokenizer_folder)
    encoded = load_examples(Path(spec.training_file), tokenizer, 256).examples
    order = list(EpochOrder([len(e["input_ids"]) for e in encoded], 4, seed=3))
    rows = [json.loads(line) for line in Path(spec.training_file).read_text().splitlines()]
    arguments = SFTConfig(
        output_dir=str(tmp_path / "trl"), num_train_epochs=1, per_device_train_batch_size=4, learning_rate=1e-3,
        warmup_steps=1, seed=3, use_cpu=True, bf16=False, report_to=[],
        gradient_checkpointing=False, save_strategy="no", logging_steps=1, disable_tqdm=True, assistant_only_loss=True,
        train_sampling_strategy="sequential", max_length=256,
    )  # fmt: skip
    model = AutoModelForCausalLM.from_pretrained(spec.base_folder, dtype=torch.float32)
    dataset = Dataset.from_list([rows[index] for index in order])
    theirs = SFTTrainer(
        model=model, args=arguments, train_dataset=dataset, processing_class=tokenizer,
        optimizers=(MuonAdamW(model, 1e-3, bf16=False), None),
    )  # fmt: skip
    theirs.train()
    history = [entry for entry in theirs.state.log_history if "loss" in entry]
    assert [entry["loss"] for entry in history] == pytest.approx(figures(ours), abs=2e-4)
    assert [entry["mean_token_accuracy"] for entry in history] == pytest.approx(
        figures(ours, "train_mean_token_accuracy"), abs=1e-5
    )


def test_a_batch_too_large_for_memory_is_worked_off_in_parts(
    spec: TrainingSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(spec)
    monkeypatch.setattr(train, "MICRO_BATCH_TOKENS", 80)
    parts = run(spec)
    assert figures(parts) == pytest.approx(figures(whole), abs=1e-3)
    assert figures(parts, "valid_loss") == pytest.approx(figures(whole, "valid_loss"), abs=1e-3)


def test_steps_tokens_and_checkpoints_follow_from_the_settings(spec: TrainingSpec) -> None:
    messages = run(spec)
    tokenizer = AutoTokenizer.from_pretrained(spec.tokenizer_folder)
    tokens = load_examples(Path(spec.training_file), tokenizer, 256).tokens
    assert messages[0] == {"type": "plan", "total_steps": 8, "trained_tokens": 2 * tokens}
    kinds = [message["type"] for message in messages[1:]]
    assert kinds == [*["step"] * 4, "checkpoint", *["step"] * 4, "checkpoint", "done"]
    assert len(figures(run(replace(spec, batch_size=1, n_epochs=1)))) == 13
    assert len(figures(run(replace(spec, batch_size=64, n_epochs=3)))) == 3


def test_the_learning_rate_and_the_seed_matter(spec: TrainingSpec) -> None:
    plain = figures(run(spec))
    assert figures(run(spec)) == plain
    fast = figures(run(replace(spec, learning_rate=5e-3)))
    assert fast[0] == plain[0] and fast[-1] < plain[-1] - 0.2
    assert figures(run(replace(spec, seed=4))) != plain


def test_full_validation_is_the_mean_over_all_tokens(spec: TrainingSpec) -> None:
    messages = run(spec)
    model = AutoModelForCausalLM.from_pretrained(Path(spec.models_folder) / "step-8", dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(Path(spec.models_folder) / "step-8")
    total, count = 0.0, 0
    for example in load_examples(Path(spec.validation_file or ""), tokenizer, 256).examples:
        ids, labels = torch.tensor([example["input_ids"]]), torch.tensor(example["labels"])[1:]
        with torch.no_grad():
            logits = model(ids).logits[0, :-1]
        total += torch.nn.functional.cross_entropy(logits, labels, ignore_index=-100, reduction="sum").item()
        count += int((labels != -100).sum())
    last = [message for message in messages if message["type"] == "step"][-1]["metrics"]
    assert last["full_valid_loss"] == pytest.approx(total / count, abs=5e-3)  # the exported weights are bf16


@pytest.mark.parametrize("method", ["full", "lora"])
def test_bf16_learns_as_fp32_does(spec: TrainingSpec, method: str) -> None:
    exact = figures(run(replace(spec, method=method)))
    rounded = figures(run(replace(spec, method=method, bf16=True)))
    assert rounded == pytest.approx(exact, abs=0.05)
    assert rounded[-1] < rounded[0]


def test_both_kinds_of_attention_give_the_same_result(spec: TrainingSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    by_torch = []

    def noted(*given: Any, **named: Any) -> Any:
        by_torch.append(given)
        return sdpa_attention_forward(*given, **named)

    monkeypatch.setattr(attention, "sdpa_attention_forward", noted)
    short = figures(run(replace(spec, bf16=True)))
    assert not by_torch
    monkeypatch.setattr(attention, "LONGEST_PLAIN", 0)
    assert figures(run(replace(spec, bf16=True))) == pytest.approx(short, abs=0.05)
    assert by_torch


@pytest.mark.parametrize("heads_for_keys", [4, 2])
def test_plain_attention_is_torchs(heads_for_keys: int, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    query = torch.randn(2, 4, 33, 16).bfloat16()
    key, value = (torch.randn(2, heads_for_keys, 33, 16).bfloat16() for _ in range(2))
    module = torch.nn.Module()
    module.num_key_value_groups, module.is_causal = 4 // heads_for_keys, True
    plain, _ = attention.attention_by_length(module, query, key, value, None, scaling=0.25, dropout=0.0)
    monkeypatch.setattr(attention, "LONGEST_PLAIN", 0)
    torchs, _ = attention.attention_by_length(module, query, key, value, None, scaling=0.25, dropout=0.0)
    assert plain.shape == torchs.shape
    torch.testing.assert_close(plain, torchs, atol=0.03, rtol=0.03)


def test_examples_are_cut_at_the_end_and_counted(spec: TrainingSpec) -> None:
    messages = run(replace(spec, context=20, n_epochs=1))
    warnings = [message["message"] for message in messages if message["type"] == "warning"]
    assert [warning.split(" are ")[0] for warning in warnings] == [
        "13 of 13 training examples",
        "5 of 5 validation examples",
    ]
    tokenizer = AutoTokenizer.from_pretrained(spec.tokenizer_folder)
    cut = load_examples(Path(spec.training_file), tokenizer, 20)
    whole = load_examples(Path(spec.training_file), tokenizer, 256)
    assert [e["input_ids"] for e in cut.examples] == [e["input_ids"][:20] for e in whole.examples]


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (OSError(28, "No space left on device"), "disk_full", "no disk space"),
        (RuntimeError("[enforce fail at inline_container.cc] file write failed"), "disk_full", "no disk space"),
        (RuntimeError("[enforce fail] not enough memory: you tried to allocate memory"), "out_of_memory", "batch_size"),
        (MemoryError(), "out_of_memory", "batch_size"),
        (train.Diverged("the training loss was nan at step 3"), "training_diverged", "learning_rate_multiplier"),
        (KeyError("x"), "server_error", "internal error (KeyError"),
    ],
)
def test_a_failure_is_put_into_words(error: Exception, code: str, words: str) -> None:
    message = train.failure(error)
    assert (message["type"], message["code"]) == ("failed", code)
    assert words in message["message"]


def test_a_pause_between_epochs_changes_nothing(spec: TrainingSpec) -> None:
    """The state saved after an epoch is all it takes: weights, optimizer, schedule, order."""
    straight = run(spec)
    weights: Callable[[], bytes] = lambda: (Path(spec.models_folder) / "step-8" / "model.safetensors").read_bytes()  # noqa: E731
    expected = weights()
    resumed: Messages = []
    TrainingRun(replace(spec, resume_from=f"{spec.state_folder}/checkpoint-4"), resumed.append).run()
    assert figures(resumed) == figures(straight)[4:]
    assert weights() == expected


def test_muon_in_batches_takes_the_steps_of_torchs_own() -> None:
    torch.manual_seed(0)
    shapes = [(8, 8), (24, 8), (8, 8), (8, 24), (24, 8)]
    ours = [torch.nn.Parameter(torch.randn(shape)) for shape in shapes]
    theirs = [torch.nn.Parameter(p.detach().clone()) for p in ours]
    mine = Muon(ours, lr=0.02, weight_decay=0.1, bf16=True, polynomials=FIVE)
    reference = torch.optim.Muon(theirs, lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    for _ in range(5):
        for p, q in zip(ours, theirs, strict=True):
            p.grad = torch.randn(p.shape)
            q.grad = p.grad.clone()
        mine.step()
        reference.step()
    for p, q in zip(ours, theirs, strict=True):
        torch.testing.assert_close(p, q, atol=2e-3, rtol=2e-2)  # bf16 inside both


@pytest.mark.parametrize(("bf16", "least", "most"), [(False, 0, 1e-5), (True, 1e-3, 1.0)])
def test_muon_computes_in_bf16_only_where_asked(bf16: bool, least: float, most: float) -> None:
    torch.manual_seed(0)
    weights = torch.nn.Parameter(torch.zeros(8, 24))
    weights.grad = torch.randn(8, 24)
    Muon([weights], lr=1.0, bf16=bf16).step()
    exact = weights.grad.double() / (weights.grad.double().norm() * 1.01)
    for a, b, c in THREE:
        square = exact @ exact.mT
        exact = a * exact + (b * square + c * square @ square) @ exact
    error = (weights.detach().double() / (-0.2 * 24**0.5) - exact).abs().max()
    assert least < error < most
