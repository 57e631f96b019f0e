"""/v1/fine_tuning/jobs: create, look at, list and cancel jobs; their events and checkpoints."""

from __future__ import annotations

import secrets
from typing import Any

from fastapi import APIRouter, Request
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint

from ..context import Service, ServiceOf
from ..database import Row
from ..errors import ApiError, invalid, not_offered
from ..hyperparameters import Hyperparameters, resolve
from ..ids import new_id, random_letters
from ..progress import link_or_copy
from ..requests import CreateJob, check, read_json
from .files import find_file
from .listing import dump, page, read_limit

router = APIRouter(prefix="/v1/fine_tuning/jobs")

ORGANISATION = "org-local"
MOST_LISTED = 1000  # in one page
METHODS = ("supervised",)  # what the service trains


@router.post("")
async def create(request: Request, service: ServiceOf) -> dict[str, Any]:
    """Queue a job. What is wrong inside the files is found later, while the job validates them."""
    asked = check(CreateJob, await read_json(request))
    _check_metadata(asked.metadata)
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
    numbers = resolve(hyperparameters, training["lines"], where)
    row = _add(service, asked, model.root if model.folder else asked.model, method, numbers, training, validation)
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
    job = _find_job(service, job_id)
    if not await service.runner.cancel(job_id):
        status = _find_job(service, job_id)["status"]
        raise invalid(f"Job {job['id']} cannot be cancelled: it has already {status}.", "id", "invalid_job_status")
    return dump(job_object(_find_job(service, job_id)))


@router.post("/{job_id}/{action}")
def other_action(job_id: str, action: str, service: ServiceOf) -> None:
    _find_job(service, job_id)
    if action in ("pause", "resume"):
        raise not_offered(f"{action} for jobs", "A job can be cancelled; one that was interrupted goes on by itself.")
    raise ApiError(404, f"Invalid URL (POST /v1/fine_tuning/jobs/{job_id}/{action})")


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


def job_object(row: Row) -> FineTuningJob:
    """A job as the API shows it: resolved numbers in both places, error null unless it failed."""
    numbers = row["hyperparameters"]
    return FineTuningJob.model_validate(
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
            "hyperparameters": numbers,
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
            "metrics": row["metrics"],
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
        raise not_offered(f"method '{method}'", "It trains with method 'supervised'.", "method.type")
    settings = asked.method.supervised if asked.method else None
    if settings is not None and settings.hyperparameters:
        return method, f"method.{method}.hyperparameters", settings.hyperparameters
    return method, "hyperparameters", asked.hyperparameters or {}


def _check_metadata(metadata: dict[str, str] | None) -> None:
    if metadata is None:
        return
    if len(metadata) > 16:
        raise invalid("Invalid 'metadata': at most 16 pairs are taken.", "metadata", "invalid_value")
    for key, value in metadata.items():
        if len(key) > 64 or len(value) > 512:
            message = "Invalid 'metadata': keys may have 64 characters and values 512."
            raise invalid(message, "metadata", "invalid_value")


def _add(
    service: Service,
    asked: CreateJob,
    root: str,
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
            base=asked.model,
            root=root,
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
        if asked.integrations:
            text = "Integrations are ignored: the local service sends nothing out of this machine"
            service.store.add_event(job_id, "integrations", text, level="warn")
    return row
