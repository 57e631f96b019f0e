"""Every answer is an object of OpenAI's API, strictly; every error has its body; whatever is sent, nothing breaks."""

import json
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from conformance import check_error, check_list, check_object
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live_service import LiveService, examples, pairs
from openai.types import Batch, FileDeleted, FileObject, Model, ModelDeleted, Upload
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
from openai.types.fine_tuning.alpha import GraderRunResponse, GraderValidateResponse
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint
from openai.types.uploads import UploadPart

QUICK = {"n_epochs": 2, "batch_size": 5}
HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture(scope="module")
def http(service: LiveService) -> httpx2.Client:
    """The service without the SDK, so that its words are seen as they are."""
    headers = {"Authorization": f"Bearer {service.key}"}
    return httpx2.Client(base_url=f"{service.url}/", headers=headers, timeout=60)


@pytest.fixture(scope="module")
def jobs(service: LiveService) -> list[Any]:
    """Jobs in the states that stay: succeeded by both methods, failed."""
    validation = service.upload(examples(4, seed=1))
    return [
        service.train(examples(10), "tiny", hyperparameters=QUICK, validation_file=validation, suffix="conform"),
        service.train(pairs(10), "tiny", method={"type": "dpo", "dpo": {"hyperparameters": QUICK}}),
        service.train(examples(3), "tiny"),
    ]


