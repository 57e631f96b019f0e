"""Graders through the SDK: run and validate, what they refuse, and python graders where they are switched on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from conformance import check_error, check_object
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live_service import LiveService, live_service
from openai.types.fine_tuning.alpha import GraderRunResponse, GraderValidateResponse

from helpers.local_service.graders.judges import STEPS

CHECK: Any = {
    "type": "string_check",
    "name": "label",
    "input": "{{sample.output_text}}",
    "reference": "{{item.label}}",
    "operation": "eq",
}
SIMILAR: Any = {
    "type": "text_similarity",
    "name": "alike",
    "input": "{{ sample.output_json.name }}",
    "reference": "{{ item.names[0] }}",
    "evaluation_metric": "fuzzy_match",
    "pass_threshold": 0.9,
}
MULTI: Any = {"type": "multi", "name": "both", "graders": {"a": CHECK, "b": SIMILAR}, "calculate_output": "(a + b) / 2"}
PYTHON: Any = {"type": "python", "name": "p", "source": "def grade(sample, item):\n    return item['n'] / 4"}
JUDGE: Any = {
    "type": "score_model",
    "name": "j",
    "model": "tiny",
    "input": [{"role": "user", "content": [{"type": "input_text", "text": "Score {{sample.output_text}}."}]}],
    "sampling_params": {"temperature": 0, "seed": 1, "max_completions_tokens": 8},
}


@pytest.fixture(scope="module")
def http(service: LiveService) -> httpx2.Client:
    """The service without the SDK, so that its words are seen as they are."""
    headers = {"Authorization": f"Bearer {service.key}"}
    return httpx2.Client(base_url=f"{service.url}/fine_tuning/alpha/graders/", headers=headers, timeout=60)


@pytest.fixture(scope="module")
def with_python(tmp_path_factory: pytest.TempPathFactory, tiny_bases: Path) -> Iterator[LiveService]:
    """A service that runs python graders."""
    home = tmp_path_factory.mktemp("python-graders")
    with live_service(home, tiny_bases, FINETUNE_PYTHON_GRADERS="1", SECRET_TOKEN="t") as running:
        yield running


def test_run_answers_as_openai_does(client: openai.OpenAI) -> None:
    found = client.fine_tuning.alpha.graders.run(grader=CHECK, model_sample="late", item={"label": "late"})
    assert found.reward == 1.0 and found.sub_rewards == {}
    assert (found.metadata.name, found.metadata.type, found.metadata.scores) == ("label", "string_check", {})
    assert not [name for name, raised in found.metadata.errors.to_dict().items() if raised]
    other = client.fine_tuning.alpha.graders.run(grader=CHECK, model_sample="late", item={"label": "lost"})
    assert other.reward == 0.0 and not other.metadata.errors.invalid_variable_error


def test_a_multi_grader_shows_its_parts(client: openai.OpenAI) -> None:
    item = {"names": ["Ada Byron"], "label": "x"}
    found = client.fine_tuning.alpha.graders.run(grader=MULTI, model_sample='{"name": "ada byron"}', item=item)
    assert (found.reward, found.sub_rewards) == (0.5, {"a": 0.0, "b": 1.0})


@pytest.mark.parametrize(
    ("grader", "sample", "item"),
    [
        (CHECK, "late", {"label": "late"}),
        (CHECK, "late", None),
        (SIMILAR, "no JSON", {"names": []}),
        (MULTI, '{"name": "Ada"}', {"names": ["Ada"], "label": None}),
        ({**SIMILAR, "evaluation_metric": "cosine", "input": "x"}, "", {"names": ["y"]}),
    ],
)
def test_every_answer_is_openais_object(http: httpx2.Client, grader: Any, sample: str, item: Any) -> None:
    answer = http.post("run", json={"grader": grader, "model_sample": sample, "item": item})
    assert answer.status_code == 200
    check_object(answer.json(), GraderRunResponse)


def test_missing_fields_are_named(client: openai.OpenAI) -> None:
    found = client.fine_tuning.alpha.graders.run(grader=CHECK, model_sample="late", item={"labels": 1, "id": 2})
    assert found.reward == 0 and found.metadata.errors.invalid_variable_error
    assert found.metadata.scores == {"error": "There is no 'item.label': item has labels, id."}
    found = client.fine_tuning.alpha.graders.run(grader=SIMILAR, model_sample="late", item={"names": ["x"]})
    assert found.metadata.errors.sample_parse_error and "needs an answer in JSON" in str(found.metadata.scores["error"])


@pytest.mark.parametrize("grader", [CHECK, SIMILAR, MULTI, PYTHON])
def test_validate_gives_the_grader_back(client: openai.OpenAI, http: httpx2.Client, grader: Any) -> None:
    found = client.fine_tuning.alpha.graders.validate(grader=grader)
    assert found.grader is not None and found.grader.type == grader["type"]
    answer = http.post("validate", json={"grader": grader}).json()
    assert answer == {"grader": grader}
    if grader is not MULTI and grader is not SIMILAR:  # whose dict of graders, and pass_threshold, the types lack
        check_object(answer, GraderValidateResponse)


@pytest.mark.parametrize(
    ("grader", "param"),
    [
        ({**CHECK, "operation": "neq"}, "grader.operation"),
        ({**CHECK, "reference": "{{label}}"}, "grader.reference"),
        ({**MULTI, "calculate_output": "a + c"}, "grader.calculate_output"),
        ({**PYTHON, "source": "def grade(item): pass"}, "grader.source"),
        ({**JUDGE, "input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]},
         "grader.input[0].content"),
        ({**JUDGE, "type": "label_model"}, "grader.type"),
    ],
)  # fmt: skip
def test_a_faulty_grader_is_refused_by_both(client: openai.OpenAI, grader: Any, param: str) -> None:
    for ask in (
        lambda: client.fine_tuning.alpha.graders.validate(grader=grader),
        lambda: client.fine_tuning.alpha.graders.run(grader=grader, model_sample="x", item={}),
    ):
        with pytest.raises(openai.BadRequestError) as error:
            ask()
        assert error.value.param == param and error.value.type == "invalid_request_error"


def test_a_small_base_refuses_to_judge_and_gives_no_number(client: openai.OpenAI) -> None:
    graders = client.fine_tuning.alpha.graders
    inside: Any = {**MULTI, "graders": {"a": CHECK, "b": JUDGE}}
    for model in ("tiny", "pocket-6m"):
        for grader in ({**JUDGE, "model": model}, inside):
            with pytest.raises(openai.BadRequestError, match="cannot judge") as error:
                graders.run(grader=grader, model_sample="x", item={})
            assert error.value.code == "model_cannot_judge"
            with pytest.raises(openai.BadRequestError, match="cannot judge"):
                graders.validate(grader=grader)
    with pytest.raises(openai.NotFoundError) as missing:
        graders.run(grader={**JUDGE, "model": "gpt-4o"}, model_sample="x", item={})
    assert missing.value.code == "model_not_found"


def test_a_model_that_can_judge_grades(tmp_path: Path, tiny_bases: Path) -> None:
    """Its base says that it can; tuned to give one score and nothing else, it gives it here too."""
    base = Path(shutil.copytree(tiny_bases / "tiny", tmp_path / "bases" / "judge"))
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**config, "fine_tuning": {"judge": True}}))
    wanted = f"Answer with one JSON object and nothing else: {STEPS % 'a number from 0 to 1'}"
    score = {"role": "assistant", "content": "0.5"}
    rows = [{"messages": [{"role": "user", "content": f"Score {n}.\n\n{wanted}"}, score]} for n in range(12)]
    with live_service(tmp_path / "home", base) as running:
        settings = {"n_epochs": 10, "batch_size": 4, "learning_rate_multiplier": 4}
        job = running.train(rows, "judge", seed=1, hyperparameters=settings)
        assert job.status == "succeeded", job.error
        graders = running.client.fine_tuning.alpha.graders
        ran = graders.run(grader={**JUDGE, "model": job.fine_tuned_model}, model_sample="3", item={})
        check_object(ran.to_dict(mode="json"), GraderRunResponse)
        assert ran.reward == 0.5 and ran.metadata.sampled_model_name == job.fine_tuned_model, ran
        used = ran.api_model_grader_token_usage_per_model[job.fine_tuned_model]
        assert used["total_tokens"] == used["prompt_tokens"] + used["completion_tokens"] > 50
        both = {**MULTI, "graders": {"a": CHECK, "b": {**JUDGE, "model": job.fine_tuned_model}}}
        assert graders.run(grader=both, model_sample="3", item={"label": "3"}).reward == 0.75


def test_python_graders_are_off_unless_switched_on(client: openai.OpenAI, with_python: LiveService) -> None:
    with pytest.raises(openai.PermissionDeniedError, match="FINETUNE_PYTHON_GRADERS=1") as error:
        client.fine_tuning.alpha.graders.run(grader=PYTHON, model_sample="x", item={"n": 2})
    assert error.value.code == "python_graders_off"
    graders = with_python.client.fine_tuning.alpha.graders
    assert graders.run(grader=PYTHON, model_sample="x", item={"n": 2}).reward == 0.5
    failed = graders.run(grader=PYTHON, model_sample="x", item={}).metadata.errors
    assert failed.python_grader_runtime_error and "KeyError: 'n'" in str(failed.python_grader_runtime_error_details)
    peek: Any = {
        "type": "python",
        "name": "e",
        "source": "import os\ndef grade(sample, item):\n    return len(os.environ)",
    }
    look = {**peek, "source": peek["source"].replace("len(os.environ)", "'SECRET_TOKEN' in os.environ")}
    assert graders.run(grader=look, model_sample="x").reward == 0.0
    assert graders.run(grader=peek, model_sample="x").reward < 12


def test_the_service_answers_others_while_sources_run(with_python: LiveService) -> None:
    slow: Any = {
        "type": "python",
        "name": "s",
        "source": "import time\ndef grade(s, i):\n    time.sleep(3)\n    return 1",
    }
    with ThreadPoolExecutor(8) as pool:
        graders = with_python.client.fine_tuning.alpha.graders
        waiting = [pool.submit(graders.run, grader=slow, model_sample="x", item={}) for _ in range(6)]
        for _ in range(20):
            with_python.client.models.list()
        assert not all(future.done() for future in waiting)
        assert [future.result().reward for future in waiting] == [1.0] * 6


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
TEMPLATES = st.sampled_from(["{{item.a}}", "{{sample.output_json.a[0]}}", "{{item", "{{ }}", "{{item.a.b}}", "x", ""])
GRADER = st.fixed_dictionaries(
    {"type": st.sampled_from(["string_check", "text_similarity", "python", "multi", "label_model"]) | JSON},
    optional={
        "name": st.text(max_size=5) | JSON,
        "input": TEMPLATES | JSON,
        "reference": TEMPLATES | JSON,
        "operation": st.sampled_from(["eq", "like"]) | JSON,
        "evaluation_metric": st.sampled_from(["bleu", "cosine", "rouge_l", "meteor"]) | JSON,
        "source": st.just("def grade(a, b): return 1") | JSON,
        "graders": st.fixed_dictionaries({"a": st.just(CHECK) | JSON}) | st.lists(st.just(SIMILAR) | JSON) | JSON,
        "calculate_output": st.sampled_from(["a", "a / 0", "alike ^ 2", "("]) | JSON,
    },
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.sampled_from(["run", "validate"]), GRADER | JSON, st.text(max_size=20) | JSON, st.dictionaries(
    st.sampled_from(["a", "label", "names"]), JSON) | JSON)  # fmt: skip
def test_whatever_is_sent_is_answered_in_form(
    http: httpx2.Client, path: str, grader: Any, sample: Any, item: Any
) -> None:
    content = json.dumps({"grader": grader, "model_sample": sample, "item": item})
    answer = http.post(path, content=content)
    if answer.status_code == 200 and path == "run":
        check_object(answer.json(), GraderRunResponse)
    elif answer.status_code == 200:
        assert answer.json() == {"grader": grader}
    else:
        assert 400 <= answer.status_code < 500, answer.text
        check_error(answer.json())
