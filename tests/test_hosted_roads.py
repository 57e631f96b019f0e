"""The roads to services elsewhere, without an account: what goes over the wire, what it may cost, what refusals say.

The local service stands for OpenAI, Azure and a server at an address, behind a relay that notes every request and can
answer in its place as those services do when they refuse.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import nbformat
import openai
import pytest
from live_service import LiveService, examples, live_service
from nbclient import NotebookClient
from planted_files import example

from helpers import Explained, connect, connection, own_run, service_errors, spending
from helpers.asking import ask_all, requests
from helpers.evaluate import ask
from helpers.tokens import OverBudget, training_cost
from helpers.workspace import read_jsonl, tuned_model, write_jsonl, write_whole

MODEL = "gpt-4o-2024-08-06"
QUICK: dict[str, Any] = {"suffix": "road", "n_epochs": 1, "batch_size": 4}
HELLO: Any = [{"role": "user", "content": "number 3"}]
REFUSALS: dict[str, tuple[int, dict[str, str], dict[str, Any]]] = {
    "401": (401, {}, {"code": "invalid_api_key", "message": "Incorrect API key provided."}),
    "403": (403, {}, {"code": "training_not_available", "message": "OpenAI is winding down the platform."}),
    "429": (429, {"x-should-retry": "false"}, {"code": "rate_limit_exceeded", "message": "Rate limit reached."}),
    "quota": (429, {"x-should-retry": "false"}, {"code": "insufficient_quota", "message": "You exceeded your quota."}),
    "404": (404, {}, {"code": "model_not_found", "message": "The model does not exist."}),
    "500": (500, {"x-should-retry": "false"}, {"code": None, "message": "The server had an error."}),
    "deployment": (404, {}, {"code": "DeploymentNotFound", "message": "The API deployment does not exist."}),
}


@dataclass
class Request:
    """One request as it went over the wire."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)


@dataclass
class Relay:
    """Passes requests on to the local service and notes them; `refuse` answers them in its place, or None."""

    service: LiveService
    seen: list[Request] = field(default_factory=list)
    refuse: Callable[[Request], str | None] = lambda request: None
    root: str = ""

    def paths(self) -> list[str]:
        return [f"{request.method} {request.path}" for request in self.seen]

    def one(self, end: str) -> Request:
        """The one POST whose path ends so."""
        [found] = [request for request in self.seen if request.method == "POST" and request.path.endswith(end)]
        return found


def handler(relay: Relay) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url, length = urlsplit(self.path), int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, unquote(url.path), parse_qs(url.query), headers, self.rfile.read(length))
            relay.seen.append(request)
            refusal = relay.refuse(request)
            if refusal == "drop":
                self.close_connection = True
                self.connection.close()
            elif refusal:
                status, more, error = REFUSALS[refusal]
                body = json.dumps({"error": {"type": "error", "param": None, **error}}).encode()
                self.answer(status, {"Content-Type": "application/json", **more}, body)
            else:
                target = urlsplit(relay.service.url)
                passed = http.client.HTTPConnection(target.hostname or "", target.port, timeout=90)
                passed.request(self.command, self.path, request.body, {**headers, "host": target.netloc})
                reply = passed.getresponse()
                kept = {name: value for name, value in reply.getheaders() if name.lower() == "content-type"}
                self.answer(reply.status, kept, reply.read())

        do_POST = do_GET

        def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    return Handler


@pytest.fixture(scope="module")
def aliased(tmp_path_factory: pytest.TempPathFactory, tiny_bases: Path) -> Iterator[LiveService]:
    """A local service that answers to the name of GPT-4o too."""
    with live_service(tmp_path_factory.mktemp("roads"), tiny_bases, "--alias", f"{MODEL}=tiny") as running:
        yield running


