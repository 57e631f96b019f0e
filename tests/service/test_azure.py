"""AzureOpenAI works unchanged: Azure's paths, its api-version and api-key, a deployment named as its model."""

import json
from typing import Any

import httpx2
import openai
import pytest
from live_service import LiveService, examples

HELLO: Any = [{"role": "user", "content": "Hello"}]


@pytest.fixture(scope="module")
def azure(service: LiveService) -> openai.AzureOpenAI:
    endpoint = service.url.removesuffix("/v1")
    return openai.AzureOpenAI(azure_endpoint=endpoint, api_key=service.key, api_version="2025-04-01-preview")


def test_a_whole_fine_tune_through_azures_client(service: LiveService, azure: openai.AzureOpenAI) -> None:
    content = "".join(json.dumps(row) + "\n" for row in examples(10)).encode()
    file = azure.files.create(file=("training.jsonl", content), purpose="fine-tune")
    assert azure.files.wait_for_processing(file.id).status == "processed"
    assert azure.files.content(file.id).read() == content
    quick = {"n_epochs": 1, "batch_size": 5}
    job = azure.fine_tuning.jobs.create(model="tiny", training_file=file.id, hyperparameters=quick)
    service.wait(job.id)
    job = azure.fine_tuning.jobs.retrieve(job.id)
    assert job.status == "succeeded" and job.fine_tuned_model, job.error
    assert job.id in [listed.id for listed in azure.fine_tuning.jobs.list(limit=5)]
    messages = [event.message for event in azure.fine_tuning.jobs.list_events(job.id, limit=2)]
    assert messages[0] == "The job has successfully completed" and len(messages) > 2
    assert azure.fine_tuning.jobs.checkpoints.list(job.id).data[0].step_number == 2
    answer = azure.chat.completions.create(model=job.fine_tuned_model, messages=HELLO, max_tokens=3)
    assert answer.model == job.fine_tuned_model
    pieces = azure.chat.completions.create(model=job.fine_tuned_model, messages=HELLO, max_tokens=3, stream=True)
    assert [chunk.choices[0].finish_reason for chunk in pieces][-1] in ("stop", "length")
    assert azure.files.delete(file.id).deleted


def test_the_deployments_name_chooses_the_model(service: LiveService, azure: openai.AzureOpenAI) -> None:
    deployed = openai.AzureOpenAI(
        azure_endpoint=service.url.removesuffix("/v1"), azure_deployment="tiny-lora", api_key=service.key,
        api_version="2024-10-21",
    )  # fmt: skip
    assert deployed.chat.completions.create(model="anything", messages=HELLO, max_tokens=2).model == "tiny-lora"
    with pytest.raises(openai.NotFoundError) as error:
        azure.chat.completions.create(model="gpt-4o", messages=HELLO)
    assert error.value.code == "model_not_found"
    path = service.url.replace("/v1", "/openai/deployments/tiny/chat/completions?api-version=2024-10-21")
    answer = httpx2.post(path, headers={"api-key": service.key}, json={"messages": HELLO, "max_tokens": 2}, timeout=60)
    assert answer.status_code == 200 and answer.json()["model"] == "tiny"


def test_azures_newer_path_is_that_of_openai(service: LiveService) -> None:
    client = openai.OpenAI(base_url=service.url.replace("/v1", "/openai/v1/"), api_key=service.key)
    assert "tiny" in [model.id for model in client.models.list()]


def test_azures_paths_are_guarded_like_the_others(service: LiveService) -> None:
    url = service.url.replace("/v1", "/openai/models?api-version=2024-10-21")
    assert httpx2.get(url).status_code == 401
    assert httpx2.get(url, headers={"api-key": "wrong"}).json()["error"]["code"] == "invalid_api_key"
    assert httpx2.get(url, headers={"api-key": service.key}).status_code == 200
    evil = {"api-key": service.key, "Origin": "https://evil.example"}
    assert httpx2.get(url, headers=evil).status_code == 403
