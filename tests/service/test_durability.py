"""kill -9 at any moment loses nothing: jobs go on by themselves, and their events have no gap and no repeat."""

import base64
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from live_service import LiveService, examples, wait_until

SETTINGS = {"n_epochs": 6, "batch_size": 1}  # 10 examples: 60 steps, a checkpoint every 10
ENVIRONMENT = {"FINETUNE_STANDBY_SECONDS": "0", "FINETUNE_RESULT_BASE64": "1"}


@pytest.fixture(scope="module")
def undisturbed(service: LiveService) -> Any:
    """The same job on a service that nobody kills."""
    return service.wait(create(service).id)


@pytest.fixture
def restartable(tmp_path: Path, tiny_bases: Path) -> Any:
    service = LiveService(tmp_path / "home", tiny_bases, **ENVIRONMENT).start()
    yield service
    service.kill()


def create(service: LiveService, **options: Any) -> Any:
    files = {"training_file": service.upload(examples(10)), "validation_file": service.upload(examples(3, seed=1))}
    return service.client.fine_tuning.jobs.create(model="tiny", seed=7, hyperparameters=SETTINGS, **files, **options)


def check_story(service: LiveService, job: Any) -> list[str]:
    """The job succeeded, and its events are those of an undisturbed one but for the lines that tell of a resumption."""
    assert job.status == "succeeded", job.error
    events = service.events(job.id)
    resumed = [event.message for event in events if "training goes on from step" in event.message]
    messages = [event.message for event in events if event.message not in resumed]
    steps = [event.data["step"] for event in events if event.type == "metrics"]
    assert steps == list(range(1, 61))
    plain = [message for message in messages if not message.startswith("Step ")]
    assert plain == [
        f"Created fine-tuning job: {job.id}",
        f"Validating training file: {job.training_file} and validation file: {job.validation_file}",
        "Files validated, moving job to queued state",
        "Fine-tuning job started",
        *(f"Checkpoint created at step {step}" for step in range(10, 61, 10)),
        f"New fine-tuned model created: {job.fine_tuned_model}",
        "The job has successfully completed",
    ]
    for step in range(10, 61, 10):
        place = next(i for i, message in enumerate(messages) if message.startswith(f"Step {step}/"))
        assert messages[place + 1] == f"Checkpoint created at step {step}"
    checkpoints = service.client.fine_tuning.jobs.checkpoints.list(job.id).data
    assert [checkpoint.step_number for checkpoint in checkpoints] == [60, 50, 40]
    assert len(service.client.files.list(purpose="fine-tune-results").data) == 1
    assert len(list((service.home / "files").iterdir())) == len(service.client.files.list().data)
    wait_until(lambda: not list((service.home / "jobs").iterdir()))  # tidied up after the job is called succeeded
    return resumed


def weights(service: LiveService, job: Any) -> bytes:
    return (service.home / "models" / job.id / "step-60" / "model.safetensors").read_bytes()


def metrics(service: LiveService, job: Any) -> list[Any]:
    return [event.data for event in service.events(job.id) if event.type == "metrics"]


def kill_service(service: LiveService, job_id: str) -> None:
    service.kill()
    service.start()


def kill_trainer(service: LiveService, job_id: str) -> None:
    for pid in service.helpers("train"):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("kill", [kill_service, kill_trainer])
def test_a_job_killed_while_it_trains_ends_as_if_nothing_had_happened(
    restartable: LiveService, service: LiveService, undisturbed: Any, kill: Callable[[LiveService, str], None]
) -> None:
    quiet, service = service, restartable
    job = create(service)
    for step in (3, 25):  # before the first checkpoint, and between the second and the third
        service.wait_for_step(job.id, step)
        kill(service, job.id)
    job = service.wait(job.id)
    resumed = [message.split() for message in check_story(service, job)]
    first, second = (int(words[-1]) for words in resumed)
    assert first in (0, 10, 20) and second in (20, 30, 40, 50)  # checkpoints; which, is a matter of the machine's pace
    assert weights(quiet, undisturbed) == weights(service, job)
    (result,) = job.result_files
    lines = base64.b64decode(service.client.files.content(result).content, validate=True).splitlines()
    assert lines[0] == b"step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy" and len(lines) == 61
    assert metrics(quiet, undisturbed) == metrics(service, job)


def test_jobs_that_wait_survive_too_and_keep_their_turn(restartable: LiveService) -> None:
    service = restartable
    jobs = [create(service) for _ in range(2)]
    service.kill()  # at once: validating, or queued, or just begun
    service.start()
    service.wait(jobs[0].id, "running", "succeeded")
    assert service.client.fine_tuning.jobs.retrieve(jobs[1].id).status in ("validating_files", "queued")
    first, second = (service.wait(job.id) for job in jobs)
    assert (first.created_at, second.created_at) == (jobs[0].created_at, jobs[1].created_at)
    assert first.status == second.status == "succeeded"
    assert first.finished_at <= second.finished_at


def test_a_training_process_that_cannot_work_fails_the_job_in_the_end(tmp_path: Path, tiny_bases: Path) -> None:
    service = LiveService(tmp_path / "home", tiny_bases, FINETUNE_LAUNCHER="false", **ENVIRONMENT).start()
    job = service.train(examples(10), "tiny")
    assert (job.status, job.error.code) == ("failed", "server_error")
    assert "its training process ended 3 times without getting on (exit status 1)" in job.error.message
    service.kill()


def test_a_killed_engine_starts_again(restartable: LiveService) -> None:
    """Whoever waits for an answer is told so, and OpenAI's client asks again by itself."""
    client = restartable.client.with_options(max_retries=2)
    question: Any = {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}], "temperature": 0}
    answer = client.chat.completions.create(**question)
    with ThreadPoolExecutor(1) as pool:
        for pause in (0.0, 0.3):  # before the next request, and while it is being answered
            (engine,) = restartable.helpers("engine_process")
            again = pool.submit(client.chat.completions.create, **question, timeout=60)
            time.sleep(pause)
            os.kill(engine, signal.SIGKILL)
            assert again.result().choices == answer.choices  # whether the answer or the end came first
            wait_until(lambda pid=engine: pid not in restartable.helpers("engine_process"))
            assert client.chat.completions.create(**question).choices == answer.choices
            assert len(restartable.helpers("engine_process")) == 1