@pytest.fixture
def relay(aliased: LiveService, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    """The relay, with every variable set that OpenAI and Azure want."""
    relay = Relay(aliased)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(relay))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    relay.root = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setattr(connection, "OPENAI_URL", f"{relay.root}/v1")
    for name, value in {
        "OPENAI_API_KEY": aliased.key,
        "AZURE_OPENAI_ENDPOINT": relay.root,
        "AZURE_OPENAI_API_KEY": aliased.key,
        "OPENAI_API_VERSION": "2025-04-01-preview",
    }.items():
        monkeypatch.setenv(name, value)
    # By their names these services are not on this machine, so what holds for services elsewhere holds for them.
    monkeypatch.setattr(service_errors, "HERE", set())
    yield relay
    server.shutdown()
    server.server_close()


@pytest.fixture
def train(tmp_path: Path) -> Path:
    return write_jsonl(tmp_path / "train.jsonl", examples(12))


# What goes over the wire ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "prefix", "chat", "seed"),
    [
        ("openai", "/v1", "/v1/chat/completions", 11),
        ("azure", "/openai", "/openai/deployments/{model}/chat/completions", 12),
        ("address", "/v1", "/v1/chat/completions", 13),
    ],
)
def test_each_road_sends_the_same_to_its_own_paths(
    relay: Relay, train: Path, name: str, prefix: str, chat: str, seed: int
) -> None:
    service = connect(f"{relay.root}/v1" if name == "address" else name, MODEL, ceiling=1.0, quiet=True)
    model = tuned_model(service, train, seed=seed, **QUICK)
    [answer] = ask(service.client, model, [HELLO], max_tokens=2)
    assert model.startswith(f"ft:{MODEL}:local:road:") and answer.completion_tokens <= 2

    assert relay.paths()[0] == f"GET {prefix}/models"
    upload = relay.one(f"{prefix}/files")
    assert upload.headers["content-type"].startswith("multipart/form-data")
    assert b'name="purpose"\r\n\r\nfine-tune' in upload.body and train.read_bytes() in upload.body
    created = relay.one(f"{prefix}/fine_tuning/jobs").json
    hyperparameters = {"n_epochs": 1, "batch_size": 4, "learning_rate_multiplier": "auto"}
    assert created.pop("training_file").startswith("file-") and set(created.pop("metadata")) >= {"train_sha256", "seed"}
    assert created == {
        "model": MODEL,
        "validation_file": None,
        "suffix": "road",
        "seed": seed,
        "method": {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}},
    }
    asked = relay.one(chat.format(model=model))
    assert asked.json == {"model": model, "messages": HELLO, "max_completion_tokens": 2, "temperature": 0, "seed": 1}
    for request in relay.seen:
        assert request.path.startswith(prefix + "/")
        if name == "azure":
            assert request.headers["api-key"] == relay.service.key and "authorization" not in request.headers
            assert request.query["api-version"] == ["2025-04-01-preview"]
        else:
            assert request.headers["authorization"] == f"Bearer {relay.service.key}"
            assert "api-key" not in request.headers and "api-version" not in request.query
        assert relay.service.key.encode() not in request.body


# What it may cost -----------------------------------------------------------------------------------------------------


def posts(relay: Relay) -> list[str]:
    return [path for path in relay.paths() if path.startswith("POST")]


def test_without_a_ceiling_nothing_that_costs_is_sent(relay: Relay, train: Path) -> None:
    with pytest.raises(OverBudget, match=r"Nobody agreed.*nothing was sent.*\$0\.0.*ceiling=….*connect\('local'\)"):
        tuned_model(connect("openai", quiet=True), train, **QUICK)
    assert posts(relay) == []


