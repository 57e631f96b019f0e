"""`--closed`: what an organisation meets that OpenAI no longer lets train, while everything else works."""

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from live_service import LiveService, examples, live_service


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory, tiny_bases: Path) -> Iterator[LiveService]:
    home = tmp_path_factory.mktemp("closed")
    with live_service(home, tiny_bases, "--closed", FINETUNE_STANDBY_SECONDS="0") as running:
        yield running


def test_a_job_is_refused_and_its_file_stays(closed: LiveService) -> None:
    file = closed.upload(examples(10))
    with pytest.raises(openai.PermissionDeniedError) as error:
        closed.client.fine_tuning.jobs.create(model="tiny", training_file=file)
    assert (error.value.status_code, error.value.code) == (403, "training_not_available")
    body = error.value.body
    assert isinstance(body, dict) and set(body) == {"message", "type", "param", "code"}
    assert body["message"].startswith(
        "OpenAI is winding down the fine-tuning platform and your organization is no longer able to create new "
        "fine-tuning training jobs."
    )
    assert "--closed" in body["message"]
    assert closed.client.files.retrieve(file).id == file
    assert closed.client.fine_tuning.jobs.list().data == []


def test_everything_else_works(closed: LiveService) -> None:
    assert "tiny" in [model.id for model in closed.client.models.list()]
    answer = closed.client.chat.completions.create(
        model="tiny", messages=[{"role": "user", "content": "Hello"}], max_tokens=2
    )
    assert answer.usage is not None and answer.usage.completion_tokens <= 2
