"""/v1/fine_tuning/jobs: create, look at, list, cancel, pause and resume jobs; their events and checkpoints."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from fastapi import APIRouter, Request
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint
from openai.types.fine_tuning.jobs.fine_tuning_job_checkpoint import Metrics

from ..catalogue import ServedModel
from ..context import Service, ServiceOf
from ..database import Row
from ..disk import link_or_copy
from ..errors import ApiError, invalid, not_offered
from ..hyperparameters import Hyperparameters, resolve
from ..ids import new_id, random_letters
from ..limits import check_jobs
from ..requests import CreateJob, MethodSettings, check, check_metadata, read_json
from .files import find_file
from .listing import dump, page, read_limit

router = APIRouter(prefix="/v1/fine_tuning/jobs")

ORGANISATION = "org-local"
MOST_LISTED = 1000  # in one page
METHODS = ("supervised", "dpo")  # what the service trains
COMMON = ("n_epochs", "batch_size", "learning_rate_multiplier")  # hyperparameters that every method has

# Seen since May 2026 by organisations that had not fine-tuned before; four independent public repositories quote it.
CLOSED_CODE = "training_not_available"
CLOSED = (
    "OpenAI is winding down the fine-tuning platform and your organization is no longer able to create new "
    "fine-tuning training jobs."
)


@router.post("")
async def create(request: Request, service: ServiceOf) -> dict[str, Any]:
    """Queue a job. What is wrong inside the files is found later, while the job validates them."""
    asked = check(CreateJob, await read_json(request))
    if service.settings.closed:
        raise ApiError(403, f"{CLOSED} (A rehearsal: this local service runs with --closed.)", code=CLOSED_CODE)
    check_metadata(asked.metadata)
    method, where, hyperparameters = _asked_hyperparameters(asked)
    try:
        model = service.catalogue.find(asked.model)
    except ApiError as error:
        message = f"Model {asked.model} is not available for fine-tuning or does not exist. {error.message}"
        raise invalid(message, "model", "model_not_available") from None
    training = _find_training_file(service, asked.training_file, "training_file")
    validation = None
    if asked.validation_file:
        validation = _find_training_file(service, asked.validation_file, "validation_file")
    numbers = resolve(hyperparameters, training["lines"], where, method)
    check_jobs(service)
    row = _add(service, asked, model, method, numbers, training, validation)
    service.runner.wake()
    return dump(job_object(row))


@router.get("")
def list_jobs(request: Request, service: ServiceOf) -> dict[str, Any]:
    query = request.query_params
    metadata = {
        name[len("metadata[") : -1]: value
        for name, value in query.items()
        if name.startswith("metadata[") and name.endswith("]")
    }
    limit = read_limit(request, 20, MOST_LISTED)
    return page(lambda: service.store.jobs(metadata=metadata, after=query.get("after"), limit=limit), job_object)


@router.get("/{job_id}")
def retrieve(job_id: str, service: ServiceOf) -> dict[str, Any]:
    return dump(job_object(_find_job(service, job_id)))


@router.post("/{job_id}/cancel")
async def cancel(job_id: str, service: ServiceOf) -> dict[str, Any]:
    return await _change(job_id, service, service.runner.cancel, "cancelled")


@router.post("/{job_id}/pause")
async def pause(job_id: str, service: ServiceOf) -> dict[str, Any]:
    """Answered when the job has stopped: a job that trains finishes its step and saves a checkpoint first."""
    return await _change(job_id, service, service.runner.pause, "paused")


@router.post("/{job_id}/resume")
async def resume(job_id: str, service: ServiceOf) -> dict[str, Any]:
    return await _change(job_id, service, service.runner.resume, "resumed")


async def _change(job_id: str, service: Service, change: Callable[[str], Awaitable[bool]], done: str) -> dict[str, Any]:
    """The job after `change`. Raises ApiError 400 where its status does not allow that."""
    _find_job(service, job_id)
    if not await change(job_id):
        status = _find_job(service, job_id)["status"]
        raise invalid(f"Job {job_id} cannot be {done}: its status is {status}.", "id", "invalid_job_status")
    return dump(job_object(_find_job(service, job_id)))


@router.get("/{job_id}/events")
def events(job_id: str, request: Request, service: ServiceOf) -> dict[str, Any]:
    after, limit = _asked_page(job_id, request, service, 20)
    return page(lambda: service.store.events(job_id, after=after, limit=limit), event_object)


@router.get("/{job_id}/checkpoints")
def checkpoints(job_id: str, request: Request, service: ServiceOf) -> dict[str, Any]:
    after, limit = _asked_page(job_id, request, service, 10)
    return page(lambda: service.store.checkpoints(job_id, after=after, limit=limit), checkpoint_object, ends=True)


def _asked_page(job_id: str, request: Request, service: Service, default: int) -> tuple[str | None, int]:
    """After which row and how many rows of a job are asked for. Raises ApiError, also where there is no such job."""
    _find_job(service, job_id)
    return request.query_params.get("after"), read_limit(request, default, MOST_LISTED)


class Job(FineTuningJob):
    """A job, with the status that OpenAI's answers have for a paused one and its package leaves out (July 2026)."""

    status: Literal[  # type: ignore[assignment]
        "validating_files", "queued", "running", "paused", "succeeded", "failed", "cancelled"
    ]