def test_files(service: LiveService, http: httpx2.Client) -> None:
    data = {"purpose": "fine-tune", "expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    made = http.post("files", data=data, files={"file": ("a.jsonl", b"{}\n")}).json()
    check_object(made, FileObject)
    check_object(http.get(f"files/{made['id']}").json(), FileObject)
    for query in ({}, {"limit": "1"}, {"purpose": "vision"}):
        check_list(http.get("files", params=query).json(), FileObject, ends=True)
    check_object(http.delete(f"files/{made['id']}").json(), FileDeleted)


def test_jobs_in_every_state(service: LiveService, http: httpx2.Client, jobs: list[Any]) -> None:
    assert [job.status for job in jobs] == ["succeeded", "succeeded", "failed"]
    body = {"model": "tiny", "training_file": service.upload(examples(10)), "hyperparameters": {"n_epochs": 50}}
    made = http.post("fine_tuning/jobs", json=body).json()
    check_object(made, FineTuningJob)
    service.wait(made["id"], "running")
    check_object(http.get(f"fine_tuning/jobs/{made['id']}").json(), FineTuningJob)
    paused = http.post(f"fine_tuning/jobs/{made['id']}/pause").json()
    assert paused["status"] == "paused"  # which the package's type does not know; all else is as it says
    check_object({**paused, "status": "running"}, FineTuningJob)
    check_object(http.post(f"fine_tuning/jobs/{made['id']}/cancel").json(), FineTuningJob)
    for query in ({}, {"limit": "1"}, {"metadata[no]": "such"}):
        check_list(http.get("fine_tuning/jobs", params=query).json(), FineTuningJob)
    for job in [*(job.id for job in jobs), made["id"]]:
        check_object(http.get(f"fine_tuning/jobs/{job}").json(), FineTuningJob)
        check_list(http.get(f"fine_tuning/jobs/{job}/events").json(), FineTuningJobEvent)
        answer = http.get(f"fine_tuning/jobs/{job}/checkpoints").json()
        check_list(answer, FineTuningJobCheckpoint, ends=True)


def test_models(service: LiveService, http: httpx2.Client, jobs: list[Any]) -> None:
    check_list(http.get("models").json(), Model, pages=False)
    name = service.client.fine_tuning.jobs.checkpoints.list(jobs[0].id).data[1].fine_tuned_model_checkpoint
    check_object(http.get(f"models/{name}").json(), Model)
    check_object(http.delete(f"models/{name}").json(), ModelDeleted)


@pytest.mark.parametrize("more", [{}, {"n": 2, "seed": 1}, {"logprobs": True, "top_logprobs": 2}, {"stop": "a"}])
def test_chats(http: httpx2.Client, more: dict[str, Any]) -> None:
    body = {"model": "tiny", "messages": HELLO, "max_completion_tokens": 4, **more}
    check_object(http.post("chat/completions", json=body).json(), ChatCompletion)
    streamed = http.post("chat/completions", json={**body, "stream": True, "stream_options": {"include_usage": True}})
    pieces = [line.removeprefix("data: ") for line in streamed.text.splitlines() if line]
    assert pieces.pop() == "[DONE]"
    for piece in map(json.loads, pieces):
        check_object(piece, ChatCompletionChunk)
    assert json.loads(pieces[-1])["usage"]["total_tokens"] > 0


def test_uploads(http: httpx2.Client) -> None:
    content = b'{"a": 1}\n'
    body = {"filename": "a.jsonl", "purpose": "fine-tune", "bytes": len(content), "mime_type": "text/jsonl"}
    made, other = (http.post("uploads", json=body).json() for _ in range(2))
    check_object(made, Upload)
    part = http.post(f"uploads/{made['id']}/parts", files={"data": ("part", content)}).json()
    check_object(part, UploadPart)
    check_object(http.post(f"uploads/{made['id']}/complete", json={"part_ids": [part["id"]]}).json(), Upload)
    check_object(http.post(f"uploads/{other['id']}/cancel").json(), Upload)


def test_batches(http: httpx2.Client) -> None:
    """Of many long answers, so that it is still at work when it is cancelled."""
    url = "/v1/chat/completions"
    body: Any = {"model": "tiny", "messages": HELLO, "max_tokens": 100}
    lines = [{"custom_id": str(index), "method": "POST", "url": url, "body": body} for index in range(300)]
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    file = http.post("files", data={"purpose": "batch"}, files={"file": ("a.jsonl", content)}).json()
    check_object(file, FileObject)
    body = {"input_file_id": file["id"], "endpoint": url, "completion_window": "24h", "metadata": {"a": "b"}}
    made = http.post("batches", json=body).json()
    check_object(made, Batch)
    check_object(http.post(f"batches/{made['id']}/cancel").json(), Batch)
    check_object(http.get(f"batches/{made['id']}").json(), Batch)
    check_list(http.get("batches").json(), Batch, ends=True)


def test_graders(http: httpx2.Client) -> None:
    words = {
        "type": "string_check",
        "name": "same",
        "input": "{{sample.output_text}}",
        "reference": "a",
        "operation": "eq",
    }
    alike = {"type": "text_similarity", "name": "alike", "input": "a", "reference": "a", "evaluation_metric": "bleu"}
    for grader in (words, alike):
        ran = http.post(
            "fine_tuning/alpha/graders/run", json={"grader": grader, "model_sample": "a", "item": {}}
        ).json()
        check_object(ran, GraderRunResponse)
        valid = http.post("fine_tuning/alpha/graders/validate", json={"grader": grader}).json()
        check_object(valid, GraderValidateResponse)


def test_errors_of_every_kind(service: LiveService, http: httpx2.Client) -> None:
    answers = {
        400: http.post("chat/completions", content=b"{"),
        401: httpx2.get(f"{service.url}/models"),
        403: httpx2.get(f"{service.url}/models", headers={"Host": "evil.example"}),
        404: http.get("fine_tuning/jobs/ftjob-none"),
        405: http.put("files"),
        413: http.post("chat/completions", content=b" " * (9 * 1024 * 1024)),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        check_error(answer.json())
        assert answer.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize(
    ("method", "path", "what"),
    [
        ("POST", "responses", "Responses API"),
        ("POST", "completions", "Completions API"),
        ("POST", "embeddings", "embeddings"),
        ("GET", "evals", "Evals API"),
        ("POST", "evals/eval_1/runs", "Evals API"),
        ("GET", "chat/completions", "stored chat completions"),
        ("DELETE", "chat/completions/chatcmpl-1", "stored chat completions"),
        ("GET", "fine_tuning/checkpoints/ft:tiny:local::abc:ckpt-step-2/permissions", "checkpoint permissions"),
        ("POST", "moderations", "moderation"),
        ("GET", "vector_stores/vs_1/files", "vector stores"),
    ],
)
def test_what_is_not_offered_says_so(http: httpx2.Client, method: str, path: str, what: str) -> None:
    answer = http.request(method, path, json={})
    check_error(answer.json())
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "not_offered")
    assert error["message"].startswith("The local service does not offer ") and what in error["message"]


# Requests at random: over all routes, with bodies that are nearly right. The file they name has too few examples, so
# that jobs which are accepted fail quickly. Numbers may be infinite or not numbers: many parsers of JSON take them.

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KNOWN = ["tiny", "gpt-4o", "auto", "dpo", "supervised", "reinforcement", "user", "assistant", "fine-tune", "text", ""]
VALUES = st.sampled_from(KNOWN) | JSON
HYPERPARAMETERS = st.dictionaries(
    st.sampled_from(["n_epochs", "batch_size", "learning_rate_multiplier", "beta"]),
    st.sampled_from([0, 1, 2.5, -1, "auto", None, 10**30]) | JSON,
)
METHOD = st.fixed_dictionaries(
    {"type": st.sampled_from(["supervised", "dpo", "reinforcement"]) | VALUES},
    optional={
        "supervised": st.fixed_dictionaries({"hyperparameters": HYPERPARAMETERS}) | JSON,
        "dpo": st.fixed_dictionaries({"hyperparameters": HYPERPARAMETERS}) | JSON,
    },
)
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system", "tool"]) | VALUES, "content": st.text(max_size=20) | JSON},
    optional={"name": VALUES, "tool_calls": JSON},
)
CHAT = st.fixed_dictionaries(
    {
        "model": st.just("tiny") | VALUES,
        "messages": st.lists(MESSAGE, max_size=3) | JSON,
        "max_tokens": st.just(2) | JSON,
    },
    optional={
        "temperature": st.just(1) | JSON, "top_p": st.just(0.5) | JSON, "seed": st.integers() | JSON,
        "stop": st.text(max_size=3) | JSON, "n": st.just(2) | JSON, "logprobs": st.booleans() | JSON,
        "top_logprobs": st.integers(0, 21) | JSON, "stream": st.booleans() | JSON, "tools": JSON,
        "response_format": st.fixed_dictionaries({"type": VALUES}) | JSON, "stream_options": JSON,
    },
)  # fmt: skip
QUERIES = st.dictionaries(
    st.sampled_from(["limit", "after", "order", "purpose", "metadata[a]", "metadata[", "api-version"]),
    st.text(max_size=10) | st.sampled_from(["1", "0", "-1", "99999999999", "asc", "desc"]),
    max_size=3,
)
PATHS = st.sampled_from(
    [
        "/v1/files", "/v1/files/{}", "/v1/files/{}/content", "/v1/models", "/v1/models/{}", "/v1/fine_tuning/jobs",
        "/v1/fine_tuning/jobs/{}", "/v1/fine_tuning/jobs/{}/events", "/v1/fine_tuning/jobs/{}/checkpoints",
        "/v1/fine_tuning/jobs/{}/cancel", "/v1/fine_tuning/jobs/{}/pause", "/v1/fine_tuning/jobs/{}/resume",
        "/v1/chat/completions", "/v1/fine_tuning/alpha/graders/run", "/v1/fine_tuning/alpha/graders/validate",
        "/v1/uploads", "/v1/uploads/{}/parts", "/v1/uploads/{}/complete", "/v1/uploads/{}/cancel", "/v1/batches",
        "/v1/batches/{}", "/v1/batches/{}/cancel", "/v1/{}", "/openai/files", "/openai/fine_tuning/jobs",
        "/openai/deployments/{}/chat/completions", "/openai/v1/models", "/health",
    ]
)  # fmt: skip
TRIES = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def check_answer(answer: httpx2.Response) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        check_error(answer.json())


