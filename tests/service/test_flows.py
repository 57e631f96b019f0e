"""Scripts written for OpenAI run unchanged: with this openai package, the last 1.x and the one for Node.

What they need of the local service is an alias for the model's name, and the two variables that `helpers env` prints.
"""

import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from live_service import LiveService, examples, live_service

FLOWS = Path(__file__).parents[1] / "flows"
ALIAS = "gpt-4o-mini-2024-07-18"
OLD_PACKAGE = "openai==1.109.1"  # the last 1.x (24 September 2025), on httpx
NODE_PACKAGE = "openai@6.49.0"  # 7 asks for Node 22, which few systems bring


@pytest.fixture(scope="module")
def aliased(tmp_path_factory: pytest.TempPathFactory, tiny_bases: Path) -> Iterator[LiveService]:
    with live_service(tmp_path_factory.mktemp("aliased"), tiny_bases, "--alias", f"{ALIAS}=tiny") as running:
        yield running


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name, rows in (("train", examples(10)), ("validation", examples(4, seed=1))):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


@pytest.fixture(scope="session")
def old_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the last 1.x openai package in an environment of its own."""
    folder = tmp_path_factory.mktemp("openai-1")
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", OLD_PACKAGE], check=True)
    return python


@pytest.fixture(scope="session")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the flow for Node and the package that it needs."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no npm here (on Debian: apt-get install npm)")
    folder = tmp_path_factory.mktemp("openai-node")
    subprocess.run([npm, "install", "--silent", "--no-audit", "--no-fund", NODE_PACKAGE], cwd=folder, check=True)
    shutil.copy(FLOWS / "fine_tune.mjs", folder)
    return folder


def run(service: LiveService, *command: str | Path) -> list[str]:
    """Run a script in a shell that `helpers env` has prepared; return what it printed."""
    plain = {name: value for name, value in service.env.items() if not name.startswith("OPENAI_")}
    prepare = f'eval "$({sys.executable} -m helpers env)" && exec "$@"'
    shell = ["sh", "-c", prepare, "sh", *map(str, command)]
    result = subprocess.run(shell, env=plain, text=True, capture_output=True, timeout=240)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout.splitlines()


def check_story(service: LiveService, lines: list[str]) -> None:
    """The flow went as on OpenAI: every stage in order, and honest about which model answered."""
    said = [line.split(" ", 1) for line in lines]
    kinds = [kind for kind, _ in said if kind != "event"]
    assert kinds == ["job", "status", "checkpoint", "checkpoint", "result", "model", "answer", "pieces", "refused"]
    words = dict(said)
    job_id, status = words["job"].split()
    assert status == "validating_files"
    job = service.client.fine_tuning.jobs.retrieve(job_id)
    assert words["status"] == f"succeeded tokens {job.trained_tokens}"
    messages = [text for kind, text in said if kind == "event"]
    assert messages == [event.message for event in service.events(job_id)]
    assert f"{ALIAS} stands for tiny on this local service: that is what is trained" in messages
    checkpoints = service.client.fine_tuning.jobs.checkpoints.list(job_id).data
    assert [text for kind, text in said if kind == "checkpoint"] == [
        f"{checkpoint.step_number} {checkpoint.metrics.full_valid_loss}" for checkpoint in checkpoints
    ]
    assert words["result"] == "20 step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"
    assert job.model == ALIAS and words["model"] == job.fine_tuned_model
    assert words["model"].startswith(f"ft:{ALIAS}:local:my-first:")
    assert int(words["pieces"]) >= 2 and words["refused"] == "file_not_found"


def test_a_script_written_for_openai_runs_unchanged(aliased: LiveService, data: Path) -> None:
    lines = run(aliased, sys.executable, FLOWS / "fine_tune.py", data)
    assert lines.pop(0) == f"openai {openai.__version__}"
    check_story(aliased, lines)


def test_the_last_1x_package_runs_the_same_flow(aliased: LiveService, data: Path, old_python: Path) -> None:
    lines = run(aliased, old_python, FLOWS / "fine_tune.py", data)
    assert lines.pop(0) == OLD_PACKAGE.replace("==", " ")
    check_story(aliased, lines)


def test_the_package_for_node_runs_the_same_flow(aliased: LiveService, data: Path, node_folder: Path) -> None:
    check_story(aliased, run(aliased, "node", node_folder / "fine_tune.mjs", data))


def test_every_response_and_the_log_say_what_stands_for_what(aliased: LiveService) -> None:
    client, said = aliased.client, {"x-model-aliases": f"{ALIAS}=tiny"}
    for answer in (client.models.with_raw_response.list(), client.files.with_raw_response.list()):
        assert said.items() <= dict(answer.headers).items()
    with pytest.raises(openai.NotFoundError) as error:
        client.models.retrieve("gpt-4o")
    assert said.items() <= dict(error.value.response.headers).items()
    shown = {model.id: model.owned_by for model in client.models.list()}
    assert shown[ALIAS] == "local-service, as another name of tiny" and shown["tiny"] == "local-service"
    assert client.models.retrieve(ALIAS).id == ALIAS
    answer = client.chat.completions.create(model=ALIAS, messages=[{"role": "user", "content": "Hello"}], max_tokens=2)
    assert answer.model == ALIAS
    log = (aliased.home / "logs" / "service.log").read_text()
    assert f"the name {ALIAS} stands for the base tiny" in log and f"{ALIAS} was asked for: tiny answers" in log


def test_without_an_alias_nothing_is_said_and_no_name_of_openai_answers(service: LiveService) -> None:
    answer = service.client.models.with_raw_response.list()
    assert "x-model-aliases" not in answer.headers
    with pytest.raises(openai.NotFoundError):
        service.client.models.retrieve(ALIAS)


@pytest.mark.parametrize(
    ("alias", "words"),
    [
        ("gpt-4o", "takes NAME=BASE"),
        ("ft:x=tiny", "takes NAME=BASE"),
        ("gpt-4o=none", "names a base that is not here. There are:"),
        ("tiny-lora=tiny", "would hide the base tiny-lora"),
    ],
)
def test_a_wrong_alias_stops_the_start(tmp_path: Path, tiny_bases: Path, alias: str, words: str) -> None:
    for arguments, environment in ((["--alias", alias], {}), ([], {"FINETUNE_ALIASES": f"a=tiny, {alias}"})):
        service = LiveService(tmp_path / "home", tiny_bases, **environment)
        result = subprocess.run(
            service.command("serve", *arguments), env=service.env, text=True, capture_output=True, timeout=60
        )
        assert result.returncode == 1 and words in result.stderr and "Traceback" not in result.stderr