def test_over_the_ceiling_nothing_is_sent_and_under_it_the_price_is_told(
    relay: Relay, train: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cost = training_cost([row["messages"] for row in examples(12)], MODEL, 1)
    assert cost.dollars is not None
    monkeypatch.setenv("FINETUNE_CEILING", str(cost.dollars * 0.9))
    with pytest.raises(OverBudget, match=r"over your ceiling.*nothing was sent.*connect\('local'\)"):
        tuned_model(connect("openai", quiet=True), train, **QUICK)
    assert posts(relay) == []
    capsys.readouterr()
    monkeypatch.setenv("FINETUNE_CEILING", str(cost.dollars))
    relay.refuse = lambda request: "403" if request.path.endswith("/jobs") and request.method == "POST" else None
    with pytest.raises(Explained):
        tuned_model(connect("openai", quiet=True), train, **QUICK)
    assert str(cost) in capsys.readouterr().out and len(posts(relay)) == 2
    monkeypatch.setenv("FINETUNE_CEILING", "twenty")
    with pytest.raises(Explained, match=r"FINETUNE_CEILING is 'twenty'.*number of dollars"):
        connect("openai", quiet=True)


@pytest.mark.parametrize(("typed", "sent"), [("yes", 2), (" YES ", 2), ("y", 0), ("", 0), (None, 0)])
def test_somebody_who_is_there_is_asked(
    relay: Relay, train: Path, monkeypatch: pytest.MonkeyPatch, typed: str | None, sent: int
) -> None:
    questions = []

    def answer(question: str) -> str:
        questions.append(question)
        if typed is None:
            raise EOFError
        return typed

    monkeypatch.setattr(spending, "is_watched", lambda: True)
    monkeypatch.setattr("builtins.input", answer)
    relay.refuse = lambda request: "403" if request.path.endswith("/jobs") and request.method == "POST" else None
    with pytest.raises(Explained if sent else OverBudget):
        tuned_model(connect("openai", quiet=True), train, **QUICK)
    assert len(questions) == 1 and "yes" in questions[0] and len(posts(relay)) == sent


def test_what_cannot_be_priced_wants_a_yes_as_well(relay: Relay, train: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    services = [connect(f"{relay.root}/v1", "tiny", ceiling=ceiling, quiet=True) for ceiling in (None, 5.0)]
    monkeypatch.setattr(spending, "HERE", set())
    relay.refuse = lambda request: "404" if request.path.endswith("/models") else None  # it does not say whose they are
    with pytest.raises(OverBudget, match=r"Nobody agreed.*not known here"):
        tuned_model(services[0], train, **QUICK)
    with pytest.raises(OverBudget, match=r"not known here.*over your ceiling"):
        tuned_model(services[1], train, **QUICK)
    with pytest.raises(OverBudget, match=r"not known here, so nothing was sent"):
        spending.check_ceiling(spending.at_most(services[0].client, requests("tiny", [HELLO], 2, 0, 1)), 5.0)
    assert posts(relay) == []


def own_run_of(folder: Path, ceiling: float | None) -> Path:
    """Notebook 11's steps on OpenAI, for a table of 40 short questions."""
    said = [[m["content"] for m in example(f"fruit{number}")["messages"]] for number in range(40)]
    lines = ["question,reply", *(f"{asked.replace(',', '')},{answer}" for _, asked, answer in said)]
    data = write_whole(folder / "letters.csv", "\n".join(lines))
    columns = {"prompt_column": "question", "answer_column": "reply", "system": "", "name": ""}
    sizes = {"n_train": 12, "n_test": 10, "mask": None, **own_run.SETTINGS, "n_epochs": 1}
    return own_run.run({"data": str(data), "service": "openai", "ceiling": ceiling, **columns, **sizes})


def test_one_yes_or_one_ceiling_covers_training_and_evaluation(
    relay: Relay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FINETUNE_BUILD", str(tmp_path / "build"))
    with pytest.raises(OverBudget, match=r"Nobody agreed.*with 20 questions after it at most \$\d"):
        own_run_of(tmp_path, None)
    assert posts(relay) == []
    folder = tmp_path / "build" / "own" / "letters"
    training = training_cost([row["messages"] for row in read_jsonl(folder / "train.jsonl")], MODEL, 1)
    assert training.dollars is not None
    with pytest.raises(OverBudget, match=r"over your ceiling"):
        own_run_of(tmp_path, training.dollars * 1.01)  # enough to train, not enough to know what came of it
    assert posts(relay) == []

    questions: list[str] = []
    monkeypatch.setattr(spending, "is_watched", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: questions.append(question) or "yes")
    own_run_of(tmp_path, None)
    assert len(questions) == 1 and "Verdict: " in capsys.readouterr().out
    assert len([path for path in posts(relay) if path.endswith("/chat/completions")]) == 20


def test_a_local_service_on_another_machine_costs_nothing(
    relay: Relay, train: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = connect(f"{relay.root}/v1", "tiny", quiet=True)
    monkeypatch.setattr(spending, "HERE", set())
    model = tuned_model(service, train, seed=17, **QUICK)
    assert ask_all(service.client, requests(model, [HELLO], 2, 0, 1), ceiling=0.0)


# What refusals say ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        ("401", r"refused the key: Incorrect API key provided\..*shell that starts Jupyter"),
        ("403", r"lets this organisation create no fine-tuning jobs.*2026-05-07.*2027-01-06.*Nothing was trained"),
        ("429", r"Too many requests.*Rate limit reached\. Wait a minute"),
        ("quota", r"quota is used up.*Waiting does not help"),
        ("500", r"The service failed: The server had an error\. It is not your doing"),
        ("drop", r"cannot be reached\. Run the connect\(\) cell again"),
    ],
)
def test_a_refused_training_run_is_explained_and_the_local_service_is_the_way_on(
    relay: Relay, train: Path, monkeypatch: pytest.MonkeyPatch, refusal: str, said: str
) -> None:
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)
    service = connect("openai", ceiling=1.0, quiet=True)
    relay.refuse = lambda request: refusal if request.path.endswith("/jobs") and request.method == "POST" else None
    with pytest.raises(Explained, match=rf"^No model was tuned\..*{said}.*connect\('local'\)") as error:
        tuned_model(service, train, **QUICK)
    assert relay.service.key not in str(error.value)
    assert not isinstance(error.value, OverBudget)


@pytest.mark.parametrize("refusal", ["401", "429", "404", "500", "drop", "deployment"])
def test_a_refused_question_is_explained_too(relay: Relay, monkeypatch: pytest.MonkeyPatch, refusal: str) -> None:
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)
    service = connect("azure" if refusal == "deployment" else "openai", quiet=True)
    relay.refuse = lambda request: refusal
    expected = {"404": "client.models.list", "deployment": "notebook 10 has the command"}.get(refusal, "")
    with pytest.raises(Explained, match=rf"stopped at conversation 1 of 1\..*{expected}.*connect\('local'\)"):
        ask(service.client, MODEL, [HELLO])


