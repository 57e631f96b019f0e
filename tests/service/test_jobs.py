"""Fine-tuning jobs through the SDK, from creation to the tuned model."""

import csv
import io
import json
import time
from typing import Any

import openai
import pytest
from live_service import LiveService, examples, said

QUICK = {"n_epochs": 2, "batch_size": 5}


@pytest.fixture(scope="module")
def job(service: LiveService) -> Any:
    """A finished job with a validation file: 20 examples, 4 epochs of 4 steps."""
    training = service.upload(examples(20))
    validation = service.upload(examples(6, seed=1), "validation.jsonl")
    created = service.client.fine_tuning.jobs.create(
        model="tiny",
        training_file=training,
        validation_file=validation,
        suffix="my test",
        seed=11,
        metadata={"lesson": "3"},
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 4, "batch_size": 5}}},
    )
    assert created.status == "validating_files"
    return service.wait(created.id)


def test_a_job_reports_what_it_was_asked_and_what_it_made(client: openai.OpenAI, job: Any) -> None:
    assert job.status == "succeeded", job.error
    assert job.id.startswith("ftjob-") and job.object == "fine_tuning.job"
    assert job.error is None and job.estimated_finish is None
    numbers = {"n_epochs": 4, "batch_size": 5, "learning_rate_multiplier": 1.0}
    assert job.hyperparameters.to_dict() == numbers
    assert job.method.type == "supervised" and job.method.supervised.hyperparameters.to_dict() == numbers
    assert (job.model, job.seed, job.metadata) == ("tiny", 11, {"lesson": "3"})
    assert job.fine_tuned_model.startswith("ft:tiny:local:my-test:")
    assert len(job.fine_tuned_model.split(":")[-1]) == 8
    assert job.trained_tokens > 20 * 4 * 10 and job.trained_tokens % 4 == 0
    assert job.finished_at >= job.created_at
    assert client.fine_tuning.jobs.retrieve(job.id) == job


def test_events_tell_the_whole_story_in_order(service: LiveService, job: Any) -> None:
    events = service.events(job.id)
    messages = [event.message for event in events]
    assert messages[:4] == [
        f"Created fine-tuning job: {job.id}",
        f"Validating training file: {job.training_file} and validation file: {job.validation_file}",
        "Files validated, moving job to queued state",
        "Fine-tuning job started",
    ]
    assert messages[-2:] == [
        f"New fine-tuned model created: {job.fine_tuned_model}",
        "The job has successfully completed",
    ]
    metrics = [event for event in events if event.type == "metrics"]
    assert [event.data["step"] for event in metrics] == list(range(1, 17))
    assert all(event.data["total_steps"] == 16 and event.level == "info" for event in metrics)
    for event in metrics:
        assert {
            "train_loss",
            "train_mean_token_accuracy",
            "valid_loss",
            "valid_mean_token_accuracy",
        } <= event.data.keys()
        assert ("full_valid_loss" in event.data) == (event.data["step"] % 4 == 0)
    last = metrics[-1].data
    assert metrics[-1].message == (
        f"Step 16/16: training loss={last['train_loss']:.2f}, validation loss={last['valid_loss']:.2f}, "
        f"full validation loss={last['full_valid_loss']:.2f}"
    )
    assert last["full_valid_loss"] < metrics[3].data["full_valid_loss"]
    assert len({event.id for event in events}) == len(events)
    assert [event.created_at for event in events] == sorted(event.created_at for event in events)


def test_events_come_in_pages_newest_first(client: openai.OpenAI, job: Any) -> None:
    everything = [event.id for event in client.fine_tuning.jobs.list_events(job.id, limit=100)]
    first = client.fine_tuning.jobs.list_events(job.id, limit=3)
    assert ([event.id for event in first.data], first.has_more) == (everything[:3], True)
    rest = client.fine_tuning.jobs.list_events(job.id, limit=100, after=everything[2])
    assert ([event.id for event in rest.data], rest.has_more) == (everything[3:], False)
    assert [event.id for event in client.fine_tuning.jobs.list_events(job.id, limit=4)] == everything
    with pytest.raises(openai.BadRequestError):
        client.fine_tuning.jobs.list_events(job.id, after="ftevent-none")


