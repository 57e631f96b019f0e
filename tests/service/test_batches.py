"""Batches of chats through the SDK: each request answered once, whatever happens meanwhile."""

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import openai
import pytest
from live_service import TIMEOUT, LiveService, wait_until

ENDED = ("completed", "failed", "expired", "cancelled")


def ask(number: int, **body: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": f"number {number}"}]
    chat = {"model": "tiny", "messages": messages, "temperature": 0, "max_tokens": 5, **body}
    return {"custom_id": f"ask-{number}", "method": "POST", "url": "/v1/chat/completions", "body": chat}


def upload(client: openai.OpenAI, rows: list[dict[str, Any]]) -> str:
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    return client.files.create(file=("requests.jsonl", content), purpose="batch").id


def create(client: openai.OpenAI, rows: list[dict[str, Any]], **options: Any) -> Any:
    asked: dict[str, Any] = {"endpoint": "/v1/chat/completions", "completion_window": "24h", **options}
    return client.batches.create(input_file_id=upload(client, rows), **asked)


def wait(client: openai.OpenAI, batch: Any, *statuses: str) -> Any:
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        found = client.batches.retrieve(batch.id)
        if found.status in (statuses or ENDED):
            return found
        assert found.status not in ENDED, found
        time.sleep(0.1)
    raise AssertionError(f"the batch is still {found.status}")


def lines(client: openai.OpenAI, file_id: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in client.files.content(file_id).text.splitlines()]


def test_a_batch_gives_the_answers_that_chats_give(service: LiveService, client: openai.OpenAI) -> None:
    rows = [ask(number) for number in range(20)] + [ask(20, max_tokens=5000), ask(21, temperature=9)]
    batch = create(client, rows, metadata={"lesson": "5"})
    assert (batch.object, batch.endpoint, batch.completion_window) == ("batch", "/v1/chat/completions", "24h")
    assert batch.status in ("validating", "in_progress") and batch.expires_at == batch.created_at + 24 * 3600
    client.files.delete(batch.input_file_id)  # the batch has its own copy
    done = wait(client, batch)
    assert (done.status, done.errors, done.model, done.metadata) == ("completed", None, "tiny", {"lesson": "5"})
    assert done.request_counts.to_dict() == {"total": 22, "completed": 20, "failed": 2}
    assert done.created_at <= done.in_progress_at <= done.finalizing_at <= done.completed_at

    output = lines(client, done.output_file_id)
    assert [line["custom_id"] for line in output] == [f"ask-{number}" for number in range(20)]
    assert len({line["id"] for line in output}) == 20 and output[0]["id"].startswith("batch_req_")
    for line in output:
        assert line.keys() == {"id", "custom_id", "response", "error"} and line["error"] is None
        assert line["response"].keys() == {"status_code", "request_id", "body"}
        assert line["response"]["status_code"] == 200 and line["response"]["body"]["object"] == "chat.completion"
    alone = client.chat.completions.create(**rows[7]["body"])
    assert output[7]["response"]["body"]["choices"] == alone.to_dict(mode="json")["choices"]
    usage = [line["response"]["body"]["usage"] for line in output]
    assert done.usage.output_tokens == sum(row["completion_tokens"] for row in usage)
    assert done.usage.input_tokens == sum(row["prompt_tokens"] for row in usage)

    long, hot = lines(client, done.error_file_id)
    assert (long["custom_id"], long["response"]["status_code"], long["error"]) == ("ask-20", 400, None)
    assert long["response"]["body"]["error"]["code"] == "context_length_exceeded"
    assert hot["response"]["body"]["error"]["param"] == "temperature"
    about = client.files.retrieve(done.output_file_id)
    assert (about.purpose, about.filename) == ("batch_output", f"{batch.id}_output.jsonl")
    assert not (service.home / "batches" / batch.id).exists()
    assert client.batches.list(limit=1).data[0] == done


def test_what_is_wrong_with_the_input_is_told_by_line(client: openai.OpenAI) -> None:
    rows = [ask(number) for number in range(8)]
    rows[1]["custom_id"] = "ask-0"
    del rows[2]["custom_id"]
    rows[3]["method"] = "GET"
    rows[4]["url"] = "/v1/embeddings"
    rows[5]["body"]["model"] = "tiny-lora"
    del rows[6]["body"]["model"]
    rows[7]["body"] = "text"
    failed = wait(client, create(client, rows))
    assert (failed.status, failed.output_file_id, failed.errors.object) == ("failed", None, "list")
    assert [(fault.line, fault.code, fault.param) for fault in failed.errors.data] == [
        (2, "duplicate_custom_id", "custom_id"),
        (3, "missing_required_parameter", "custom_id"),
        (4, "invalid_method", "method"),
        (5, "invalid_url", "url"),
        (6, "mismatched_model", "body.model"),
        (7, "missing_required_parameter", "body.model"),
        (8, "missing_required_parameter", "body"),
    ]
    strange = wait(client, create(client, [ask(0, model="gpt-4o")]))
    assert [fault.code for fault in strange.errors.data] == ["model_not_found"]
    broken = client.files.create(file=("b.jsonl", b'{"custom_id": "1" "method": "POST"}'), purpose="batch")
    options: Any = {"endpoint": "/v1/chat/completions", "completion_window": "24h"}
    unread = wait(client, client.batches.create(input_file_id=broken.id, **options))
    assert [(fault.line, fault.code) for fault in unread.errors.data] == [(1, "invalid_json_line")]


def test_a_wrong_request_is_refused(service: LiveService, client: openai.OpenAI) -> None:
    good = upload(client, [ask(0)])
    other = service.upload([{"messages": []}])
    for options, param in (
        ({"input_file_id": "file-none"}, "input_file_id"),
        ({"input_file_id": other}, "input_file_id"),
        ({"endpoint": "/v1/embeddings"}, "endpoint"),
        ({"completion_window": "1h"}, "completion_window"),
        ({"metadata": {"k": "v" * 600}}, "metadata"),
    ):
        asked: Any = {"input_file_id": good, "endpoint": "/v1/chat/completions", "completion_window": "24h", **options}
        with pytest.raises(openai.BadRequestError) as error:
            client.batches.create(**asked)
        assert error.value.param == param
    with pytest.raises(openai.NotFoundError):
        client.batches.retrieve("batch_none")
    with pytest.raises(openai.NotFoundError):
        client.batches.cancel("batch_none")


def test_a_cancelled_batch_keeps_what_was_answered_and_others_go_on(client: openai.OpenAI) -> None:
    batch = create(client, [ask(number, max_tokens=40) for number in range(400)])
    behind = create(client, [ask(0)])
    wait_until(lambda: client.batches.retrieve(batch.id).request_counts.completed, TIMEOUT)  # type: ignore[union-attr]
    assert client.batches.cancel(batch.id).status == "cancelling"
    cancelled = wait(client, batch)
    counts = cancelled.request_counts
    assert cancelled.status == "cancelled" and cancelled.cancelling_at <= cancelled.cancelled_at
    assert 0 < counts.completed < 400 and counts.failed == 0
    assert len(lines(client, cancelled.output_file_id)) == counts.completed
    assert wait(client, behind).status == "completed"
    with pytest.raises(openai.BadRequestError, match="its status is cancelled"):
        client.batches.cancel(batch.id)


def test_whoever_waits_is_answered_first(client: openai.OpenAI) -> None:
    batch = create(client, [ask(number, max_tokens=40) for number in range(400)])
    wait_until(lambda: client.batches.retrieve(batch.id).request_counts.completed, TIMEOUT)  # type: ignore[union-attr]
    for number in range(3):
        client.chat.completions.create(**ask(number)["body"])
    assert client.batches.retrieve(batch.id).status == "in_progress"
    client.batches.cancel(batch.id)
    wait(client, batch)


def test_a_killed_service_goes_on_and_repeats_no_finished_request(tmp_path: Path, tiny_bases: Path) -> None:
    service = LiveService(tmp_path / "home", tiny_bases, FINETUNE_STANDBY_SECONDS="0").start()
    batch = create(service.client, [ask(number, max_tokens=20) for number in range(150)])
    wait_until(lambda: service.client.batches.retrieve(batch.id).request_counts.completed, TIMEOUT)  # type: ignore[union-attr]
    service.kill()
    with sqlite3.connect(tmp_path / "home" / "service.sqlite3") as database:
        before = dict(database.execute("SELECT line, row FROM batch_results"))
    database.close()
    assert 0 < len(before) < 150
    service.start()
    done = wait(service.client, batch)
    assert (done.status, done.request_counts.completed, done.request_counts.failed) == ("completed", 150, 0)
    output = lines(service.client, done.output_file_id)
    assert [line["custom_id"] for line in output] == [f"ask-{number}" for number in range(150)]
    assert {number: json.dumps(output[number - 1]) for number in before} == before
    service.kill()


def test_what_is_not_answered_in_time_expires(tmp_path: Path, tiny_bases: Path) -> None:
    service = LiveService(tmp_path / "home", tiny_bases, FINETUNE_STANDBY_SECONDS="0").start()
    batch = create(service.client, [ask(number, max_tokens=20) for number in range(150)])
    wait_until(lambda: service.client.batches.retrieve(batch.id).request_counts.completed, TIMEOUT)  # type: ignore[union-attr]
    service.kill()
    with sqlite3.connect(tmp_path / "home" / "service.sqlite3") as database:  # a day goes by
        database.execute("UPDATE batches SET expires_at = 1")
    database.close()
    service.start()
    expired = wait(service.client, batch)
    counts = expired.request_counts
    assert expired.status == "expired" and counts.completed < 150 and counts.failed == 0
    late = lines(service.client, expired.error_file_id)
    assert len(late) == 150 - counts.completed
    assert all(line["response"] is None and line["error"]["code"] == "batch_expired" for line in late)
    service.kill()
