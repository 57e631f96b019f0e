"""Watching jobs: text for terminals and programs, widgets for people, and a result that stays."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import nbformat
import openai
import pytest
from live_service import LiveService, examples, live_service
from nbclient import NotebookClient

from helpers.errors import Explained
from helpers.watch import training_metrics, watch

SLOW = {"n_epochs": 50, "batch_size": 1}  # many steps: time to interrupt


def create(service: LiveService, rows: int = 20, validation: bool = True, **hyperparameters: Any) -> Any:
    return service.client.fine_tuning.jobs.create(
        model="tiny",
        training_file=service.upload(examples(rows)),
        validation_file=service.upload(examples(6, seed=1)) if validation else None,
        seed=1,
        method={"type": "supervised", "supervised": {"hyperparameters": hyperparameters}},  # type: ignore[typeddict-item]
    )


@pytest.fixture(scope="module")
def finished(service: LiveService) -> Any:
    """A job that has succeeded: 8 steps in 2 epochs."""
    return service.wait(create(service, n_epochs=2, batch_size=5).id)


def test_watching_waits_for_the_end_and_leaves_one_line(
    service: LiveService, capsys: pytest.CaptureFixture[str]
) -> None:
    job = watch(service.client, create(service, n_epochs=2, batch_size=5).id, every=0.1)
    last = capsys.readouterr().out.splitlines()[-1]
    assert job.status == "succeeded" and job.fine_tuned_model
    for part in (job.id, "succeeded", job.fine_tuned_model, "8/8 steps", "last training loss", "last validation loss"):
        assert part in last


def test_a_job_that_has_ended_can_be_watched_again(client: openai.OpenAI, finished: Any) -> None:
    assert watch(client, finished.id) == finished


def test_metrics_are_a_table_with_a_row_for_each_step(client: openai.OpenAI, finished: Any) -> None:
    frame = training_metrics(client, finished.id)
    assert list(frame["step"]) == list(range(1, 9))
    assert list(frame["epoch"]) == [1] * 4 + [2] * 4
    assert frame["train_loss"].notna().all() and frame["valid_loss"].notna().all()
    assert list(frame["full_valid_loss"].notna()) == [False, False, False, True] * 2


def test_metrics_of_a_long_job_are_complete(service: LiveService) -> None:
    job = service.wait(create(service, rows=20, validation=False, n_epochs=6, batch_size=1).id)
    frame = training_metrics(service.client, job.id)
    assert list(frame["step"]) == list(range(1, 121))  # more events than a page holds
    assert "valid_loss" not in frame


def test_metrics_before_the_first_step_are_an_empty_table(service: LiveService) -> None:
    job = create(service, **SLOW)
    frame = training_metrics(service.client, job.id)
    service.client.fine_tuning.jobs.cancel(job.id)
    assert len(frame) == 0 or frame["step"].min() == 1
    assert "step" in frame


def test_a_failed_job_says_why(service: LiveService) -> None:
    broken = service.client.files.create(file=("broken.jsonl", b'{"messages": []}\n' * 12), purpose="fine-tune")
    job = service.client.fine_tuning.jobs.create(model="tiny", training_file=broken.id)
    with pytest.raises(Explained, match=f"Job {job.id} failed: .*no messages"):
        watch(service.client, job.id, every=0.1)


def test_a_cancelled_job_is_returned(service: LiveService, capsys: pytest.CaptureFixture[str]) -> None:
    job = create(service, **SLOW)
    service.client.fine_tuning.jobs.cancel(job.id)
    assert watch(service.client, job.id, every=0.1).status == "cancelled"
    assert "cancelled" in capsys.readouterr().out


def test_interrupting_the_wait_leaves_the_job_alone(service: LiveService) -> None:
    job = create(service, **SLOW)
    threading.Timer(1.0, lambda: signal.raise_signal(signal.SIGINT)).start()
    with pytest.raises(Explained, match=rf"The job goes on: watch\(client, '{job.id}'\)"):
        watch(service.client, job.id, every=0.1)
    assert service.client.fine_tuning.jobs.retrieve(job.id).status in ("validating_files", "queued", "running")
    service.client.fine_tuning.jobs.cancel(job.id)


def test_an_unknown_job_is_explained(client: openai.OpenAI) -> None:
    with pytest.raises(Explained, match=r"has no job 'ftjob-none'"):
        watch(client, "ftjob-none")


def test_a_service_that_is_gone_is_explained(tmp_path: Path, tiny_bases: Path) -> None:
    with live_service(tmp_path, tiny_bases) as gone:
        job = create(gone, **SLOW)
        threading.Timer(0.5, gone.kill).start()
        with pytest.raises(Explained, match=r"does not answer any more.*connect\(\) again"):
            watch(gone.client, job.id, every=0.1)


@pytest.mark.parametrize("headless", ["1", "0"])
def test_in_a_notebook_a_static_result_remains(
    service: LiveService, finished: Any, monkeypatch: pytest.MonkeyPatch, headless: str
) -> None:
    monkeypatch.setenv("FINETUNE_HEADLESS", headless)
    monkeypatch.setenv("FINETUNE_HOME", str(service.home))
    job = create(service, rows=40, n_epochs=4, batch_size=1)
    notebook = run_cell(
        "from helpers import connect\nfrom helpers.watch import watch\n"
        f"job = watch(connect('local', 'tiny', quiet=True).client, '{job.id}', every=0.05)"
    )
    text, picture, words = outputs = notebook.cells[0].outputs
    assert job.id in text.data["text/plain"] and "succeeded" in text.data["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" not in json.dumps(outputs)
    alt = picture.metadata["image/png"]["alt"]
    assert picture.data["image/png"] and alt.startswith("Line chart over training steps: training loss begins at")
    assert alt in words.data["text/html"]
    widgets = json.dumps(notebook.metadata.get("widgets", {}))  # what the page would have shown on the way
    assert ("IntProgressModel" in widgets and "ImageModel" in widgets) == (headless == "0")


def test_in_a_notebook_an_error_is_its_message_only() -> None:
    (error,) = run_cell("from helpers import connect\nconnect('nowhere')").cells[0].outputs
    assert error.output_type == "error"
    assert "\n".join(error.traceback).startswith("There is no service called 'nowhere'.")


def run_cell(source: str) -> Any:
    """A notebook that holds one cell, after it ran."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    NotebookClient(notebook, kernel_name="python3", timeout=120, allow_errors=True).execute()
    return notebook
