"""/v1/files: upload, list, look at, read and delete files."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterable
from pathlib import PurePath
from typing import Any, BinaryIO

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response
from openai.types import FileDeleted, FileObject
from starlette.datastructures import FormData, UploadFile

from ..context import Service, ServiceOf
from ..database import Row
from ..disk import write_new
from ..errors import ApiError, invalid, not_found, storage_error
from ..formats import check_json_lines
from ..ids import new_id
from ..settings import MAX_FILE_BYTES
from ..store import now
from .listing import dump, page, read_limit

router = APIRouter(prefix="/v1/files")

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
JSON_LINES = ("fine-tune", "batch", "evals")
CHUNK = 1024 * 1024  # bytes copied at a time
SHORTEST_LIFE, LONGEST_LIFE = 3600, 2_592_000  # seconds, OpenAI's bounds for expires_after


@router.post("")
async def create(request: Request, service: ServiceOf) -> dict[str, Any]:
    """Keep an upload, whole or not at all."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise invalid("Files are uploaded as multipart/form-data, with the fields 'purpose' and 'file'.")
    try:
        async with request.form(max_files=2, max_fields=20) as form:
            upload, purpose, life = _read_form(form)
            filename = PurePath(upload.filename or "upload").name
            row = await asyncio.to_thread(_keep, service, upload.file, filename, purpose, life)
    except OSError as error:
        raise storage_error(error, "receiving the file") from error
    if purpose == "fine-tune":
        await service.runner.trainers.prepare()  # a job is likely to follow
    return dump(file_object(row))


@router.get("")
def list_files(request: Request, service: ServiceOf) -> dict[str, Any]:
    query = request.query_params
    order = query.get("order") or "desc"
    if order not in ("asc", "desc"):
        raise invalid(f"Invalid 'order': {order!r} is neither asc nor desc.", "order", "invalid_value")
    limit = read_limit(request, 10_000, 10_000)
    return page(
        lambda: service.store.files(
            purpose=query.get("purpose"), after=query.get("after"), limit=limit, newest=order == "desc"
        ),
        file_object,
        ends=True,
    )


@router.get("/{file_id}")
def retrieve(file_id: str, service: ServiceOf) -> dict[str, Any]:
    return dump(file_object(find_file(service, file_id)))


@router.get("/{file_id}/content")
def content(file_id: str, service: ServiceOf) -> Response:
    """The file's bytes; result files in base64 where the service is set so, as OpenAI has long served them."""
    row = find_file(service, file_id)
    path = service.settings.files / row["id"]
    if not path.is_file():
        raise ApiError(500, f"The content of {file_id} is no longer on the disk.", type="server_error")
    if row["purpose"] == "fine-tune-results" and service.settings.base64_results:
        return Response(base64.b64encode(path.read_bytes()), media_type="text/plain")
    return FileResponse(path, media_type="application/octet-stream")


@router.delete("/{file_id}")
def delete(file_id: str, service: ServiceOf) -> dict[str, Any]:
    """Delete a file. Jobs that use it have their own copy."""
    row = find_file(service, file_id)
    service.store.delete_file(row["id"])
    (service.settings.files / row["id"]).unlink(missing_ok=True)
    return dump(FileDeleted(id=row["id"], object="file", deleted=True))


def find_file(service: Service, file_id: str, param: str = "id") -> Row:
    """The file's row. Raises ApiError 404 where it does not exist, was deleted or has expired."""
    row = service.store.file(file_id)
    if row is None or (row["expires_at"] is not None and row["expires_at"] <= now()):
        raise not_found("File object", file_id, param)
    return row


def file_object(row: Row) -> FileObject:
    fields = {name: row[name] for name in ("id", "bytes", "created_at", "filename", "purpose")}
    if row["expires_at"] is not None:
        fields["expires_at"] = row["expires_at"]
    return FileObject.construct(object="file", status="processed", **fields)


def _read_form(form: FormData) -> tuple[UploadFile, str, int | None]:
    """The upload, its purpose and its life in seconds. Raises ApiError 400."""
    upload, purpose = form.get("file"), form.get("purpose")
    if not isinstance(upload, UploadFile):
        raise invalid("'file' is a required property: send the file as a part of the form.", "file")
    purpose = check_purpose(purpose)
    check_name(upload.filename or "", purpose, "file")
    return upload, purpose, _read_life(form)


def check_purpose(purpose: object) -> str:
    """The purpose of an upload. Raises ApiError 400 for another."""
    if not isinstance(purpose, str) or purpose not in PURPOSES:
        raise invalid(f"{purpose!r} is not one of {list(PURPOSES)} - 'purpose'", "purpose")
    return purpose


def check_name(filename: str, purpose: str, param: str) -> None:
    """Raise ApiError 400 where a training file's name says that it is of another kind."""
    suffix = PurePath(filename).suffix.lower()
    if purpose == "fine-tune" and suffix not in ("", ".jsonl"):
        raise invalid(
            f"Invalid file format: {suffix} is not supported for fine-tuning. Save the examples as JSON Lines, one "
            "object per line, in a file whose name ends in .jsonl.",
            param,
        )


def _read_life(form: FormData) -> int | None:
    anchor, seconds = form.get("expires_after[anchor]"), form.get("expires_after[seconds]")
    if anchor is None and seconds is None:
        return None
    param = "expires_after"
    if anchor != "created_at" or not isinstance(seconds, str) or not seconds.isdigit():
        raise invalid("'expires_after' takes anchor \"created_at\" and a number of seconds.", param, "invalid_value")
    if not SHORTEST_LIFE <= int(seconds) <= LONGEST_LIFE:
        message = f"Invalid 'expires_after.seconds': it must be from {SHORTEST_LIFE} to {LONGEST_LIFE}."
        raise invalid(message, param, "invalid_value")
    return int(seconds)


def _keep(service: Service, source: BinaryIO, filename: str, purpose: str, life: int | None) -> Row:
    source.seek(0)
    return keep(service, iter(lambda: source.read(CHUNK), b""), filename, purpose, life)


def keep(
    service: Service,
    chunks: Iterable[bytes],
    filename: str,
    purpose: str,
    life: int | None,
    also: Callable[[Row], None] = lambda row: None,
) -> Row:
    """Write a file beside its place, check it, and move it there; nothing is left of one that is refused.

    `also` is done in the same transaction as the file's record.
    """
    identifier = new_id("file-")
    part, place = service.settings.incoming / identifier, service.settings.files / identifier
    try:
        size = write_new(part, chunks)
        if size > MAX_FILE_BYTES:
            raise ApiError(413, f"A file may have {MAX_FILE_BYTES // 1024**2} MB at most.", code="request_too_large")
        lines = check_json_lines(part) if purpose in JSON_LINES else 0
        part.rename(place)
        expires_at = None if life is None else now() + life
        with service.store.transaction():
            row = service.store.add_file(
                identifier, filename=filename, purpose=purpose, bytes=size, lines=lines, expires_at=expires_at
            )
            also(row)
        return row
    except BaseException:
        part.unlink(missing_ok=True)
        place.unlink(missing_ok=True)
        raise
