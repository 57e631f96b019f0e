"""Evaluating: failures counted, nothing asked twice whatever interrupts it, cost told; on a live service."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import openai
import pytest
from live_service import LiveService, examples, wait_until

from helpers.errors import Explained
from helpers.evaluate import evaluate, evaluations, prompts, with_system
from helpers.tokens import OverBudget

TINY: dict[str, Any] = {"task": "numbers", "system": "base", "max_tokens": 5}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FINETUNE_BUILD", str(tmp_path))
    return tmp_path


@pytest.fixture
def sent() -> list[str]:
    return []


@pytest.fixture
def counting(service: LiveService, sent: list[str]) -> Iterator[openai.OpenAI]:
    """A client that notes every chat request it sends."""

    def note(request: Any) -> None:
        if request.url.path.endswith("/chat/completions"):
            sent.append(request.url.path)

    with openai.DefaultHttpxClient(event_hooks={"request": [note]}) as http:
        yield openai.OpenAI(base_url=service.url, api_key=service.key, max_retries=0, http_client=http)


def grade(answer: str, example: dict[str, Any]) -> dict[str, bool | float]:
    return {"right": answer == example["messages"][-1]["content"], "letters": float(len(answer))}


def test_an_evaluation_is_graded_kept_and_read_again(client: openai.OpenAI, capsys: pytest.CaptureFixture[str]) -> None:
    rows = examples(4)
    made = evaluate(client, "tiny", rows, [grade, lambda answer, _: {"said": bool(answer)}], **TINY)
    told = capsys.readouterr().out
    assert "nothing to pay" in told and "at most" not in told and made.dollars == 0 and made.failed == 0
    assert made.metrics == ["right", "letters", "said"] and len(set(made.frame.item)) == 4
    [again] = evaluations("numbers")
    assert again.examples == rows and again.rates().equals(made.rates()) and again.path == made.path
    assert evaluations("other") == []
    evaluate(client, "tiny", rows, grade, **TINY)
    assert len(evaluations()) == 1 and evaluations()[0].metrics == ["right", "letters"]


def test_what_is_kept_is_not_asked_again_unless_something_differs(counting: openai.OpenAI, sent: list[str]) -> None:
    rows = examples(3)
    for changes in ({}, {}, {"seed": 2}, {"max_tokens": 4}, {"conversations": with_system(prompts(rows), "Be brief.")}):
        before = len(sent)
        evaluate(counting, "tiny", rows, grade, **{**TINY, **changes})
        assert len(sent) - before == (0 if before and not changes else 3)
    evaluate(counting, "tiny-lora", rows, grade, **TINY)
    assert len(sent) == 15
    evaluate(counting, "tiny", [*rows, rows[0], *examples(1, seed=7)], grade, **TINY)
    assert len(sent) == 16
    assert len(evaluations()) == 6


def test_an_answer_torn_on_the_disk_is_asked_for_again(counting: openai.OpenAI, sent: list[str], folder: Path) -> None:
    evaluate(counting, "tiny", examples(3), grade, **TINY)
    path = next(folder.glob("answers/*/*.json"))
    path.write_bytes(path.read_bytes()[:20])
    evaluate(counting, "tiny", examples(3), grade, **TINY)
    assert len(sent) == 4


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_and_run_again_it_asks_only_what_was_not_answered(
    service: LiveService, folder: Path, counting: openai.OpenAI, sent: list[str], stop: signal.Signals
) -> None:
    rows = examples(60)
    (folder / "rows.json").write_text(json.dumps(rows))
    code = f"""
        import json, openai
        from pathlib import Path
        from helpers.evaluate import evaluate
        notes = open({str(folder / "sent")!r}, "a")
        def note(request):
            if request.url.path.endswith("/chat/completions"):
                print(1, file=notes, flush=True)
        http = openai.DefaultHttpxClient(event_hooks={{"request": [note]}})
        client = openai.OpenAI(base_url={service.url!r}, api_key={service.key!r}, max_retries=0, http_client=http)
        rows = json.loads(Path({str(folder / "rows.json")!r}).read_text())
        evaluate(client, "tiny", rows, lambda a, e: {{"said": bool(a)}}, task="numbers", system="base", max_tokens=5,
                 workers=2)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stderr=subprocess.DEVNULL)

    def kept() -> int:
        return len(list(folder.glob("answers/*/*.json")))

    wait_until(lambda: kept() >= 5, seconds=90)
    process.send_signal(stop)
    assert process.wait(timeout=60) != 0
    answered, first = kept(), len((folder / "sent").read_text().split())
    assert 5 <= answered < 60
    if stop == signal.SIGINT:  # what was under way is waited for and kept
        assert answered == first
    made = evaluate(counting, "tiny", rows, grade, **TINY)
    assert len(sent) == 60 - answered and len(made.frame) == 60 and made.failed == 0


