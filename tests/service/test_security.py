"""Who gets an answer: who holds the key, by a name of this machine, from no web page, with a body of bounded size."""

import os
import stat
from typing import Any

import httpx2
import openai
import pytest
from live_service import LiveService, said


def get(service: LiveService, **headers: str) -> httpx2.Response:
    return httpx2.get(f"{service.url}/models", headers={"Authorization": f"Bearer {service.key}", **headers})


def test_a_wrong_or_missing_key_is_refused(service: LiveService) -> None:
    stranger = openai.OpenAI(base_url=service.url, api_key="sk-wrong", max_retries=0)
    with pytest.raises(openai.AuthenticationError) as error:
        stranger.models.list()
    assert error.value.code == "invalid_api_key"
    assert said(error).startswith("Incorrect API key provided") and "sk-wrong" not in said(error)
    for header in ({}, {"Authorization": ""}, {"Authorization": "Basic abc"}, {"Authorization": "Bearer"}):
        answer = httpx2.get(f"{service.url}/models", headers=header)
        assert answer.status_code == 401
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


def test_a_name_that_is_not_this_machines_is_refused(service: LiveService) -> None:
    port = service.url.split(":")[2].split("/")[0]
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}"):
        assert get(service, Host=host).status_code == 200
    for host in ("evil.example", f"evil.example:{port}", "", "127.0.0.1.evil.example"):
        assert get(service, Host=host).status_code == 403


def test_web_pages_get_no_answer(service: LiveService) -> None:
    own = service.url.removesuffix("/v1")
    assert get(service, Origin=own).status_code == 200
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        answer = get(service, Origin=origin)
        assert answer.status_code == 403 and answer.json()["error"]["code"] == "forbidden_origin"
        assert "access-control-allow-origin" not in answer.headers
    assert httpx2.get(f"{own}/health", headers={"Origin": "https://evil.example"}).status_code == 403


def test_anybody_on_this_machine_may_see_that_it_is_there_and_no_more(service: LiveService) -> None:
    answer = httpx2.get(service.url.removesuffix("/v1") + "/health")
    assert answer.status_code == 200
    assert answer.json() == {"service": "local fine-tuning service", "status": "ok"}


def test_a_body_that_is_too_large_is_refused_before_it_is_read(service: LiveService) -> None:
    headers = {"Authorization": f"Bearer {service.key}", "Content-Type": "application/json"}

    def endless() -> Any:
        for _ in range(10):
            yield b" " * 1024 * 1024

    for content in (b" " * (9 * 1024 * 1024), endless()):
        answer = httpx2.post(f"{service.url}/chat/completions", headers=headers, content=content)
        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "request_too_large"


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_key_and_home_are_their_owners_alone(service: LiveService) -> None:
    assert stat.S_IMODE((service.home / "key").stat().st_mode) == 0o600
    assert service.key.startswith("sk-local-") and len(service.key) > 40


def test_the_key_is_in_no_log(service: LiveService) -> None:
    get(service)
    for path in (service.home / "logs").iterdir():
        assert service.key not in path.read_text(errors="replace")
