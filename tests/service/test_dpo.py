"""Method dpo: which files it takes, that the loss is TRL's over the right tokens, and whole jobs through the SDK."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import openai
import pytest
import torch
from datasets import Dataset
from live_service import LiveService, examples, live_service, pairs
from training_runs import Messages, figures, run, spec_for
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import DPOConfig, DPOTrainer

from helpers.local_service.optimizer import MuonAdamW
from helpers.local_service.train import TrainingRun
from helpers.local_service.training_data import EpochOrder, load_pairs
from helpers.local_service.training_spec import TrainingSpec

USER, GOOD = {"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}
BAD = {**GOOD, "content": "B"}
PAIR = {"input": {"messages": [USER]}, "preferred_output": [GOOD], "non_preferred_output": [BAD]}


@pytest.fixture
def spec(tmp_path: Path, tiny_bases: Path) -> TrainingSpec:
    return spec_for(tmp_path, tiny_bases, "dpo")


def test_only_the_answers_are_learned_from(spec: TrainingSpec, tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(spec.tokenizer_folder)
    earlier = {**PAIR, "input": {"messages": [USER, {"role": "assistant", "content": "yes"}, USER]}}
    (tmp_path / "earlier.jsonl").write_text(json.dumps(earlier) + "\n")
    data = load_pairs(tmp_path / "earlier.jsonl", tokenizer, 256)
    (pair,) = data.examples
    assert tokenizer.decode(pair["prompt_ids"]).rstrip().endswith("<|assistant|>")
    assert "yes" in tokenizer.decode(pair["prompt_ids"])
    assert [tokenizer.decode(pair[f"{kind}_ids"]).strip() for kind in ("chosen", "rejected")] == [
        "A<|end|>",
        "B<|end|>",
    ]
    assert data.tokens == 2 * len(pair["prompt_ids"]) + len(pair["chosen_ids"]) + len(pair["rejected_ids"])
    short = load_pairs(tmp_path / "earlier.jsonl", tokenizer, len(pair["prompt_ids"]) + 1)
    assert (short.cut, short.empty, [len(short.examples[0][f"{k}_ids"]) for k in ("chosen", "rejected")]) == (
        1,
        0,
        [1, 1],
    )
    assert load_pairs(tmp_path / "earlier.jsonl", tokenizer, 3).empty == 1


def test_the_loss_is_that_of_trls_own_trainer(spec: TrainingSpec, tmp_path: Path) -> None:
    """Same file, same order, same settings: TRL as it comes, with its chat template code and a reference model."""
    ours = run(replace(spec, n_epochs=1))
    tokenizer = AutoTokenizer.from_pretrained(spec.tokenizer_folder)
    data = load_pairs(Path(spec.training_file), tokenizer, 256)
    rows = [json.loads(line) for line in Path(spec.training_file).read_text().splitlines()]
    ordered = [rows[index] for index in EpochOrder(data.lengths, 4, seed=3)]
    names = {"chosen": "preferred_output", "rejected": "non_preferred_output"}
    dataset = Dataset.from_list(
        [{"prompt": row["input"]["messages"], **{ours: row[key] for ours, key in names.items()}} for row in ordered]
    )
    arguments = DPOConfig(
        output_dir=str(tmp_path / "trl"), num_train_epochs=1, per_device_train_batch_size=4, learning_rate=1e-3,
        warmup_steps=1, seed=3, use_cpu=True, bf16=False, report_to=[], beta=0.1,
        gradient_checkpointing=False, save_strategy="no", logging_steps=1, disable_tqdm=True,
        train_sampling_strategy="sequential", max_length=256,
    )  # fmt: skip
    model = AutoModelForCausalLM.from_pretrained(spec.base_folder, dtype=torch.float32)
    theirs = DPOTrainer(
        model=model, args=arguments, train_dataset=dataset, processing_class=tokenizer,
        optimizers=(MuonAdamW(model, 1e-3, bf16=False), None),
    )  # fmt: skip
    theirs.train()
    history = [entry for entry in theirs.state.log_history if "loss" in entry]
    assert [entry["loss"] for entry in history] == pytest.approx(figures(ours), abs=1e-3)
    assert [entry["rewards/margins"] for entry in history] == pytest.approx(
        figures(ours, "train_reward_margin"), abs=5e-3
    )
    assert figures(ours)[0] == pytest.approx(0.6931, abs=1e-4)  # ln 2: nothing is preferred yet


@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_preferred_answers_become_likelier(spec: TrainingSpec, method: str) -> None:
    messages = run(replace(spec, method=method, learning_rate=5e-3, n_epochs=4))
    assert figures(messages, "full_valid_loss")[-1] < 0.5
    assert figures(messages, "full_valid_reward_accuracy")[-1] == 1.0
    margins = figures(messages, "full_valid_reward_margin")
    assert margins[-1] > margins[0] > 0


def test_a_larger_beta_holds_the_model_closer_to_the_reference(spec: TrainingSpec) -> None:
    """The reward is beta times the change in log-probability, so the change is the margin divided by beta."""
    loose, tight = (
        figures(run(replace(spec, beta=beta, learning_rate=5e-3, n_epochs=6)), "full_valid_reward_margin")[-1] / beta
        for beta in (0.1, 2.0)
    )
    assert tight < loose


def test_a_pause_between_epochs_changes_nothing(spec: TrainingSpec) -> None:
    """The reference is the model that the job began with, also after a resumption."""
    straight = run(spec)
    weights = (Path(spec.models_folder) / "step-8" / "model.safetensors").read_bytes()
    resumed: Messages = []
    TrainingRun(replace(spec, resume_from=f"{spec.state_folder}/checkpoint-4"), resumed.append).run()
    assert figures(resumed) == figures(straight)[4:]
    assert figures(resumed, "full_valid_reward_margin") == figures(straight, "full_valid_reward_margin")[1:]
    assert (Path(spec.models_folder) / "step-8" / "model.safetensors").read_bytes() == weights


@pytest.fixture(scope="module")
def job(service: LiveService) -> Any:
    """A finished dpo job on the tiny base: 20 pairs, 3 epochs of 4 steps."""
    validation = service.upload(pairs(6, seed=1), "validation.jsonl")
    hyperparameters: Any = {"n_epochs": 3, "batch_size": 5, "learning_rate_multiplier": 20, "beta": "auto"}
    method: Any = {"type": "dpo", "dpo": {"hyperparameters": hyperparameters}}
    return service.train(pairs(20), "tiny", validation_file=validation, seed=5, method=method)


def test_a_dpo_job_trains_and_reports_its_method(service: LiveService, job: Any) -> None:
    assert job.status == "succeeded", job.error
    numbers = {"n_epochs": 3, "batch_size": 5, "learning_rate_multiplier": 20.0}
    assert job.hyperparameters.to_dict() == numbers
    assert job.method.type == "dpo" and job.method.dpo.hyperparameters.to_dict() == {**numbers, "beta": 0.1}
    metrics = [event for event in service.events(job.id) if event.type == "metrics"]
    assert [event.data["step"] for event in metrics] == list(range(1, 13))
    assert metrics[0].data["train_loss"] == pytest.approx(0.6931, abs=0.02)
    last = metrics[-1].data
    assert last["train_loss"] < 0.6 and last["full_valid_loss"] < 0.6
    assert last["full_valid_reward_accuracy"] == 1.0 and last["train_reward_margin"] > 0
    assert metrics[-1].message.startswith(f"Step 12/12: training loss={last['train_loss']:.2f}, validation loss=")
    checkpoints = service.client.fine_tuning.jobs.checkpoints.list(job.id).data
    assert [checkpoint.step_number for checkpoint in checkpoints] == [12, 8, 4]
    assert set(checkpoints[0].metrics.to_dict()) == {
        "step", "train_loss", "train_mean_token_accuracy", "valid_loss", "valid_mean_token_accuracy",
        "full_valid_loss", "full_valid_mean_token_accuracy",
    }  # fmt: skip
    answer = service.client.chat.completions.create(
        model=job.fine_tuned_model, messages=[{"role": "user", "content": "Hello"}], max_tokens=3
    )
    assert answer.model == job.fine_tuned_model


def test_a_tuned_model_can_be_trained_on_preferences(service: LiveService) -> None:
    """Also an adapter, which goes on as one adapter."""
    quick = {"n_epochs": 2, "batch_size": 5}
    for base, files in (
        ("tiny", "model.safetensors"),
        ("tiny-lora", "adapter_model.safetensors"),
    ):
        first = service.train(examples(10), base, hyperparameters=quick)
        method: Any = {"type": "dpo", "dpo": {"hyperparameters": quick}}
        second = service.train(pairs(10), first.fine_tuned_model, method=method, suffix="preferred")
        assert second.status == "succeeded", second.error
        assert second.fine_tuned_model.startswith(f"ft:{base}:local:preferred:")
        folder = service.home / "models" / second.id / "step-4"
        assert (folder / files).is_file() and not [path for path in folder.iterdir() if path.is_dir()]
        losses = [event.data["train_loss"] for event in service.events(second.id) if event.type == "metrics"]
        assert losses[0] == pytest.approx(0.6931, abs=0.02)


def test_a_job_killed_while_it_trains_ends_as_if_nothing_had_happened(
    service: LiveService, tmp_path: Path, tiny_bases: Path
) -> None:
    method: Any = {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 4, "batch_size": 1}}}

    def create(service: LiveService) -> Any:
        files = {"training_file": service.upload(pairs(10)), "validation_file": service.upload(pairs(3, seed=1))}
        return service.client.fine_tuning.jobs.create(model="tiny", seed=7, method=method, **files)

    def outcome(service: LiveService, job: Any) -> tuple[bytes, list[Any]]:
        weights = service.home / "models" / job.id / "step-40" / "model.safetensors"
        return weights.read_bytes(), [event.data for event in service.events(job.id) if event.type == "metrics"]

    undisturbed = service.wait(create(service).id)
    with live_service(tmp_path / "home", tiny_bases, FINETUNE_STANDBY_SECONDS="0") as killed:
        job = create(killed)
        killed.wait_for_step(job.id, 13)  # after the first checkpoint
        killed.kill()
        killed.start()
        job = killed.wait(job.id)
        assert job.status == "succeeded", job.error
        assert outcome(killed, job) == outcome(service, undisturbed)
        assert any("training goes on from step" in event.message for event in killed.events(job.id))


def faulty(**changes: Any) -> dict[str, Any]:
    return {**PAIR, **changes}


FAULTS = [
    (USER, "Example 12 is missing key 'input'"),
    (examples(1)[0], "Example 12 is missing key 'input'. It looks like a supervised example"),
    ({"prompt": "Q", "chosen": "A", "rejected": "B"}, "prompt, chosen and rejected are other tools' names"),
    ({"input": {"messages": [USER]}, "preferred_output": [GOOD]}, "is missing key 'non_preferred_output'"),
    (faulty(score=1), 'contains an extra "score"'),
    (faulty(input=[USER]), "input has no messages"),
    (faulty(input={"messages": []}), "input has no messages"),
    (faulty(input={"messages": [USER], "model": "m"}), 'input contains an extra "model"'),
    (faulty(input={"messages": [USER], "tools": [{}]}), 'input contains "tools"'),
    (faulty(input={"messages": [{"content": "Q"}]}), "input message 1 Discriminator 'role' is missing in value"),
    (faulty(input={"messages": [USER, GOOD]}), "the input ends with an assistant message"),
    (faulty(preferred_output=GOOD), "preferred_output must be a list with one message"),
    (faulty(non_preferred_output=[BAD, BAD]), "non_preferred_output must be a list with one message"),
    (faulty(preferred_output=[USER]), "preferred_output: the message must be from the assistant"),
    (faulty(non_preferred_output=[{**BAD, "content": " "}]), "non_preferred_output message 1 has empty content"),
    (faulty(preferred_output=[{**GOOD, "content": "a <|end|>"}]), "contains an invalid token: <|end|>"),
    (faulty(non_preferred_output=[GOOD]), "both outputs are the same"),
]


@pytest.mark.parametrize(("line", "words"), FAULTS)
def test_a_faulty_pair_fails_the_job_by_name(service: LiveService, line: dict[str, Any], words: str) -> None:
    job = service.train([*pairs(11), line], "tiny", method={"type": "dpo"})
    assert (job.status, job.error.code, job.error.param) == ("failed", "invalid_file_format", "training_file")
    assert job.error.message.startswith("The job failed due to a file format error in the training file. Invalid file")
    assert words in job.error.message


def test_too_few_pairs_and_pairs_for_another_method_are_refused(service: LiveService) -> None:
    few = service.train(pairs(9), "tiny", method={"type": "dpo"})
    assert few.error.code == "invalid_n_examples"
    other = service.train(pairs(10), "tiny")
    assert 'Example 1 is missing key "messages". It looks like a preference pair' in other.error.message


@pytest.mark.parametrize(
    ("beta", "code"),
    [
        (0, "decimal_below_min_value"),
        (2.1, "decimal_above_max_value"),
        ("high", "invalid_type"),
        (True, "invalid_type"),
    ],
)
def test_beta_is_above_0_and_at_most_2(service: LiveService, beta: Any, code: str) -> None:
    file = service.upload(pairs(10))
    with pytest.raises(openai.BadRequestError) as error:
        method: Any = {"type": "dpo", "dpo": {"hyperparameters": {"beta": beta}}}
        service.client.fine_tuning.jobs.create(model="tiny", training_file=file, method=method)
    assert (error.value.param, error.value.code) == ("method.dpo.hyperparameters.beta", code)
