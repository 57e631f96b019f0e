"""Files through the SDK: what goes in comes out, faults are found where OpenAI finds them, nothing half is kept."""

import json

import httpx2
import openai
import pytest
from live_service import LiveService, examples, said


def jsonl(rows: list[dict]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def test_an_uploaded_file_can_be_looked_at_read_and_deleted(client: openai.OpenAI) -> None:
    content = jsonl(examples(12))
    created = client.files.create(file=("Training data.jsonl", content), purpose="fine-tune")
    assert created.id.startswith("file-")
    assert (created.bytes, created.filename, created.purpose) == (len(content), "Training data.jsonl", "fine-tune")
    assert created.status == "processed"
    assert client.files.retrieve(created.id) == created
    assert client.files.content(created.id).content == content
    assert client.files.wait_for_processing(created.id).id == created.id
    deleted = client.files.delete(created.id)
    assert (deleted.id, deleted.deleted, deleted.object) == (created.id, True, "file")
    with pytest.raises(openai.NotFoundError) as error:
        client.files.retrieve(created.id)
    assert said(error).startswith(f"No such File object: {created.id}")


def test_files_are_listed_by_purpose_and_page(client: openai.OpenAI) -> None:
    for left_by_another_test in client.files.list(purpose="user_data"):
        client.files.delete(left_by_another_test.id)
    made = [client.files.create(file=(f"{i}.txt", b"hello"), purpose="user_data").id for i in range(5)]
    newest_first = [file.id for file in client.files.list(purpose="user_data")]
    assert newest_first == made[::-1]
    first = client.files.list(purpose="user_data", limit=2)
    assert (len(first.data), first.has_more) == (2, True)
    last = client.files.list(purpose="user_data", limit=2, after=made[1])
    assert ([file.id for file in last.data], last.has_more) == ([made[0]], False)
    assert [file.id for file in client.files.list(purpose="user_data", order="asc", limit=2)] == made
    assert client.files.list(purpose="vision").data == []


def test_an_unknown_cursor_or_limit_is_refused(client: openai.OpenAI) -> None:
    for options in ({"after": "file-none"}, {"limit": 0}, {"limit": 10_001}, {"order": "up"}):
        with pytest.raises(openai.BadRequestError) as error:
            client.files.list(**options)
        assert error.value.param == next(iter(options))


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"question,answer\nhello,hi\n", 1),  # CSV
        (b'[{"messages": []}]', 1),  # a list
        (b'{\n  "messages": []\n}\n', 1),  # pretty-printed
        (b'{"messages": []}\n\nplain text\n', 3),
        (b'{"messages": []}\n{"messages": [', 2),  # cut off
    ],
)
def test_upload_refuses_what_is_not_json_lines(client: openai.OpenAI, content: bytes, line: int) -> None:
    before = len(client.files.list().data)
    with pytest.raises(openai.BadRequestError) as error:
        client.files.create(file=("data.jsonl", content), purpose="fine-tune")
    expected = f"Expected file to have JSONL format, where every line is a JSON dictionary. Line {line} is not a"
    assert said(error).startswith(expected)
    assert "HINT: line starts with" in said(error)
    assert error.value.type == "invalid_request_error"
    assert len(client.files.list().data) == before


def test_upload_accepts_what_only_the_job_would_find(client: openai.OpenAI) -> None:
    for content in (b'{"messages": [],}\n', b"{'messages': None}\r\n", b'\xef\xbb\xbf{"messages": []}\n'):
        assert client.files.create(file=("data.jsonl", content), purpose="fine-tune").bytes == len(content)


@pytest.mark.parametrize(
    ("name", "content", "purpose", "words"),
    [
        ("data.csv", b'{"messages": []}', "fine-tune", ".jsonl"),
        ("data.jsonl", b"", "fine-tune", "empty"),
        ("data.jsonl", b"{}", "learning", "'purpose'"),
    ],
)
def test_other_uploads_that_are_refused(
    client: openai.OpenAI, name: str, content: bytes, purpose: str, words: str
) -> None:
    with pytest.raises(openai.BadRequestError, match=words):
        client.files.create(file=(name, content), purpose=purpose)  # type: ignore[arg-type]


def test_expiry_is_accepted_and_shown(client: openai.OpenAI) -> None:
    file = client.files.create(
        file=("a.txt", b"x"), purpose="user_data", expires_after={"anchor": "created_at", "seconds": 3600}
    )
    assert file.expires_at == file.created_at + 3600
    with pytest.raises(openai.BadRequestError):
        client.files.create(
            file=("a.txt", b"x"), purpose="user_data", expires_after={"anchor": "created_at", "seconds": 5}
        )
    client.files.delete(file.id)


def test_a_form_without_a_file_or_a_body_that_is_no_form_is_refused(service: LiveService) -> None:
    headers = {"Authorization": f"Bearer {service.key}"}
    no_file = httpx2.post(f"{service.url}/files", headers=headers, data={"purpose": "fine-tune"}, files={"x": b"y"})
    no_form = httpx2.post(f"{service.url}/files", headers=headers, json={"purpose": "fine-tune"})
    for answer in (no_file, no_form):
        assert answer.status_code == 400
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


def test_a_chunked_upload_without_a_length_is_taken(service: LiveService) -> None:
    boundary = "b0und"
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n--{boundary}\r\n'
        f'Content-Disposition: form-data; name="file"; filename="n.jsonl"\r\n\r\n{{"messages": []}}\r\n--{boundary}--'
    ).encode()
    answer = httpx2.post(
        f"{service.url}/files",
        headers={
            "Authorization": f"Bearer {service.key}",
            "Content-Type": f"multipart/form-data; boundary={boundary}",
        },
        content=iter([body[:50], body[50:]]),
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["filename"] == "n.jsonl"
    assert answer.headers["x-request-id"].startswith("req_")


def test_no_path_comes_from_a_clients_name(client: openai.OpenAI, service: LiveService) -> None:
    file = client.files.create(file=("../../../etc/evil.txt", b"x"), purpose="user_data")
    assert file.filename == "evil.txt"
    assert (service.home / "files" / file.id).read_bytes() == b"x"
    with pytest.raises(openai.NotFoundError):
        client.files.content("..%2F..%2Fkey")
    client.files.delete(file.id)