def job_object(row: Row) -> FineTuningJob:
    """A job as the API shows it: resolved numbers in both places, error null unless it failed."""
    numbers = row["hyperparameters"]
    return Job.model_validate(
        {
            "id": row["id"],
            "object": "fine_tuning.job",
            "created_at": row["created_at"],
            "finished_at": row["finished_at"],
            "estimated_finish": row["estimated_finish"],
            "model": row["model"],
            "fine_tuned_model": row["fine_tuned_model"],
            "organization_id": ORGANISATION,
            "status": row["status"],
            "training_file": row["training_file"],
            "validation_file": row["validation_file"],
            "result_files": [row["result_file"]] if row["result_file"] else [],
            "trained_tokens": row["trained_tokens"] if row["status"] == "succeeded" else None,
            "seed": row["seed"],
            "error": row["error"],
            "hyperparameters": {name: numbers[name] for name in COMMON},
            "method": {"type": row["method"], row["method"]: {"hyperparameters": numbers}},
            "integrations": [],
            "metadata": row["metadata"],
        }
    )


def event_object(row: Row) -> FineTuningJobEvent:
    fields = {name: row[name] for name in ("id", "created_at", "level", "message", "type", "data")}
    return FineTuningJobEvent.model_validate({**fields, "object": "fine_tuning.job.event"})


def checkpoint_object(row: Row) -> FineTuningJobCheckpoint:
    return FineTuningJobCheckpoint.model_validate(
        {
            "id": row["id"],
            "object": "fine_tuning.job.checkpoint",
            "created_at": row["created_at"],
            "fine_tuning_job_id": row["job_id"],
            "step_number": row["step"],
            "fine_tuned_model_checkpoint": row["model"],
            "metrics": {name: value for name, value in row["metrics"].items() if name in Metrics.model_fields},
        }
    )


def _find_job(service: Service, job_id: str) -> Row:
    row = service.store.job(job_id)
    if row is None:
        raise ApiError(404, f"Could not find fine tune: {job_id}", code="fine_tune_not_found", param="fine_tune_id")
    return row


def _find_training_file(service: Service, file_id: str, param: str) -> Row:
    """The file, if it can be trained on as far as its purpose goes. Raises ApiError."""
    try:
        row = find_file(service, file_id)
    except ApiError:
        raise invalid(f"invalid {param}: {file_id} does not exist. Upload it again.", param, "file_not_found") from None
    if row["purpose"] != "fine-tune":
        raise invalid(
            f"Invalid file purpose: {file_id} was uploaded with purpose '{row['purpose']}'. Upload it again with "
            "purpose 'fine-tune'.",
            param,
            "invalid_file_purpose",
        )
    return row


def _asked_hyperparameters(asked: CreateJob) -> tuple[str, str, dict[str, Any]]:
    """The method, where its hyperparameters stand in the request, and what they say. Raises ApiError."""
    method = asked.method.type if asked.method else "supervised"
    if method not in METHODS:
        raise not_offered(f"method '{method}'", "It trains with methods supervised and dpo.", "method.type")
    settings: MethodSettings | None = getattr(asked.method, method) if asked.method else None
    if settings is not None and settings.hyperparameters:
        return method, f"method.{method}.hyperparameters", settings.hyperparameters
    return method, "hyperparameters", asked.hyperparameters or {}


def _add(
    service: Service,
    asked: CreateJob,
    model: ServedModel,
    method: str,
    numbers: Hyperparameters,
    training: Row,
    validation: Row | None,
) -> Row:
    """Write the job down, with its own hold on the files, and its first events."""
    job_id = new_id("ftjob-")
    folder = service.settings.jobs / job_id
    folder.mkdir(parents=True)
    link_or_copy(service.settings.files / training["id"], folder / "training.jsonl")
    if validation is not None:
        link_or_copy(service.settings.files / validation["id"], folder / "validation.jsonl")
    with service.store.transaction():
        row = service.store.add_job(
            job_id,
            model=asked.model,
            base=model.name,
            root=model.root,
            method=method,
            hyperparameters=numbers.as_dict(),
            suffix=asked.suffix,
            seed=secrets.randbelow(2**31) if asked.seed is None else asked.seed,
            training_file=training["id"],
            validation_file=validation["id"] if validation else None,
            metadata=asked.metadata,
            tag=random_letters(8),
        )
        service.store.add_event(job_id, "created", f"Created fine-tuning job: {job_id}")
        files = f"Validating training file: {training['id']}"
        files += f" and validation file: {validation['id']}" if validation else ""
        service.store.add_event(job_id, "validating", files)
        if model.alias:
            text = f"{model.alias} stands for {model.name} on this local service: that is what is trained"
            service.store.add_event(job_id, "alias", text, level="warn")
        if asked.integrations:
            text = "Integrations are ignored: the local service sends nothing out of this machine"
            service.store.add_event(job_id, "integrations", text, level="warn")
    return row
