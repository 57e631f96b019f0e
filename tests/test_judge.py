"""A model as judge: what it is asked, how its verdicts are read and counted, and who may judge."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import openai
import pytest
from live_service import LiveService, live_service
from openai.types.chat import completion_create_params
from pydantic import TypeAdapter

from helpers.errors import Explained
from helpers.graders import Graders
from helpers.judge import Pair, judge_model, judge_pairs, kappa, question, score_grader

PAIRS: list[Pair] = [{"question": f"Question {n}?", "a": f"Answer {n}.", "b": f"Other {n}, longer."} for n in range(4)]


@contextmanager
def judging(says: Callable[[str], str]) -> Iterator[tuple[openai.OpenAI, list[dict[str, Any]]]]:
    """A chat server on this machine that judges by a rule, and the bodies it was sent."""
    seen: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply({"object": "list", "data": []})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append(body)
            message = {"role": "assistant", "content": says(body["messages"][-1]["content"])}
            choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
            usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
            head = {"id": "c", "object": "chat.completion", "created": 1, "model": body["model"]}
            self._reply({**head, "choices": choices, "usage": usage})

        def _reply(self, content: dict[str, Any]) -> None:
            text = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/v1"
        yield openai.OpenAI(base_url=url, api_key="k", max_retries=0), seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def own_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are kept on the disk by what was asked: each test keeps its own."""
    monkeypatch.setenv("FINETUNE_BUILD", str(tmp_path / "build"))


def test_the_judge_is_asked_both_ways_round_as_the_api_has_it() -> None:
    with judging(lambda text: '{"better": 0}') as (client, seen):
        judge_pairs(client, "judge", PAIRS[:1], criterion="which is shorter.")
    assert len(seen) == 2
    for body in seen:
        TypeAdapter(completion_create_params.CompletionCreateParamsNonStreaming).validate_python(body)
        assert (body["model"], body["temperature"], body["seed"]) == ("judge", 0, 1)
        (message,) = body["messages"]
        assert "which is shorter." in message["content"] and "Question 0?" in message["content"]
    orders = [body["messages"][0]["content"].index("Answer 0.") for body in seen]
    others = [body["messages"][0]["content"].index("Other 0, longer.") for body in seen]
    assert sorted(a < b for a, b in zip(orders, others, strict=True)) == [False, True]


def longer(text: str) -> str:
    """A judge that looks at the answers: the longer one is better."""
    first, second = text.split("[Answer 1]\n")[1].split("\n\nSay")[0].split("\n\n[Answer 2]\n")
    return f'The longer one.\n{{"better": {1 if len(first) > len(second) else 2}}}'


def test_a_judge_that_looks_is_consistent_and_its_agreement_is_counted() -> None:
    with judging(longer) as (client, _):
        report = judge_pairs(client, "judge", PAIRS, people=["b", "b", "a", None])
    assert report.verdicts == ["b"] * 4 and report.failed == 0
    assert (report.first, report.consistent, report.judged_by_people) == (0.5, 1.0, 3)
    assert report.agreement == pytest.approx(2 / 3) and report.kappa == pytest.approx(0)
    assert "agrees on 0.67 (0.21 to 0.94) of 3 pairs" in str(report)


def test_a_judge_that_likes_the_first_gives_itself_away() -> None:
    with judging(lambda text: '{"better": 1}') as (client, _):
        report = judge_pairs(client, "judge", PAIRS)
    assert report.verdicts == ["tie"] * 4 and (report.first, report.consistent) == (1.0, 0.0)
    assert report.agreement is None and "not checked" in str(report)


def test_what_cannot_be_read_is_counted_as_failed() -> None:
    def sometimes(text: str) -> str:
        return longer(text) if "Question 1" in text or "Question 3" in text else '{"better": "a"}, I think'

    with judging(sometimes) as (client, _):
        report = judge_pairs(client, "judge", PAIRS, people=["b"] * 4)
    assert report.verdicts == [None, "b", None, "b"] and report.failed == 2
    assert (report.consistent, report.agreement, report.judged_by_people) == (1.0, 1.0, 2)
    assert "failed 2" in str(report)


