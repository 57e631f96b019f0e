"""A tuned model in production: a user keeps a model, gets an answer whatever happens, and is not in the log."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import nbformat
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.deployment import Canary, Desk
from helpers.errors import Explained
from helpers.workspace import read_jsonl

QUESTION: Any = [{"role": "user", "content": "I am Odalys Greer, order LM-20418. Where is my kettle?"}]
FIXED = "Thank you. A colleague will write to you today."
STATUS = {"busy": 429, "broken": 500, "gone": 404, "closed": 401, "wrong": 400}


class Service(BaseHTTPRequestHandler):
    """Models by what they do: `good`, `short` and `empty` answer, `slow` takes its time, the others refuse."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        model, asked = body["model"], body["messages"][-1]["content"]
        self.server.asked.append(model)  # type: ignore[attr-defined]
        if model == "slow":
            time.sleep(1)
        if model in STATUS:
            self.answer(STATUS[model], {"error": {"message": f"Refused: {asked}", "code": None}})
            return
        text = {"empty": ""}.get(model, f"{model} says: {asked}")
        choice = {
            "index": 0,
            "finish_reason": "length" if model == "short" else "stop",
            "message": {"role": "assistant", "content": text},
        }
        usage = {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30}
        base = {"id": "x", "object": "chat.completion", "created": 1}
        self.answer(200, {**base, "model": model, "choices": [choice], "usage": usage})

    def answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        try:
            self.wfile.write(content)
        except OSError:
            assert body["model"] == "slow"  # whoever asked has gone

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def server() -> Iterator[Any]:
    running = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    running.asked = []  # type: ignore[attr-defined]
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture
def client(server: Any) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"http://127.0.0.1:{server.server_address[1]}/v1", api_key="k")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.jsonl"


def desk(client: openai.OpenAI, log: Path, **more: Any) -> Desk:
    return Desk(client, fixed=FIXED, log=log, **{"retries": 0, "timeout": 30.0, **more})


# Which model a user gets ----------------------------------------------------------------------------------------------

users = st.text(max_size=20)
shares = st.floats(0, 1)


@given(users, shares, shares)
def test_a_user_keeps_the_candidate_while_the_share_grows(user: str, one: float, other: float) -> None:
    less, more = sorted([one, other])
    chosen = Canary("old", "new", less).model_for(user)
    assert chosen in ("old", "new") and chosen == Canary("old", "new", less).model_for(user)
    assert chosen == "old" or Canary("old", "new", more).model_for(user) == "new"


@given(users)
def test_share_0_is_a_rollback_and_share_1_a_promotion(user: str) -> None:
    assert Canary("old", "new", 0).model_for(user) == "old"
    assert Canary("old", "new", 1).model_for(user) == "new"


def test_the_share_is_kept_and_another_candidate_meets_other_users() -> None:
    names = [f"user-{number}" for number in range(4000)]
    first = {name for name in names if Canary("old", "new", 0.1).model_for(name) == "new"}
    second = {name for name in names if Canary("old", "newer", 0.1).model_for(name) == "newer"}
    assert abs(len(first) - 400) < 80 and abs(len(second) - 400) < 80  # four standard deviations
    assert len(first & second) < 90  # 40 in the mean, where the two have nothing to do with each other


def test_the_choice_is_the_same_on_every_machine() -> None:
    chosen = [Canary("old", "new", 0.5).model_for(f"user-{number}") for number in range(8)]
    assert chosen == ["old", "new", "new", "old", "new", "old", "new", "old"]


@pytest.mark.parametrize("share", [-0.1, 1.1, 10, float("nan")])
def test_a_share_that_is_none_is_explained(share: float) -> None:
    with pytest.raises(Explained, match=r"fraction from 0 to 1.*A tenth is 0\.1"):
        Canary("old", "new", share)


# An answer whatever happens -------------------------------------------------------------------------------------------


def test_a_good_answer_is_passed_on(client: openai.OpenAI, log: Path) -> None:
    reply = desk(client, log, fallbacks=["good"]).answer("good", QUESTION)
    assert reply.text.startswith("good says: I am Odalys") and (reply.model, reply.failures) == ("good", {})


