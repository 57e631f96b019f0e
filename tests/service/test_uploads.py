"""Files that come in parts, through the SDK."""

import hashlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import openai
import pytest
from live_service import LiveService, examples, said, wait_until

CONTENT = "".join(json.dumps(row) + "\n" for row in examples(200)).encode()
PIECES = [CONTENT[start : start + 5000] for start in range(0, len(CONTENT), 5000)]
PARTS_LIMIT = 64 * 1024**2


def create(client: openai.OpenAI, **options: Any) -> Any:
    asked: dict[str, Any] = {
        "bytes": len(CONTENT),
        "filename": "training.jsonl",
        "mime_type": "text/jsonl",
        "purpose": "fine-tune",
        **options,
    }
    return client.uploads.create(**asked)


def add(client: openai.OpenAI, upload: Any, piece: bytes) -> str:
    return client.uploads.parts.create(upload.id, data=piece).id


def kept_parts(service: LiveService) -> set[str]:
    return {path.name for path in (service.home / "uploads").iterdir()}


def test_parts_become_the_file_that_was_cut(service: LiveService, client: openai.OpenAI) -> None:
    upload = create(client, expires_after={"anchor": "created_at", "seconds": 3600})
    assert (upload.object, upload.status, upload.bytes, upload.file) == ("upload", "pending", len(CONTENT), None)
    assert upload.expires_at - upload.created_at == 3600 and upload.id.startswith("upload_")
    part = client.uploads.parts.create(upload.id, data=b"a part that is not used in the end")
    assert (part.object, part.upload_id) == ("upload.part", upload.id)
    backwards = [add(client, upload, piece) for piece in reversed(PIECES)]
    digest = hashlib.md5(CONTENT).hexdigest()
    done = client.uploads.complete(upload.id, part_ids=backwards[::-1], md5=digest)
    assert (done.status, done.id) == ("completed", upload.id) and done.file is not None
    assert client.files.content(done.file.id).read() == CONTENT
    about = client.files.retrieve(done.file.id)
    assert about == done.file
    assert (about.filename, about.purpose, about.bytes) == ("training.jsonl", "fine-tune", len(CONTENT))
    assert about.expires_at is not None and about.expires_at >= about.created_at + 3600
    assert not {part.id, *backwards} & kept_parts(service)
    with pytest.raises(openai.BadRequestError, match="its status is completed"):
        client.uploads.complete(upload.id, part_ids=backwards[::-1])


def test_openais_own_helper_uploads_in_chunks(client: openai.OpenAI) -> None:
    done = client.uploads.upload_file_chunked(
        file=CONTENT,
        filename="training.jsonl",
        bytes=len(CONTENT),
        mime_type="text/jsonl",
        purpose="fine-tune",
        part_size=20_000,
    )
    assert done.file is not None and client.files.content(done.file.id).read() == CONTENT


def test_what_does_not_fit_together_is_refused_and_can_be_mended(client: openai.OpenAI) -> None:
    upload = create(client)
    parts = [add(client, upload, piece) for piece in PIECES]
    before = {file.id for file in client.files.list()}
    for options, param in (
        ({"part_ids": parts[1:]}, "part_ids"),
        ({"part_ids": [*parts[:-1], "part_none"]}, f"part_ids[{len(parts) - 1}]"),
        ({"part_ids": parts, "md5": "0" * 32}, "md5"),
        ({"part_ids": []}, "part_ids"),
    ):
        with pytest.raises(openai.BadRequestError) as error:
            client.uploads.complete(upload.id, **options)  # type: ignore[arg-type]
        assert error.value.param == param
    assert {file.id for file in client.files.list()} == before
    assert client.uploads.complete(upload.id, part_ids=parts).status == "completed"


def test_the_file_is_checked_as_any_upload(client: openai.OpenAI) -> None:
    upload = create(client, bytes=5)
    part = add(client, upload, b"hello")
    with pytest.raises(openai.BadRequestError) as error:
        client.uploads.complete(upload.id, part_ids=[part])
    assert said(error).startswith("Expected file to have JSONL format")


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"bytes": 0}, "bytes"),
        ({"bytes": 600 * 1024**2}, "bytes"),
        ({"purpose": "fun"}, "purpose"),
        ({"filename": "training.csv"}, "filename"),
        ({"expires_after": {"anchor": "created_at", "seconds": 5}}, "expires_after.seconds"),
    ],
)
def test_a_wrong_announcement_is_refused(client: openai.OpenAI, options: dict[str, Any], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        create(client, **options)
    assert error.value.param == param


def test_a_part_has_64_mb_at_most(service: LiveService, client: openai.OpenAI) -> None:
    upload = create(client, bytes=PARTS_LIMIT + 1, purpose="user_data", filename="big.bin")
    part = add(client, upload, bytes(PARTS_LIMIT))
    assert part in kept_parts(service)
    for size in (PARTS_LIMIT + 1, PARTS_LIMIT + 2 * 1024**2):
        with pytest.raises(openai.APIStatusError) as error:
            add(client, upload, bytes(size))
        assert (error.value.status_code, error.value.code) == (413, "request_too_large")
    assert client.uploads.cancel(upload.id).status == "cancelled"
    assert part not in kept_parts(service)
    with pytest.raises(openai.BadRequestError, match="its status is cancelled"):
        add(client, upload, b"x")
    with pytest.raises(openai.BadRequestError, match="its status is cancelled"):
        client.uploads.cancel(upload.id)


def test_unknown_uploads_are_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        client.uploads.parts.create("upload_none", data=b"x")
    with pytest.raises(openai.NotFoundError):
        client.uploads.complete("upload_none", part_ids=["part_none"])
    with pytest.raises(openai.NotFoundError):
        client.uploads.cancel("upload_none")


def test_uploads_survive_a_killed_service_and_expire_with_their_parts(tmp_path: Path, tiny_bases: Path) -> None:
    service = LiveService(tmp_path / "home", tiny_bases, FINETUNE_STANDBY_SECONDS="0").start()
    upload, forgotten = create(service.client), create(service.client)
    parts = [add(service.client, upload, piece) for piece in PIECES[:2]]
    add(service.client, forgotten, PIECES[0])
    service.kill()
    with sqlite3.connect(tmp_path / "home" / "service.sqlite3") as database:  # an hour goes by for one of them
        database.execute("UPDATE uploads SET expires_at = 1 WHERE id = ?", (forgotten.id,))
    database.close()
    service.start()
    parts += [add(service.client, upload, piece) for piece in PIECES[2:]]
    assert service.client.uploads.complete(upload.id, part_ids=parts).status == "completed"
    wait_until(lambda: not list((service.home / "uploads").iterdir()))
    with pytest.raises(openai.BadRequestError, match="its status is expired"):
        add(service.client, forgotten, PIECES[0])
    service.kill()