def test_the_last_three_epochs_are_kept_as_models(client: openai.OpenAI, job: Any) -> None:
    checkpoints = client.fine_tuning.jobs.checkpoints.list(job.id).data
    assert [checkpoint.step_number for checkpoint in checkpoints] == [16, 12, 8]
    names = [checkpoint.fine_tuned_model_checkpoint for checkpoint in checkpoints]
    assert names == [
        job.fine_tuned_model,
        f"{job.fine_tuned_model}:ckpt-step-12",
        f"{job.fine_tuned_model}:ckpt-step-8",
    ]
    for checkpoint in checkpoints:
        assert checkpoint.id.startswith("ftckpt_") and checkpoint.fine_tuning_job_id == job.id
        assert checkpoint.metrics.step == checkpoint.step_number
        assert checkpoint.metrics.full_valid_loss is not None
        answer = client.chat.completions.create(
            model=checkpoint.fine_tuned_model_checkpoint, messages=[{"role": "user", "content": "Hello"}], max_tokens=3
        )
        assert answer.model == checkpoint.fine_tuned_model_checkpoint
    page = client.fine_tuning.jobs.checkpoints.list(job.id, limit=1)
    assert page.has_more and [c.step_number for c in page] == [16, 12, 8]


def test_the_result_file_has_openais_columns_and_the_events_numbers(
    service: LiveService, client: openai.OpenAI, job: Any
) -> None:
    (result,) = job.result_files
    about = client.files.retrieve(result)
    content = client.files.content(result).read()
    assert (about.purpose, about.bytes) == ("fine-tune-results", len(content))
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert list(rows[0]) == ["step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy"]
    metrics = [event.data for event in service.events(job.id) if event.type == "metrics"]
    assert [float(row["train_loss"]) for row in rows] == [data["train_loss"] for data in metrics]
    assert [float(row["train_accuracy"]) for row in rows] == [data["train_mean_token_accuracy"] for data in metrics]


def test_the_same_seed_gives_the_same_weights(service: LiveService, job: Any) -> None:
    def weights(job: Any) -> bytes:
        return (service.home / "models" / job.id / "step-16" / "model.safetensors").read_bytes()

    again = service.client.fine_tuning.jobs.create(
        model="tiny", training_file=job.training_file, seed=11, hyperparameters={"n_epochs": 4, "batch_size": 5}
    )
    other = service.client.fine_tuning.jobs.create(
        model="tiny", training_file=job.training_file, seed=12, hyperparameters={"n_epochs": 4, "batch_size": 5}
    )
    assert weights(service.wait(again.id)) == weights(job)
    assert weights(service.wait(other.id)) != weights(job)
    assert [event.data.get("valid_loss") for event in service.events(again.id) if event.type == "metrics"] == [
        None
    ] * 16


def test_jobs_are_listed_newest_first_and_by_metadata(client: openai.OpenAI, job: Any) -> None:
    listed = [item.id for item in client.fine_tuning.jobs.list()]
    assert job.id in listed
    assert [item.id for item in client.fine_tuning.jobs.list(metadata={"lesson": "3"})] == [job.id]
    assert client.fine_tuning.jobs.list(metadata={"lesson": "4"}).data == []
    page = client.fine_tuning.jobs.list(limit=1)
    assert page.data[0].id == listed[0] and page.has_more == (len(listed) > 1)


