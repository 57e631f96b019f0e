"""connect(): every service by one setting, and a message that helps where it cannot be had."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import openai
import pytest
from live_service import LiveService, examples

from helpers import Explained, connect, connection
from helpers.connection import LOCAL_MODEL, sizes
from helpers.stop import stop_service
from helpers.tokens import price_table

KEY = "right-key"


class Hosted(BaseHTTPRequestHandler):
    """What connect() asks of a hosted service: its list of models, for those who have the key."""

    def do_GET(self) -> None:
        keys = (self.headers.get("Authorization", "").removeprefix("Bearer "), self.headers.get("api-key"))
        if self.path.startswith("/site/"):
            self.answer(200, "<html>Welcome</html>", "text/html")
        elif self.path.startswith("/busy/"):
            self.answer(503, {"error": {"message": "Overloaded."}})
        elif KEY not in keys:
            self.answer(401, {"error": {"message": "Incorrect API key provided."}})
        elif self.path.split("?")[0] in ("/v1/models", "/openai/models"):
            models = ["gpt-4o-2024-08-06", "gpt-4o-mini-2024-07-18", "gpt-4o-2024-05-13"]
            data = [{"id": name, "object": "model", "created": 1, "owned_by": "x"} for name in models]
            self.answer(200, {"object": "list", "data": data})
        else:
            self.answer(404, {"error": {"message": "no such page"}})

    def answer(self, status: int, body: object, kind: str = "application/json") -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def hosted(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a stand-in for OpenAI and Azure, with every variable set that they want."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hosted)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setattr(connection, "OPENAI_URL", f"{root}/v1")
    for name, value in {
        "OPENAI_API_KEY": KEY,
        "AZURE_OPENAI_ENDPOINT": root,
        "AZURE_OPENAI_API_KEY": KEY,
        "OPENAI_API_VERSION": "2025-01-01",
    }.items():
        monkeypatch.setenv(name, value)
    yield f"{root}/v1"
    server.shutdown()
    server.server_close()


@pytest.fixture
def at_service(service: LiveService, monkeypatch: pytest.MonkeyPatch) -> LiveService:
    """The live service, as the one that connect() finds."""
    monkeypatch.setenv("FINETUNE_HOME", str(service.home))
    return service


def test_local_is_the_default_and_says_what_it_costs(
    at_service: LiveService, capsys: pytest.CaptureFixture[str]
) -> None:
    found = connect(model="tiny")
    said = capsys.readouterr().out
    assert (found.name, found.base_model, found.is_local) == ("local", "tiny", True)
    assert isinstance(found.client, openai.OpenAI)
    assert str(found.client.base_url).rstrip("/") == at_service.url
    assert len(said.splitlines()) == 4
    assert "local" in said and "tiny" in said and "nothing" in said
    assert at_service.key not in said


def test_quiet_prints_nothing(at_service: LiveService, capsys: pytest.CaptureFixture[str]) -> None:
    connect("local", "tiny", quiet=True)
    assert capsys.readouterr().out == ""


def test_one_setting_chooses_the_service(
    at_service: LiveService, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FINETUNE_SERVICE", at_service.url)
    monkeypatch.setenv("OPENAI_API_KEY", at_service.key)
    found = connect()
    assert (found.name, found.base_model, found.is_local) == (at_service.url, LOCAL_MODEL, False)
    assert "ask whoever runs" in capsys.readouterr().out


def test_openai_shows_price_and_dates(hosted: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = connect("openai")
    said, table = capsys.readouterr().out, price_table()
    row = table["models"]["gpt-4o-2024-08-06"]
    assert found.base_model == "gpt-4o-2024-08-06" and not found.is_local
    for expected in (f"${row['training']:.2f}", table["as_of"], row["shutdown"], "2027-01-06", "2026-05-07"):
        assert expected in said
    assert KEY not in said


def test_a_model_without_a_training_price_is_called_so(hosted: str, capsys: pytest.CaptureFixture[str]) -> None:
    connect("openai", "gpt-4o-2024-05-13")
    assert "cannot be fine-tuned" in capsys.readouterr().out


def test_azure_is_reached_by_its_own_client(hosted: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = connect("azure", "gpt-4o-mini-2024-07-18")
    assert isinstance(found.client, openai.AzureOpenAI)
    assert "Azure sets its own dates" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "variable"),
    [("openai", "OPENAI_API_KEY"), ("azure", "AZURE_OPENAI_ENDPOINT"), ("azure", "AZURE_OPENAI_API_KEY")],
)
def test_a_missing_setting_is_named(hosted: str, monkeypatch: pytest.MonkeyPatch, name: str, variable: str) -> None:
    monkeypatch.delenv(variable)
    with pytest.raises(Explained, match=f"needs {variable}, which is not set"):
        connect(name)


@pytest.mark.parametrize(("name", "variable"), [("openai", "OPENAI_API_KEY"), ("azure", "AZURE_OPENAI_API_KEY")])
def test_a_refused_key_is_explained_and_not_shown(
    hosted: str, monkeypatch: pytest.MonkeyPatch, name: str, variable: str
) -> None:
    monkeypatch.setenv(variable, "wrong-key-123")
    with pytest.raises(Explained, match=rf"refused the key \(HTTP 401\)\. Check {variable}") as error:
        connect(name)
    assert "wrong-key-123" not in str(error.value)


def test_a_wrong_key_for_another_server_is_explained(at_service: LiveService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "wrong")
    with pytest.raises(Explained, match=r"refused the key"):
        connect(at_service.url)


def test_an_unknown_name_lists_the_choices() -> None:
    with pytest.raises(Explained, match=r"no service called 'nowhere'. Choose local, openai, azure"):
        connect("nowhere")


def test_an_unknown_model_lists_what_there_is(at_service: LiveService) -> None:
    with pytest.raises(Explained, match=r"no model 'gpt-4o'.*tiny, tiny-lora"):
        connect(model="gpt-4o")


def test_an_address_where_nothing_answers_is_explained() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(Explained, match=r"Nothing answers at"):
        connect(f"http://127.0.0.1:{port}/v1")


@pytest.mark.parametrize(
    ("path", "said"), [("/elsewhere", "HTTP 404"), ("/site", "no list of models"), ("/busy", "HTTP 503")]
)
def test_a_server_that_does_not_list_models_is_explained(hosted: str, path: str, said: str) -> None:
    with pytest.raises(Explained, match=rf"{said}.*(usually ends in /v1|connect again)"):
        connect(hosted.removesuffix("/v1") + path)


def test_a_home_that_cannot_be_written_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("FINETUNE_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(Explained, match=r"FINETUNE_HOME.*python -m helpers doctor"):
        connect("local")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no kill -9; ending a process there is what stop does")
def test_a_killed_service_comes_back_and_has_lost_nothing(
    tmp_path: Path, tiny_bases: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FINETUNE_HOME", str(tmp_path))
    monkeypatch.setenv("FINETUNE_BASES", str(tiny_bases))
    client = connect("local", "tiny", quiet=True).client
    try:
        rows = "".join(json.dumps(row) + "\n" for row in examples(10)).encode()
        file = client.files.create(file=("a.jsonl", rows), purpose="fine-tune")
        os.kill(json.loads((tmp_path / "running.json").read_text())["pid"], signal.SIGKILL)
        assert [kept.id for kept in client.files.list()] == [file.id]
        assert client.files.content(file.id).read() == rows
        assert "was started again" in capsys.readouterr().out
    finally:
        assert "has stopped" in stop_service()
    assert "No local service runs" in stop_service()


def test_the_sizes_of_a_base_come_smaller_first(at_service: LiveService, hosted: str) -> None:
    for service, names in {
        "local": ["pocket-1m", "pocket-6m"],
        "openai": ["gpt-4o-mini-2024-07-18", "gpt-4o-2024-08-06"],
    }.items():
        assert [each.base_model for each in sizes(connect(service, quiet=True))] == names


def test_a_base_of_no_known_family_is_its_only_size(at_service: LiveService) -> None:
    tiny = connect(model="tiny", quiet=True)
    assert sizes(tiny) == [tiny]