def test_a_retired_model_is_told_by_its_date(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        Explained, match=r"shut gpt-4o-2024-05-13 down on 2026-10-23.*gpt-4o-2024-08-06.*connect\('local'\)"
    ):
        connect("openai", "gpt-4o-2024-05-13")
    client = connect("openai", quiet=True).client
    relay.refuse = lambda request: "404"
    with pytest.raises(Explained, match=r"does not exist\. OpenAI shut gpt-4o-2024-05-13 down on 2026-10-23"):
        ask(client, "ft:gpt-4o-2024-05-13:acme:desk:abc", [HELLO])
    with pytest.raises(Explained, match=r"does not exist\. Check the model's name"):
        ask(client, "no-such-model", [HELLO])


def test_a_request_to_this_machine_is_not_sent_to_the_local_service(service: LiveService) -> None:
    with pytest.raises(openai.NotFoundError) as error:
        service.client.chat.completions.create(model="nobody", messages=HELLO)
    assert "connect('local')" not in service_errors.explain(error.value)


def test_in_a_notebook_the_words_stand_in_place_of_a_traceback(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    relay.refuse = lambda request: "403" if request.method == "POST" else None
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    cells = [
        f"from helpers import connect\nclient = connect('{relay.root}/v1', '{MODEL}', quiet=True).client",
        f"client.fine_tuning.jobs.create(model='{MODEL}', training_file='file-x')",
        "try:\n    client.files.create(file=b'x', purpose='fine-tune')\nexcept Exception as error:\n"
        "    print(type(error).__name__, error.code)",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    NotebookClient(notebook, kernel_name="python3", allow_errors=True, timeout=120).execute()
    [shown], [caught] = notebook.cells[1].outputs, notebook.cells[2].outputs
    assert shown.output_type == "error" and shown.ename == "PermissionDeniedError"
    [line] = shown.traceback
    assert line.startswith("PermissionDeniedError: OpenAI lets this organisation create no fine-tuning jobs.")
    assert caught.text == "PermissionDeniedError training_not_available\n"
