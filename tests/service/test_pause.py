"""A job can be paused and resumed at any moment: it really stops, others go on, and nothing of it is lost."""

from pathlib import Path
from typing import Any

import openai
import pytest
from live_service import LiveService, examples, wait_until

SETTINGS = {"n_epochs": 12, "batch_size": 4}  # 20 examples: 5 steps an epoch, 60 in all
QUICK = {"n_epochs": 1, "batch_size": 5}


def create(service: LiveService, **options: Any) -> Any:
    files = {"training_file": service.upload(examples(20)), "validation_file": service.upload(examples(3, seed=1))}
    options = {"model": "tiny", "seed": 7, "hyperparameters": SETTINGS, **files, **options}
    return service.client.fine_tuning.jobs.create(**options)


def weights(service: LiveService, job: Any, step: int) -> bytes:
    return (service.home / "models" / job.id / f"step-{step}" / "model.safetensors").read_bytes()


def metrics(service: LiveService, job: Any) -> list[Any]:
    listed = service.client.fine_tuning.jobs.list_events(job.id, limit=1000)
    return [event.data for event in list(listed)[::-1] if event.type == "metrics"]


def pause_in_an_epoch(service: LiveService, job: Any) -> int:
    """Pause the running job at a step that does not end an epoch; return the step."""
    jobs = service.client.fine_tuning.jobs
    while True:
        assert jobs.pause(job.id).status == "paused"
        step = jobs.checkpoints.list(job.id).data[0].step_number
        assert step < 60
        if step % 5:
            return step
        assert jobs.resume(job.id).status == "queued"
        service.wait(job.id, "running")
        service.wait_for_step(job.id, step + 1)


def test_a_paused_job_stops_lets_others_go_on_and_ends_with_the_weights_of_an_unbroken_run(
    service: LiveService,
) -> None:
    unbroken = service.wait(create(service).id)
    jobs = service.client.fine_tuning.jobs
    job = create(service)
    service.wait_for_step(job.id, 3)
    step = pause_in_an_epoch(service, job)
    paused = jobs.retrieve(job.id)
    assert (paused.status, paused.finished_at, paused.estimated_finish, paused.error) == ("paused", None, None, None)
    messages = [event.message for event in service.events(job.id)]
    # A step that had ended already, and the checkpoint of an epoch with it, may still be told in between.
    assert "Pausing: training stops with a checkpoint after its present step" in messages[-8:-3]
    assert messages[-3].startswith(f"Step {step}/60")
    assert messages[-2:] == [f"Checkpoint created at step {step}", f"The job is paused at step {step}"]
    (checkpoint,) = [c for c in jobs.checkpoints.list(job.id) if c.step_number == step]
    answer = service.client.chat.completions.create(
        model=checkpoint.fine_tuned_model_checkpoint, messages=[{"role": "user", "content": "Hello"}], max_tokens=3
    )
    assert answer.usage is not None and answer.usage.completion_tokens > 0

    other = service.wait(create(service, hyperparameters=QUICK).id)
    assert other.status == "succeeded", other.error
    assert jobs.retrieve(job.id) == paused and len(metrics(service, job)) == step

    assert jobs.resume(job.id).status == "queued"
    done = service.wait(job.id)
    assert done.status == "succeeded", done.error
    assert weights(service, done, 60) == weights(service, unbroken, 60)
    assert metrics(service, done) == metrics(service, unbroken)
    events = service.client.fine_tuning.jobs.list_events(job.id, limit=1000)
    assert f"Training goes on from step {step}" in [event.message for event in events if event.level == "info"]
    assert not [event for event in events if event.level == "warn"]


def test_a_pause_survives_the_service_and_loses_nothing(tmp_path: Path, tiny_bases: Path) -> None:
    service = LiveService(tmp_path / "home", tiny_bases, FINETUNE_STANDBY_SECONDS="0").start()
    jobs = service.client.fine_tuning.jobs
    first, second = create(service), create(service, hyperparameters=QUICK)
    assert jobs.pause(second.id).status == "paused"  # before it has begun
    service.wait_for_step(first.id, 3)
    step = pause_in_an_epoch(service, first)
    service.kill()
    service.start()
    jobs = service.client.fine_tuning.jobs
    third = service.wait(create(service, hyperparameters=QUICK).id)
    assert third.status == "succeeded", third.error
    assert [jobs.retrieve(job.id).status for job in (first, second)] == ["paused", "paused"]
    for job in (second, first):
        assert jobs.resume(job.id).status in ("queued", "validating_files")
    assert service.wait(second.id).status == "succeeded"
    done = service.wait(first.id)
    assert done.status == "succeeded", done.error
    assert [row["step"] for row in metrics(service, done)] == list(range(1, 61))
    listed = [event.message for event in service.client.fine_tuning.jobs.list_events(first.id, limit=1000)]
    assert f"Training goes on from step {step}" in listed
    wait_until(lambda: not list((service.home / "jobs").iterdir()))
    service.kill()


def test_pause_and_resume_are_refused_where_they_make_no_sense(service: LiveService) -> None:
    jobs = service.client.fine_tuning.jobs
    job = create(service)
    with pytest.raises(openai.BadRequestError) as error:
        jobs.resume(job.id)
    assert (error.value.code, error.value.param) == ("invalid_job_status", "id")
    jobs.pause(job.id)
    with pytest.raises(openai.BadRequestError, match="cannot be paused: its status is paused"):
        jobs.pause(job.id)
    assert jobs.cancel(job.id).status == "cancelled"  # a paused job can be
    assert not (service.home / "jobs" / job.id).exists()
    for change in (jobs.pause, jobs.resume):
        with pytest.raises(openai.BadRequestError, match="its status is cancelled"):
            change(job.id)
        with pytest.raises(openai.NotFoundError):
            change("ftjob-none")
