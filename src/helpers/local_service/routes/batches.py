"""/v1/batches: create, look at, list and cancel batches of chats."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from fastapi import APIRouter, Request
from openai.types import Batch

from ..context import Service, ServiceOf
from ..database import Row
from ..disk import link_or_copy
from ..errors import ApiError, invalid, not_found, not_offered
from ..ids import new_id
from ..requests import Body, ExpiresAfter, check, check_metadata, read_json
from ..store import now
from .files import find_file
from .listing import dump, page, read_limit

router = APIRouter(prefix="/v1/batches")

ENDPOINT = "/v1/chat/completions"  # what a batch can ask here
WINDOW = 24 * 3600  # seconds until a batch expires
MOST_BYTES = 200 * 1024 * 1024  # of an input file, as at OpenAI
TIMES = (
    "in_progress_at",
    "finalizing_at",
    "completed_at",
    "failed_at",
    "expired_at",
    "cancelling_at",
    "cancelled_at",
)


class CreateBatch(Body):
    """POST /batches, as openai.types.BatchCreateParams has it."""

    input_file_id: str
    endpoint: str
    completion_window: Literal["24h"]
    metadata: dict[str, str] | None = None
    output_expires_after: ExpiresAfter | None = None


@router.post("")
async def create(request: Request, service: ServiceOf) -> dict[str, Any]:
    """Queue a batch. What is wrong inside its file is found later, while the batch is validated."""
    asked = check(CreateBatch, await read_json(request))
    check_metadata(asked.metadata)
    if asked.endpoint != ENDPOINT:
        raise not_offered(f"batches over {asked.endpoint}", f"It takes {ENDPOINT}.", "endpoint")
    row = await asyncio.to_thread(_add, service, asked, _find_input(service, asked.input_file_id))
    service.batches.wake()
    return dump(batch_object(row))


@router.get("")
def list_batches(request: Request, service: ServiceOf) -> dict[str, Any]:
    after, limit = request.query_params.get("after"), read_limit(request, 20, 100)
    return page(lambda: service.store.batches(after=after, limit=limit), batch_object, ends=True)


@router.get("/{batch_id}")
def retrieve(batch_id: str, service: ServiceOf) -> dict[str, Any]:
    return dump(batch_object(_find_batch(service, batch_id)))


@router.post("/{batch_id}/cancel")
async def cancel(batch_id: str, service: ServiceOf) -> dict[str, Any]:
    """Begin to cancel: requests under way are finished first, and the answers so far become the output file."""
    status = _find_batch(service, batch_id)["status"]
    if not service.batches.cancel(batch_id):
        raise invalid(f"Batch {batch_id} cannot be cancelled: its status is {status}.", "batch_id", "invalid_status")
    return dump(batch_object(_find_batch(service, batch_id)))


def batch_object(row: Row) -> Batch:
    """A batch as the API shows it."""
    fields = {name: row[name] for name in ("id", "endpoint", "status", "created_at", "expires_at", "metadata", "model")}
    tokens = {"input_tokens": row["prompt_tokens"], "output_tokens": row["completion_tokens"]}
    return Batch.model_validate(
        {
            **fields,
            **{name: row[name] for name in TIMES},
            "object": "batch",
            "completion_window": "24h",
            "input_file_id": row["input_file"],
            "output_file_id": row["output_file"],
            "error_file_id": row["error_file"],
            "errors": {"object": "list", "data": row["errors"]} if row["errors"] else None,
            "request_counts": {name: row[name] for name in ("total", "completed", "failed")},
            "usage": {
                **tokens,
                "total_tokens": sum(tokens.values()),
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens_details": {"reasoning_tokens": 0},
            },
        }
    )


def _find_batch(service: Service, batch_id: str) -> Row:
    row = service.store.batch(batch_id)
    if row is None:
        raise not_found("batch", batch_id, "batch_id")
    return row


def _find_input(service: Service, file_id: str) -> Row:
    """The input file's row. Raises ApiError 400."""
    param = "input_file_id"
    try:
        row = find_file(service, file_id)
    except ApiError:
        raise invalid(f"Invalid {param}: {file_id} does not exist. Upload it again.", param, "file_not_found") from None
    if row["purpose"] != "batch":
        message = f"Invalid file purpose: {file_id} was uploaded with purpose '{row['purpose']}', not 'batch'."
        raise invalid(message, param, "invalid_file_purpose")
    if row["bytes"] > MOST_BYTES:
        message = f"Invalid {param}: the file may have {MOST_BYTES // 1024**2} MB. Make several batches of it."
        raise invalid(message, param, "file_too_large")
    return row


def _add(service: Service, asked: CreateBatch, file: Row) -> Row:
    """Write the batch down, with its own hold on the input."""
    batch_id = new_id("batch_")
    link_or_copy(service.settings.files / file["id"], service.settings.batches / batch_id)
    return service.store.add_batch(
        batch_id,
        endpoint=asked.endpoint,
        input_file=file["id"],
        metadata=asked.metadata,
        output_life=asked.output_expires_after.seconds if asked.output_expires_after else None,
        expires_at=now() + WINDOW,
    )