@TRIES
@given(
    method=st.sampled_from(["GET", "POST", "DELETE", "PUT", "PATCH"]),
    path=PATHS,
    name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
    | st.sampled_from(["tiny", "..", "%"]),
    query=QUERIES,
    body=JSON,
)
def test_any_request_is_answered_in_good_form(
    service: LiveService, http: httpx2.Client, method: str, path: str, name: str, query: dict[str, str], body: Any
) -> None:
    url = service.url.removesuffix("/v1") + path.replace("{}", quote(name, safe=""))
    content = json.dumps(body) if method in ("POST", "PUT", "PATCH") else None
    check_answer(http.request(method, url, params=query, content=content))


@TRIES
@given(
    body=st.fixed_dictionaries(
        {"model": st.just("tiny") | VALUES, "training_file": st.just("FILE") | VALUES},
        optional={
            "validation_file": st.just("FILE") | VALUES, "suffix": st.text(max_size=70) | JSON,
            "seed": st.integers() | JSON,
            "metadata": st.dictionaries(st.text(max_size=70), st.text(max_size=5), max_size=2) | JSON,
            "integrations": JSON, "method": METHOD, "hyperparameters": HYPERPARAMETERS | JSON,
        },
    )
)  # fmt: skip
def test_any_job_is_taken_or_refused_in_good_form(few_examples: str, http: httpx2.Client, body: dict[str, Any]) -> None:
    filled = {name: few_examples if value == "FILE" else value for name, value in body.items()}
    answer = http.post("fine_tuning/jobs", content=json.dumps(filled))
    check_answer(answer)
    if answer.status_code == 200:
        check_object(answer.json(), FineTuningJob)


@pytest.fixture(scope="module")
def few_examples(service: LiveService) -> str:
    return service.upload(examples(2))


@TRIES
@given(body=CHAT)
def test_any_chat_is_answered_in_good_form(http: httpx2.Client, body: dict[str, Any]) -> None:
    answer = http.post("chat/completions", content=json.dumps(body))
    check_answer(answer)
    if answer.status_code == 200 and answer.headers["content-type"] == "application/json":
        check_object(answer.json(), ChatCompletion)


@TRIES
@given(
    content=st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()),
    filename=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12) | st.just("a.jsonl"),
    fields=st.dictionaries(
        st.sampled_from(["purpose", "expires_after[anchor]", "expires_after[seconds]"]),
        st.sampled_from(["fine-tune", "user_data", "created_at", "3600", "-1", "x"]),
    ),
)
def test_any_upload_is_kept_or_refused_in_good_form(
    http: httpx2.Client, content: bytes, filename: str, fields: dict[str, str]
) -> None:
    answer = http.post("files", data=fields, files={"file": (filename, content)})
    check_answer(answer)
    if answer.status_code == 200:
        check_object(answer.json(), FileObject)
        assert http.get(f"files/{answer.json()['id']}/content").content == content