def test_an_adapter_is_trained_where_the_base_asks_for_one_and_can_be_trained_on(service: LiveService) -> None:
    long = examples(10, words=100)
    job = service.train(long, "tiny-lora", hyperparameters=QUICK)
    assert job.status == "succeeded", job.error
    folder = service.home / "models" / job.id / "step-4"
    assert {path.name for path in folder.iterdir()} == {"adapter_config.json", "adapter_model.safetensors"}
    config = json.loads((folder / "adapter_config.json").read_text())
    assert (config["r"], config["modules_to_save"], config["use_dora"]) == (8, None, False)
    assert len(config["target_modules"]) == 7
    warnings = [event.message for event in service.events(job.id) if event.level == "warn"]
    assert len(warnings) == 1
    assert warnings[0].startswith("10 of 10 training examples are longer than 64 tokens")
    assert "In 10 of them nothing is left to learn" in warnings[0]

    short = service.upload(examples(10))
    settings = {"n_epochs": 5, "batch_size": 5, "learning_rate_multiplier": 2}
    second = service.client.fine_tuning.jobs.create(
        model=job.fine_tuned_model, training_file=short, hyperparameters=settings, suffix="again"
    )
    second = service.wait(second.id)
    assert second.status == "succeeded", second.error
    assert second.fine_tuned_model.startswith("ft:tiny-lora:local:again:")
    losses = [event.data["train_loss"] for event in service.events(second.id) if event.type == "metrics"]
    assert losses[-1] < losses[0]
    question = {
        "messages": [{"role": "user", "content": "number 3"}],
        "max_tokens": 5,
        "temperature": 0,
        "logprobs": True,
    }
    tuned = service.client.chat.completions.create(model=second.fine_tuned_model, **question)
    base = service.client.chat.completions.create(model="tiny-lora", **question)
    assert tuned.choices[0].logprobs.content != base.choices[0].logprobs.content


def test_a_file_with_faults_fails_the_job_with_openais_codes(service: LiveService) -> None:
    few = service.train(examples(7), "tiny")
    assert few.status == "failed"
    assert (few.error.code, few.error.param) == ("invalid_n_examples", "training_file")
    assert few.error.message.startswith("Training file has 7 example(s), but must have at least 10 examples")
    faulty = examples(12)
    del faulty[4]["messages"][1]["role"]
    bad = service.train(faulty, "tiny")
    assert (bad.error.code, bad.error.param) == ("invalid_file_format", "training_file")
    assert "Example 5, message 2 Discriminator 'role' is missing in value" in bad.error.message
    assert bad.fine_tuned_model is None and bad.result_files == [] and bad.finished_at is not None
    last = service.events(bad.id)[-1]
    assert (last.level, last.message) == ("error", bad.error.message)
    assert not (service.home / "jobs" / bad.id).exists()


def test_a_faulty_validation_file_is_named(service: LiveService) -> None:
    training = service.upload(examples(10))
    validation = service.upload([{"prompt": "Q", "completion": "A"}])
    job = service.client.fine_tuning.jobs.create(model="tiny", training_file=training, validation_file=validation)
    job = service.wait(job.id)
    assert (job.error.code, job.error.param) == ("invalid_file_format", "validation_file")
    assert 'Example 1 is missing key "messages"' in job.error.message


@pytest.mark.parametrize(
    ("options", "param", "code"),
    [
        ({"model": "gpt-4o-2024-08-06"}, "model", "model_not_available"),
        ({"training_file": "file-none"}, "training_file", "file_not_found"),
        ({"validation_file": "file-none"}, "validation_file", "file_not_found"),
        ({"suffix": "x" * 65}, "suffix", "invalid_value"),
        ({"suffix": ""}, "suffix", "invalid_value"),
        ({"seed": -1}, "seed", "invalid_value"),
        ({"seed": "one"}, "seed", "invalid_type"),
        ({"metadata": {"k": "v" * 513}}, "metadata", "invalid_value"),
        ({"hyperparameters": {"n_epochs": 51}}, "hyperparameters.n_epochs", "integer_above_max_value"),
        ({"method": {"type": "reinforcement"}}, "method.type", "not_offered"),
        ({"method": {"type": "magic"}}, "method.type", "invalid_value"),
        (
            {"method": {"type": "supervised", "supervised": {"hyperparameters": {"batch_size": 0}}}},
            "method.supervised.hyperparameters.batch_size",
            "integer_below_min_value",
        ),
    ],
)
def test_a_wrong_request_is_refused_by_parameter(
    service: LiveService, job: Any, options: dict[str, Any], param: str, code: str
) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        service.client.fine_tuning.jobs.create(**{"model": "tiny", "training_file": job.training_file, **options})
    assert (error.value.param, error.value.code, error.value.type) == (param, code, "invalid_request_error")


def test_a_model_of_openai_is_refused_in_openais_words(service: LiveService, job: Any) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        service.client.fine_tuning.jobs.create(model="gpt-4o", training_file=job.training_file)
    assert said(error).startswith("Model gpt-4o is not available for fine-tuning or does not exist.")
    assert "tiny" in said(error)


