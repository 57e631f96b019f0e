"""The Batch API: what is sent, how answers come back, what goes wrong; on OpenAI's shapes and on the local service."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import openai
import pytest
from live_service import examples

from helpers import batches
from helpers.batches import ask_batch
from helpers.errors import Explained
from helpers.evaluate import ask, evaluate, prompts

CHAT = "/v1/chat/completions"


class BatchServer:
    """Files and batches as OpenAI's API has them. A batch is worked on at the second look; it echoes the question.

    A request whose question holds "refuse" gets an error line, "lose" none at all.
    """

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.batches: list[dict[str, Any]] = []
        self.end, self.has_batches = "completed", True

    def upload(self, body: bytes) -> dict[str, Any]:
        assert b'name="purpose"\r\n\r\nbatch' in body
        content = body.split(b".jsonl")[1].split(b"\r\n\r\n", 1)[1].split(b"\r\n--")[0].decode()
        return self.keep(content)

    def keep(self, content: str) -> dict[str, Any]:
        name = f"file-{len(self.files)}"
        self.files[name] = content
        return {"id": name, "object": "file", "bytes": 1, "created_at": 1, "filename": "x", "purpose": "batch"}

    def create(self, given: dict[str, Any]) -> dict[str, Any]:
        batch = {
            "id": f"batch_{len(self.batches)}",
            "object": "batch",
            "created_at": 1,
            "status": "validating",
            **given,
        }
        self.batches.insert(0, batch)
        return batch

    def look(self, name: str) -> dict[str, Any]:
        batch = next(batch for batch in self.batches if batch["id"] == name)
        if batch["status"] == "validating":
            batch["status"] = "in_progress"
        elif batch["status"] == "in_progress":
            self.work(batch)
        return batch

    def work(self, batch: dict[str, Any]) -> None:
        batch["status"] = self.end
        if self.end == "failed":
            batch["errors"] = {
                "object": "list",
                "data": [{"code": "bad", "message": "The file is no batch.", "line": 1}],
            }
            return
        good, bad = [], []
        rows = [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines()]
        for row in reversed(rows):
            assert row["method"] == "POST" and row["url"] == batch["endpoint"] == CHAT
            said, head = row["body"]["messages"][-1]["content"], {"id": "r", "custom_id": row["custom_id"]}
            if "refuse" in said:
                error = {"error": {"message": "No.", "type": "invalid_request_error", "param": None, "code": None}}
                bad.append({**head, "response": {"status_code": 400, "request_id": "q", "body": error}, "error": None})
            elif "lose" not in said:
                response = {"status_code": 200, "request_id": "q", "body": completion(row["body"]["model"], said)}
                good.append({**head, "response": response, "error": None})
        batch["output_file_id"] = self.keep("".join(json.dumps(row) + "\n" for row in good))["id"]
        batch["error_file_id"] = self.keep("".join(json.dumps(row) + "\n" for row in bad))["id"] if bad else None
        batch["request_counts"] = {"total": len(rows), "completed": len(good), "failed": len(bad)}


def completion(model: str, text: str) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text, "refusal": None}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": model, "choices": [choice], "usage": usage}


@pytest.fixture
def server() -> Iterator[tuple[BatchServer, openai.OpenAI]]:
    state = BatchServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.reply(state.upload(body) if self.path == "/v1/files" else state.create(json.loads(body)))

        def do_GET(self) -> None:
            kind, *rest = self.path.split("?")[0].removeprefix("/v1/").split("/")
            if kind == "models":
                self.reply({"object": "list", "data": []})
            elif kind == "files":
                self.reply(state.files[rest[0]])
            elif rest:
                self.reply(state.look(rest[0]))
            elif state.has_batches:
                self.reply({"object": "list", "data": state.batches, "has_more": False})
            else:
                self.reply({"error": {"message": "Not found", "type": "t", "param": None, "code": None}}, 404)

        def reply(self, content: Any, status: int = 200) -> None:
            body = (content if isinstance(content, str) else json.dumps(content)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain" if isinstance(content, str) else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{http.server_address[1]}/v1"
        yield state, openai.OpenAI(base_url=url, api_key="k", max_retries=0)
        http.shutdown()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINETUNE_BUILD", str(tmp_path))


def bodies(*texts: str) -> dict[str, dict[str, Any]]:
    return {f"id-{text}": {"model": "m", "messages": [{"role": "user", "content": text}]} for text in texts}


def test_answers_and_reasons_come_back_by_their_ids(server: tuple[BatchServer, openai.OpenAI]) -> None:
    found = {key: (body, why) for key, body, why in ask_batch(server[1], bodies("a", "refuse", "lose"), every=0.01)}
    assert list(found) == ["id-a", "id-refuse", "id-lose"]
    assert found["id-a"][0]["choices"][0]["message"]["content"] == "a" and found["id-a"][1] == ""
    assert found["id-refuse"] == (None, "400: No.")
    assert found["id-lose"] == (None, "batch batch_0 is completed and holds no answer")


def test_a_batch_under_way_is_taken_up_again(
    server: tuple[BatchServer, openai.OpenAI], monkeypatch: pytest.MonkeyPatch
) -> None:
    state, client = server

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(batches.time, "sleep", interrupt)
        with pytest.raises(Explained, match=r"batch_0 goes on.*cancel\('batch_0'\)"):
            list(ask_batch(client, bodies("a", "b")))
    assert len(list(ask_batch(client, bodies("b", "a"), every=0.01))) == 2 and len(state.batches) == 1
    list(ask_batch(client, bodies("a", "c"), every=0.01))
    assert len(state.batches) == 2


def test_a_batch_without_any_answer_is_not_taken_for_one(server: tuple[BatchServer, openai.OpenAI]) -> None:
    state, client = server
    for _ in range(2):
        assert [why for *_, why in ask_batch(client, bodies("refuse"), every=0.01)] == ["400: No."]
    assert len(state.batches) == 2
    state.end = "failed"
    with pytest.raises(Explained, match="failed as a whole: The file is no batch"):
        list(ask_batch(client, bodies("a"), every=0.01))


def test_what_cannot_be_a_batch_is_explained(server: tuple[BatchServer, openai.OpenAI]) -> None:
    with pytest.raises(Explained, match="50,000 requests at most"):
        list(ask_batch(server[1], {str(number): {} for number in range(50_001)}))
    state, client = server
    state.has_batches = False
    with pytest.raises(Explained, match="has no Batch API"):
        list(ask_batch(client, bodies("a")))


def test_an_evaluation_goes_through_a_batch_and_fetches_only_what_is_missing(
    server: tuple[BatchServer, openai.OpenAI], monkeypatch: pytest.MonkeyPatch
) -> None:
    state, client = server
    rows = examples(3)
    rows[1]["messages"][1]["content"] = "Please refuse."
    for _ in range(2):
        made = evaluate(client, "m", rows, lambda answer, _: {"said": bool(answer)}, task="t", system="s", batch=True)
        assert made.failed == 1 and made.frame.error.tolist() == ["", "400: No.", ""]
        assert made.frame.answer[0] == rows[0]["messages"][1]["content"]
    sizes = [len(state.files[batch["input_file_id"]].splitlines()) for batch in state.batches]
    assert sizes == [1, 3]


def test_the_local_service_answers_a_batch_as_it_answers_one_by_one(client: openai.OpenAI) -> None:
    rows = examples(3)
    asked = [*prompts(rows[:2]), [{"role": "robot", "content": "?"}]]
    given: dict[str, Any] = {"task": "t", "max_tokens": 5, "conversations": asked}
    through = evaluate(client, "tiny", rows, lambda answer, _: {"said": bool(answer)}, system="s", batch=True, **given)
    assert through.failed == 1 and through.frame.error[2].startswith("400: ")
    [alone, _] = ask(client, "tiny", asked[:2], max_tokens=5)
    assert through.frame.answer[0] == alone.text and through.frame.prompt_tokens[0] == alone.prompt_tokens