def test_a_request_that_fails_is_a_row_with_its_reason_and_is_tried_again(
    counting: openai.OpenAI, sent: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    rows = examples(3)
    asked = [*prompts(rows[:2]), [{"role": "robot", "content": "?"}]]
    for _ in range(2):
        made = evaluate(counting, "tiny", rows, grade, conversations=asked, **TINY)
        assert made.frame.error.tolist()[:2] == ["", ""] and "BadRequestError" in made.frame.error[2]
        assert made.failed == 1 and "1 failed" in capsys.readouterr().out
    assert len(sent) == 4
    rate = made.rates(["right"]).iloc[0]
    assert (rate.n, rate.failed) == (3, 1)
    assert evaluations()[0].rates().equals(made.rates())


def test_a_reply_without_an_answer_is_a_failure() -> None:
    class Gateway(BaseHTTPRequestHandler):  # as some do whose own model failed: 200, and no choices
        def do_GET(self) -> None:
            self._reply({"object": "list", "data": []})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._reply({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": None})

        def _reply(self, body: dict[str, Any]) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        client = openai.OpenAI(base_url=f"http://127.0.0.1:{http.server_port}/v1", api_key="none", max_retries=0)
        made = evaluate(client, "m", examples(2), grade, **TINY)
        http.shutdown()
    assert made.failed == 2 and set(made.frame.error) == {"the service's reply holds no answer"}


def test_what_a_grader_cannot_judge_is_a_failure_and_a_fault_in_it_is_shown(client: openai.OpenAI) -> None:
    def strict(answer: str, example: dict[str, Any]) -> dict[str, bool | float]:
        if example["messages"][-1]["content"] == "It is 1.":
            raise Explained("There is nothing to judge by.")
        return grade(answer, example)

    made = evaluate(client, "tiny", examples(3), strict, **TINY)
    assert made.frame.error.tolist() == ["", "not graded: There is nothing to judge by.", ""]
    with pytest.raises(KeyError):
        evaluate(client, "tiny", examples(3), lambda answer, example: {"x": example["no such"]}, **TINY)
    with pytest.raises(ValueError, match="cannot be called answer"):
        evaluate(client, "tiny", examples(3), lambda answer, example: {"answer": 1.0}, **TINY)


def test_what_would_fail_every_request_stops_it(service: LiveService, client: openai.OpenAI) -> None:
    with pytest.raises(Explained, match=r"nobody stopped.*models.list"):
        evaluate(client, "nobody", examples(3), grade, **TINY)
    stranger = openai.OpenAI(base_url=service.url, api_key="wrong", max_retries=0)
    with pytest.raises(Explained, match="refused the key"):
        evaluate(stranger, "tiny", examples(3), grade, **TINY)
    with pytest.raises(ValueError, match="one an example"):
        evaluate(client, "tiny", examples(3), grade, conversations=prompts(examples(2)), **TINY)
    assert evaluations() == []


def test_what_may_cost_money_is_refused_before_anything_is_sent(
    counting: openai.OpenAI, sent: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = openai.OpenAI(base_url="http://127.0.0.1:9/v1", api_key="none", max_retries=0)
    monkeypatch.setattr(elsewhere.models, "list", lambda: [])
    with pytest.raises(OverBudget, match=r"over your ceiling of \$0.00, so nothing was sent"):
        evaluate(elsewhere, "gpt-4o-2024-08-06", examples(3), grade, **TINY)
    with pytest.raises(Explained, match="cannot be reached"):
        evaluate(elsewhere, "gpt-4o-2024-08-06", examples(3), grade, ceiling=1.0, **TINY)
    assert ": at most 3 requests, " in capsys.readouterr().out
    assert evaluate(counting, "tiny", examples(3), grade, **TINY).dollars == 0 and len(sent) == 3


def test_a_file_that_is_no_evaluation_is_explained(folder: Path) -> None:
    (folder / "evaluations").mkdir()
    (folder / "evaluations" / "odd.json").write_text("[]")
    with pytest.raises(Explained, match="is no evaluation"):
        evaluations()