def test_a_file_of_another_purpose_is_refused(service: LiveService) -> None:
    file = service.client.files.create(file=("a.txt", b"x"), purpose="user_data")
    with pytest.raises(openai.BadRequestError, match="purpose"):
        service.client.fine_tuning.jobs.create(model="tiny", training_file=file.id)


def test_unknown_jobs_are_not_found(client: openai.OpenAI) -> None:
    jobs = client.fine_tuning.jobs
    for ask in (jobs.retrieve, jobs.cancel, jobs.list_events, jobs.checkpoints.list):
        with pytest.raises(openai.NotFoundError) as error:
            ask("ftjob-none")
        assert error.value.code == "fine_tune_not_found"


def test_what_clients_send_besides_is_accepted(service: LiveService) -> None:
    """One job at a time and in order; the waiting ones can be cancelled, and their files deleted."""
    file = service.upload(examples(10))
    create = service.client.fine_tuning.jobs.create
    running = create(model="tiny", training_file=file, hyperparameters={"n_epochs": 50, "batch_size": 1})
    extra = create(
        model="tiny",
        training_file=file,
        hyperparameters={},
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": "auto", "batch_size": None}}},  # type: ignore[typeddict-item]
        integrations=[{"type": "wandb", "wandb": {"project": "p"}}],
        seed=None,
        validation_file=None,
        extra_body={"organization": "org-x", "n_classes": 3},
        extra_headers={"OpenAI-Organization": "YOUR_ORG", "OpenAI-Project": "YOUR_PROJECT"},
    )
    service.client.files.delete(file)
    assert extra.hyperparameters.to_dict() == {"n_epochs": 10, "batch_size": 1, "learning_rate_multiplier": 1.0}
    assert extra.seed is not None and extra.integrations == []
    warned = [event.message for event in service.events(extra.id) if event.level == "warn"]
    assert warned == ["Integrations are ignored: the local service sends nothing out of this machine"]
    service.wait(running.id, "running")
    service.wait(extra.id, "queued")
    last = create(model="tiny", training_file=service.upload(examples(10)), hyperparameters=QUICK)
    service.wait(last.id, "queued")
    service.wait_for_step(running.id, 20)
    live = service.client.fine_tuning.jobs.retrieve(running.id)
    assert live.estimated_finish is not None and live.trained_tokens is None and live.error is None

    assert service.client.fine_tuning.jobs.cancel(last.id).status == "cancelled"
    cancelled = service.client.fine_tuning.jobs.cancel(running.id)
    assert cancelled.status == "cancelled" and cancelled.finished_at is not None
    assert service.events(running.id)[-1].message == "The job was cancelled"
    with pytest.raises(openai.BadRequestError, match="cannot be cancelled"):
        service.client.fine_tuning.jobs.cancel(running.id)
    kept = service.client.fine_tuning.jobs.checkpoints.list(running.id).data
    assert kept[0].fine_tuned_model_checkpoint.split(":")[-1].startswith("ckpt-step-")
    done = service.wait(extra.id)
    assert done.status == "succeeded", done.error
    assert service.client.fine_tuning.jobs.retrieve(last.id).fine_tuned_model is None
    assert service.client.fine_tuning.jobs.retrieve(running.id) == cancelled


def test_a_job_can_be_cancelled_at_any_moment_and_holds_up_no_other(service: LiveService) -> None:
    file, jobs = service.upload(examples(10)), service.client.fine_tuning.jobs
    for pause in (0, 0.01, 0.03, 0.1, 0.5):
        job = jobs.create(model="tiny", training_file=file, hyperparameters={"n_epochs": 50, "batch_size": 1})
        time.sleep(pause)
        assert jobs.cancel(job.id).status == "cancelled"
    done = service.wait(jobs.create(model="tiny", training_file=file, hyperparameters=QUICK).id)
    assert done.status == "succeeded" and done.finished_at - done.created_at < 80  # a busy machine takes its time


def test_a_learning_rate_that_is_too_high_is_explained(service: LiveService) -> None:
    job = service.train(
        examples(10), "tiny", hyperparameters={"n_epochs": 50, "batch_size": 1, "learning_rate_multiplier": 1e30}
    )
    assert (job.status, job.error.code) == ("failed", "training_diverged")
    assert "learning_rate_multiplier" in job.error.message
