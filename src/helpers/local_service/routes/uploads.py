"""/v1/uploads: files that come in parts. The parts, put together in the order asked for, become a file."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from fastapi import APIRouter, Request
from openai.types import Upload
from openai.types.uploads import UploadPart
from pydantic import Field
from starlette.datastructures import UploadFile

from ..context import Service, ServiceOf
from ..database import Row
from ..disk import write_new
from ..errors import ApiError, invalid, not_found, storage_error
from ..ids import new_id
from ..requests import Body, ExpiresAfter, check, read_json
from ..settings import MAX_FILE_BYTES, MAX_PART_BYTES
from ..store import now
from .files import CHUNK, check_name, check_purpose, file_object, keep
from .listing import dump

router = APIRouter(prefix="/v1/uploads")

LIFE = 3600  # seconds until an upload that is not completed expires, as at OpenAI


class CreateUpload(Body):
    """POST /uploads, as openai.types.UploadCreateParams has it."""

    bytes: int = Field(ge=1)
    filename: str = Field(min_length=1)
    mime_type: str
    purpose: str
    expires_after: ExpiresAfter | None = None


class CompleteUpload(Body):
    """POST /uploads/{id}/complete, as openai.types.UploadCompleteParams has it."""

    part_ids: list[str] = Field(min_length=1)
    md5: str | None = None


@router.post("")
async def create(request: Request, service: ServiceOf) -> dict[str, Any]:
    asked = check(CreateUpload, await read_json(request))
    purpose = check_purpose(asked.purpose)
    check_name(asked.filename, purpose, "filename")
    if asked.bytes > MAX_FILE_BYTES:
        message = f"Invalid 'bytes': a file may have {MAX_FILE_BYTES} bytes ({MAX_FILE_BYTES // 1024**2} MB) at most."
        raise invalid(message, "bytes", "integer_above_max_value")
    identifier = new_id("upload_")
    service.store.add_upload(
        identifier,
        filename=PurePath(asked.filename).name,
        purpose=purpose,
        bytes=asked.bytes,
        life=asked.expires_after.seconds if asked.expires_after else None,
        expires_at=now() + LIFE,
    )
    return dump(_upload_object(service, _find_upload(service, identifier)))


@router.post("/{upload_id}/parts")
async def add_part(upload_id: str, request: Request, service: ServiceOf) -> dict[str, Any]:
    """Keep a part. Parts may come in any order, several at a time, and once more where one was damaged."""
    row = _find_pending(service, upload_id)
    if sum(part["bytes"] for part in service.store.parts(upload_id)) > 2 * row["bytes"]:
        message = (
            f"The parts of {upload_id} already have more than twice the {row['bytes']} bytes it was announced with."
        )
        raise invalid(message, "data", "invalid_value")
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise invalid("Parts are uploaded as multipart/form-data, with the field 'data'.")
    try:
        async with request.form(max_files=1, max_fields=5) as form:
            data = form.get("data")
            if not isinstance(data, UploadFile):
                raise invalid("'data' is a required property: send the bytes as a part of the form.", "data")
            part = await asyncio.to_thread(_keep_part, service, upload_id, data)
    except OSError as error:
        raise storage_error(error, "receiving the part") from error
    fields = {"id": part["id"], "created_at": part["created_at"], "upload_id": upload_id, "object": "upload.part"}
    return dump(UploadPart.model_validate(fields))


@router.post("/{upload_id}/complete")
async def complete(upload_id: str, request: Request, service: ServiceOf) -> dict[str, Any]:
    """Put the parts together. The file is checked as one that is uploaded whole."""
    row = _find_pending(service, upload_id)
    asked = check(CompleteUpload, await read_json(request))
    parts = {part["id"]: part for part in service.store.parts(upload_id)}
    for index, part_id in enumerate(asked.part_ids):
        if part_id not in parts:
            message = f"Invalid 'part_ids': {part_id} is no part of {upload_id}."
            raise invalid(message, f"part_ids[{index}]", "invalid_value")
    size = sum(parts[part_id]["bytes"] for part_id in asked.part_ids)
    if size != row["bytes"]:
        message = (
            f"The parts have {size} bytes, and the upload was announced with {row['bytes']}. Name every part once."
        )
        raise invalid(message, "part_ids", "invalid_value")
    try:
        await asyncio.to_thread(_put_together, service, row, asked)
    except OSError as error:
        raise storage_error(error, "putting the parts together") from error
    return dump(_upload_object(service, _find_upload(service, upload_id)))


@router.post("/{upload_id}/cancel")
async def cancel(upload_id: str, service: ServiceOf) -> dict[str, Any]:
    _find_pending(service, upload_id)
    _end(service, upload_id, "cancelled")
    _drop_parts(service, upload_id)
    return dump(_upload_object(service, _find_upload(service, upload_id)))


def drop_expired(service: Service) -> None:
    """Call uploads expired whose time has passed, and forget their parts."""
    for row in service.store.expired_uploads():
        if service.store.end_upload(row["id"], "expired"):
            _drop_parts(service, row["id"])


def _upload_object(service: Service, row: Row) -> Upload:
    fields = {name: row[name] for name in ("id", "bytes", "created_at", "expires_at", "filename", "purpose", "status")}
    file = service.store.file(row["file"]) if row["file"] else None
    return Upload.construct(object="upload", **fields, file=None if file is None else file_object(file))


def _find_upload(service: Service, upload_id: str) -> Row:
    row = service.store.upload(upload_id)
    if row is None:
        raise not_found("Upload", upload_id, "upload_id")
    return row


def _find_pending(service: Service, upload_id: str) -> Row:
    """The upload, if parts can still be added. Raises ApiError."""
    drop_expired(service)
    row = _find_upload(service, upload_id)
    if row["status"] != "pending":
        message = f"Upload {upload_id} takes nothing more: its status is {row['status']}."
        raise invalid(message, "upload_id", "invalid_upload_status")
    return row


def _keep_part(service: Service, upload_id: str, data: UploadFile) -> Row:
    """Write a part, whole or not at all."""
    identifier = new_id("part_")
    path = service.settings.uploads / identifier
    try:
        size = write_new(path, iter(lambda: data.file.read(CHUNK), b""))
        if size > MAX_PART_BYTES:
            message = f"A part may have {MAX_PART_BYTES // 1024**2} MB at most. Make more parts of the file."
            raise ApiError(413, message, code="request_too_large", param="data")
        return service.store.add_part(identifier, upload_id, size)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _put_together(service: Service, row: Row, asked: CompleteUpload) -> None:
    """Make the file and call the upload completed. Raises ApiError, and then leaves the upload as it was."""
    digest = hashlib.md5(usedforsecurity=False)

    def content() -> Iterator[bytes]:
        for part_id in asked.part_ids:
            with (service.settings.uploads / part_id).open("rb") as part:
                while chunk := part.read(CHUNK):
                    digest.update(chunk)
                    yield chunk
        if asked.md5 is not None and digest.hexdigest() != asked.md5.lower():
            message = (
                f"The parts' MD5 is {digest.hexdigest()}, not {asked.md5}: send again what was damaged on its way."
            )
            raise invalid(message, "md5", "invalid_checksum")

    def ended(file: Row) -> None:
        _end(service, row["id"], "completed", file=file["id"])

    keep(service, content(), row["filename"], row["purpose"], row["life"], ended)
    _drop_parts(service, row["id"])


def _end(service: Service, upload_id: str, status: str, **columns: Any) -> None:
    """Give a pending upload its last status. Raises ApiError 400 where it is no longer pending."""
    if not service.store.end_upload(upload_id, status, **columns):
        raise invalid(f"Upload {upload_id} is no longer pending.", "upload_id", "invalid_upload_status")


def _drop_parts(service: Service, upload_id: str) -> None:
    for part in service.store.parts(upload_id):
        (service.settings.uploads / part["id"]).unlink(missing_ok=True)