def test_braces_in_answers_reach_the_judge_as_they_are() -> None:
    pair: Pair = {"question": "{question} {{ x }}", "a": '{"better": 2}', "b": "{first}"}
    text = question(pair, ("a", "b"), "c")[0]["content"]
    assert '[Answer 1]\n{"better": 2}\n\n[Answer 2]\n{first}\n\n' in text and "{question} {{ x }}" in text


def test_kappa_is_as_its_paper_has_it() -> None:
    """Cohen, 1960: 45 and 15 agreed, 25 and 15 not; p_o 0.6, p_e 0.54."""
    pairs = [("yes", "yes")] * 45 + [("yes", "no")] * 15 + [("no", "yes")] * 25 + [("no", "no")] * 15
    assert kappa(pairs) == pytest.approx((0.6 - 0.54) / 0.46)
    assert kappa([]) is None and kappa([("a", "a")]) is None


def test_no_judge_is_run_where_none_is_configured(client: openai.OpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FINETUNE_JUDGE", raising=False)
    with pytest.raises(Explained, match="No judge is configured"):
        judge_model(client)
    monkeypatch.setenv("FINETUNE_JUDGE", "tiny")
    with pytest.raises(Explained, match="refuses as a judge: `tiny` cannot judge"):
        judge_model(client)
    monkeypatch.setenv("FINETUNE_JUDGE", "no-such-model")
    with pytest.raises(Explained, match="does not exist"):
        judge_model(client)


@pytest.fixture(scope="module")
def judge_service(tmp_path_factory: pytest.TempPathFactory, tiny_bases: Path) -> Iterator[LiveService]:
    """A service with a base that its owner says can judge."""
    bases = tmp_path_factory.mktemp("judges")
    shutil.copytree(tiny_bases / "tiny", bases / "tiny-judge")
    path = bases / "tiny-judge" / "config.json"
    config = json.loads(path.read_text())
    config |= {"max_position_embeddings": 1024, "fine_tuning": {"judge": True}}
    path.write_text(json.dumps(config))
    with live_service(tmp_path_factory.mktemp("judge-service"), bases) as running:
        yield running


def test_a_judge_without_sense_is_counted_as_failed(
    judge_service: LiveService, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = judge_service.client
    monkeypatch.setenv("FINETUNE_JUDGE", "tiny-judge")
    assert judge_model(client) == "tiny-judge"
    grader = score_grader("tiny-judge", "is it right?") | {"sampling_params": {"max_completions_tokens": 20}}
    example = {"question": "q", "reference": "r"}
    for graders in (Graders(grader, client=client), Graders(grader, judge=client)):
        result = graders.results("a", example)["judge"]
        assert "gave no number" in result["metadata"]["scores"]["error"]
        assert result["metadata"]["errors"]["model_grader_parse_error"] and result["reward"] == 0
        used = result["model_grader_token_usage_per_model"]["tiny-judge"]
        assert used["completion_tokens"] <= 20 and used["total_tokens"] == result["metadata"]["token_usage"]
        with pytest.raises(Explained, match="gave no number"):
            graders("a", example)


def test_a_score_is_asked_for_as_the_api_has_it_and_read() -> None:
    grader = score_grader("judge", "is it right?")
    with judging(lambda text: '{"steps": [], "result": 0.75}') as (client, seen):
        result = Graders(grader, judge=client).results("The answer.", {"question": "Q?", "reference": "R."})["judge"]
    assert (result["reward"], result["metadata"]["scores"], result["metadata"]["token_usage"]) == (0.75, {}, 2)
    assert result["metadata"]["sampled_model_name"] == "judge"
    (body,) = seen
    TypeAdapter(completion_create_params.CompletionCreateParamsNonStreaming).validate_python(body)
    text = body["messages"][-1]["content"]
    assert "[Question]\nQ?" in text and "[Reference]\nR." in text and "[Answer]\nThe answer." in text
    assert text.endswith('"result": a number from 0 to 1}') and "{{" not in text