@pytest.mark.parametrize(
    ("model", "outcome"),
    [
        ("busy", "RateLimitError"),
        ("broken", "InternalServerError"),
        ("gone", "NotFoundError"),
        ("closed", "AuthenticationError"),
        ("short", "cut"),
        ("empty", "not_good"),
    ],
)
def test_a_failure_leads_to_the_fallback_and_then_to_the_fixed_reply(
    client: openai.OpenAI, log: Path, model: str, outcome: str
) -> None:
    reply = desk(client, log, fallbacks=["good"]).answer(model, QUESTION)
    assert (reply.model, reply.failures) == ("good", {model: outcome})
    reply = desk(client, log, fallbacks=[model, "gone"]).answer(model, QUESTION)
    assert (reply.text, reply.model) == (FIXED, "")
    assert reply.failures == {model: outcome, "gone": "NotFoundError"}


def test_who_is_too_slow_is_not_waited_for(client: openai.OpenAI, log: Path) -> None:
    reply = desk(client, log, fallbacks=["good"], timeout=0.3).answer("slow", QUESTION)
    assert (reply.model, reply.failures) == ("good", {"slow": "APITimeoutError"})
    nowhere = openai.OpenAI(base_url="http://127.0.0.1:9/v1", api_key="k")
    assert desk(nowhere, log).answer("good", QUESTION).failures == {"good": "APIConnectionError"}


def test_what_may_pass_is_tried_again(client: openai.OpenAI, server: Any, log: Path) -> None:
    desk(client, log, retries=1).answer("broken", QUESTION)
    desk(client, log, retries=1).answer("gone", QUESTION)
    assert server.asked == ["broken", "broken", "gone"]


def test_an_answer_is_judged_before_anybody_reads_it(client: openai.OpenAI, log: Path) -> None:
    judging = desk(client, log, is_good=lambda text, asked: asked == QUESTION and "sorry" in text)
    reply = judging.answer("good", QUESTION)
    assert (reply.text, reply.failures) == (FIXED, {"good": "not_good"})


def test_a_mistake_of_our_own_is_loud_and_in_the_log(client: openai.OpenAI, log: Path) -> None:
    with pytest.raises(openai.BadRequestError):
        desk(client, log, fallbacks=["good"]).answer("wrong", QUESTION)
    assert [row["outcome"] for row in read_jsonl(log)] == ["BadRequestError"]


# A log without people in it -------------------------------------------------------------------------------------------


def test_the_log_holds_what_happened_and_nothing_that_anybody_wrote(client: openai.OpenAI, log: Path) -> None:
    for model in ("good", "busy", "gone", "empty"):
        desk(client, log, fallbacks=["good"]).answer(model, QUESTION, {"unfamiliar": 0.25})
    rows = read_jsonl(log)
    assert [row["outcome"] for row in rows] == ["ok", "RateLimitError", "ok", "NotFoundError", "ok", "not_good", "ok"]
    names = {"at", "model", "outcome", "seconds", "prompt_tokens", "completion_tokens", "place", "unfamiliar"}
    assert [row["place"] for row in rows] == [0, 0, 1, 0, 1, 0, 1]
    assert all(set(row) == names for row in rows) and rows[0]["completion_tokens"] == 10
    written = log.read_text()
    assert not [word for word in ("Odalys", "Greer", "20418", "kettle", "says", "Refused") if word in written]


def test_only_numbers_can_be_measured(client: openai.OpenAI, log: Path) -> None:
    with pytest.raises(ValueError, match="could not convert"):
        desk(client, log).answer("good", QUESTION, {"user": "Odalys"})  # type: ignore[dict-item]
    assert not log.exists()


def test_many_at_once_leave_whole_lines(client: openai.OpenAI, log: Path) -> None:
    busy = desk(client, log)
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: busy.answer("good", QUESTION), range(40)))
    assert len(read_jsonl(log)) == 40 and all(reply.model == "good" for reply in replies)


# What notebook 10 tells to do -----------------------------------------------------------------------------------------


def test_every_command_of_the_checklist_says_whether_it_was_run_here() -> None:
    path = Path(__file__).resolve().parents[1] / "notebooks" / "10_deployment.ipynb"
    [text] = [cell.source for cell in nbformat.read(path, as_version=4).cells if "### The checklist" in cell.source]
    rows = [line.split(" | ") for line in text.splitlines() if re.match(r"\| \d+ ", line)]
    assert len(rows) == 10 and all(re.search(r"\((not run|run)\b", step) for step, _ in rows)
    told = " ".join(what for _, what in rows)
    for named in ("helpers export", "vllm serve", "llama-server", "ollama create", "trl sft", "--num_processes", "az "):
        assert named in told
    unlike = [step for step, what in rows if "(run" in step and re.search("vllm|llama|ollama|trl|az ", what)]
    assert unlike == [], "what was not run must not say that it was"
