"""Starting, finding and stopping the service, and everything that can be in the way: one clear sentence each."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from live_service import TIMEOUT, LiveService, examples, live_service, wait_until

from helpers.local_service import start
from helpers.local_service.address import ServiceAddress

COLD = {"FINETUNE_STANDBY_SECONDS": "0"}  # no helper processes in waiting: these tests have no use for them


def run(service: LiveService, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the service's CLI to its end."""
    command = LiveService.command(*arguments)
    return subprocess.run(command, env=service.env, text=True, capture_output=True, timeout=60)


def refused(service: LiveService, *arguments: str, status: int = 1) -> str:
    """What `serve` says when it cannot start: one line on stderr, no traceback, an exit status that is not 0."""
    result = run(service, "serve", *arguments)
    assert result.returncode == status and result.stdout == ""
    assert "Traceback" not in result.stderr and result.stderr.count("\n") == 1
    return result.stderr


def test_env_points_clients_at_the_running_service(service: LiveService) -> None:
    for option, pattern in (
        ([], r'export OPENAI_BASE_URL=(\S+)\nexport OPENAI_API_KEY=(\S+)\n'),
        (["--powershell"], r'\$Env:OPENAI_BASE_URL="(\S+)"\n\$Env:OPENAI_API_KEY="(\S+)"\n'),
        (["--cmd"], r'set OPENAI_BASE_URL=(\S+)\nset OPENAI_API_KEY=(\S+)\n'),
    ):  # fmt: skip
        result = run(service, "env", *option)
        found = re.fullmatch(pattern, result.stdout)
        assert result.returncode == 0 and found, result
        assert found.groups() == (service.url, service.key)
    script = f'eval "$({sys.executable} -m helpers.local_service env)"; {sys.executable} -c '
    script += "\"import openai; print(openai.OpenAI().models.retrieve('tiny').id)\""
    shell = subprocess.run(["sh", "-c", script], env=service.env, text=True, capture_output=True, timeout=60)
    assert shell.stdout.strip() == "tiny", shell.stderr


def test_env_says_plainly_when_no_service_runs(tmp_path: Path, tiny_bases: Path) -> None:
    result = run(LiveService(tmp_path, tiny_bases), "env")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"No local service runs on {tmp_path}. Start one with `python -m helpers serve`.\n"


def test_a_second_service_on_the_same_home_is_refused(service: LiveService) -> None:
    assert f"A local service already runs on {service.home}" in refused(service, status=3)
    assert service.client.models.list().data


def test_a_port_in_use_is_named(tmp_path: Path, tiny_bases: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        message = refused(LiveService(tmp_path / "home", tiny_bases), "--port", str(port))
    assert f"cannot listen on 127.0.0.1 port {port}" in message and "--port" in message
    assert not (tmp_path / "home" / "running.json").exists()


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path, tiny_bases: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    home = tmp_path / "file" / "home"
    message = refused(LiveService(home, tiny_bases))
    assert f"cannot write to its home folder {home}" in message and "FINETUNE_HOME" in message


def test_a_damaged_database_is_named_and_left_as_it_is(tmp_path: Path, tiny_bases: Path) -> None:
    database = tmp_path / "service.sqlite3"
    database.write_bytes(b"damaged" * 1000)
    assert f"The database {database} cannot be used" in refused(LiveService(tmp_path, tiny_bases))
    assert database.read_bytes() == b"damaged" * 1000


def test_what_lay_beside_a_damaged_database_is_kept(tmp_path: Path, tiny_bases: Path) -> None:
    """Whoever does as the message says, and moves it away, loses nothing but the service's memory of it."""
    service = LiveService(tmp_path, tiny_bases, **COLD).start()
    old = service.upload(examples(10))
    job = service.train(examples(10), "tiny", hyperparameters={"n_epochs": 1, "batch_size": 10})
    content = service.client.files.content(old).content
    assert service.stop() == 0
    database = tmp_path / "service.sqlite3"
    database.write_bytes(b"damaged" * 1000)
    assert "Move it away and start again" in refused(service)
    database.rename(tmp_path / "damaged")
    for _ in range(2):  # nor does the next start tidy it away
        service.start()
        (kept,) = tmp_path.glob("kept-*")
        assert (kept / "files" / old).read_bytes() == content
        assert (kept / "models" / job.id / "step-1" / "model.safetensors").stat().st_size
        assert old not in [file.id for file in service.client.files.list()]
        new = service.upload(examples(10))
        assert service.stop() == 0
    assert service.start().client.files.content(new).content == content
    service.kill()


def test_damaged_weights_are_named_by_whoever_needs_them(service: LiveService) -> None:
    quick = {"n_epochs": 1, "batch_size": 10}
    job = service.train(examples(10), "tiny", hyperparameters=quick)
    weights = service.home / "models" / job.id / "step-1" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    question: list[Any] = [{"role": "user", "content": "Hello"}]
    with pytest.raises(openai.InternalServerError, match="damaged or incomplete") as error:
        service.client.chat.completions.create(model=job.fine_tuned_model, messages=question)
    assert error.value.code == "model_damaged"
    assert error.value.response.headers["x-should-retry"] == "false"  # asking again mends nothing
    failed = service.train(examples(10), job.fine_tuned_model, hyperparameters=quick)
    assert (failed.status, failed.error.code) == ("failed", "model_damaged")
    assert "train it again" in failed.error.message
    assert service.client.chat.completions.create(model="tiny", messages=question, max_tokens=1).choices


def test_a_clock_that_is_put_back_changes_no_order(tmp_path: Path, tiny_bases: Path) -> None:
    """A day, while a job trains: nothing is lost or out of order, and nothing ends before it began."""
    put_back = tmp_path / "put-back"
    service = LiveService(tmp_path / "home", tiny_bases, **COLD)
    clock = "import os, runpy, sys, time; real = time.time; "
    clock += f"time.time = lambda: real() - 86_400 * os.path.exists({str(put_back)!r}); "
    clock += "sys.argv = ['serve', *sys.argv[1:]]; runpy.run_module('helpers.local_service', run_name='__main__')"
    command = LiveService.command
    service.command = lambda *a: [sys.executable, "-c", clock, *command(*a)[3:]]  # type: ignore[method-assign]
    service.start()
    file = service.upload(examples(10))
    job = service.client.fine_tuning.jobs.create(
        model="tiny", training_file=file, hyperparameters={"n_epochs": 6, "batch_size": 1}
    )
    service.wait_for_step(job.id, 3)
    put_back.touch()
    later = service.upload(examples(10))
    job = service.wait(job.id)
    assert job.status == "succeeded" and job.finished_at >= job.created_at
    assert [listed.id for listed in service.client.files.list(purpose="fine-tune")] == [later, file]
    events = service.events(job.id)
    assert [event.data["step"] for event in events if event.type == "metrics"] == list(range(1, 61))
    times = [event.created_at for event in events]
    assert times == sorted(times)
    assert service.stop() == 0


def test_a_wrong_setting_or_base_is_named(tmp_path: Path, tiny_bases: Path) -> None:
    assert "FINETUNE_BF16 is 'yes'" in refused(LiveService(tmp_path, tiny_bases, FINETUNE_BF16="yes"))
    assert f"FINETUNE_BASES names {tmp_path / 'none'}" in refused(LiveService(tmp_path, tmp_path / "none"))
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in (tiny_bases / "tiny").iterdir():
        (broken / path.name).write_bytes(path.read_bytes()[:20] if path.suffix == ".safetensors" else path.read_bytes())
    assert "model.safetensors cannot be read" in refused(LiveService(tmp_path, broken))
    for text in ('{"architectures": [', "[1]"):
        (broken / "config.json").write_text(text)
        assert "config.json cannot be read" in refused(LiveService(tmp_path, broken))


def test_a_full_disk_loses_nothing_and_says_so(tmp_path: Path, tiny_bases: Path) -> None:
    """A limit on the size of files stands in for a full disk: the system refuses the write in the same way."""
    service = LiveService(tmp_path / "home", tiny_bases, **COLD)
    limit = "import resource, os, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000)); "
    limit += "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    command = LiveService.command
    service.command = lambda *a: [sys.executable, "-c", limit, *command(*a)[1:]]  # type: ignore[method-assign]
    service.start()
    small = service.upload(examples(10))
    rows = examples(10, words=20_000)
    with pytest.raises(openai.APIStatusError) as error:
        service.upload(rows)
    assert (error.value.status_code, error.value.code) == (507, "disk_full")
    assert [file.id for file in service.client.files.list()] == [small]
    assert not list((service.home / "incoming").iterdir())
    assert [path.name for path in (service.home / "files").iterdir()] == [small]
    job = service.train(examples(10), "tiny", hyperparameters={"n_epochs": 1, "batch_size": 10})
    assert (job.status, job.error.code) == ("failed", "disk_full"), job.error  # its checkpoint was too large
    assert "no disk space left" in job.error.message
    assert service.client.files.content(small).content
    assert service.stop() == 0


def test_key_and_port_stay_the_same_over_restarts_and_a_stop_is_clean(tmp_path: Path, tiny_bases: Path) -> None:
    service = LiveService(tmp_path / "home", tiny_bases, **COLD).start()
    url, key, file = service.url, service.key, service.upload(examples(10))
    running = service.running()
    assert running == {"pid": service.process.pid, "url": url}  # type: ignore[union-attr]
    client = service.client
    assert service.stop() == 0
    assert not (service.home / "running.json").exists()
    service.start()
    assert (service.url, service.key) == (url, key)
    assert client.files.retrieve(file).bytes > 0  # a client from before goes on working
    service.process.send_signal(signal.SIGINT)  # type: ignore[union-attr]
    assert service.process.wait(timeout=30) == 0  # type: ignore[union-attr]


def test_it_stops_when_idle_but_never_while_a_job_is_unfinished(tmp_path: Path, tiny_bases: Path) -> None:
    service = LiveService(tmp_path / "home", tiny_bases, **COLD).start("--idle-stop", "1")
    file = service.upload(examples(10))
    job = service.client.fine_tuning.jobs.create(
        model="tiny", training_file=file, hyperparameters={"n_epochs": 10, "batch_size": 1}
    )
    assert service.process is not None
    assert service.process.wait(timeout=TIMEOUT) == 0  # the training process takes seconds to load its libraries
    service.start()
    assert service.client.fine_tuning.jobs.retrieve(job.id).status == "succeeded"
    assert service.stop() == 0


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """What ensure_running starts on the home tmp_path; then a service answers there."""
    monkeypatch.setenv("FINETUNE_HOME", str(tmp_path))
    found = iter([None, ServiceAddress("http://127.0.0.1:1/v1", "key")])
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    monkeypatch.setattr(start, "find_running", lambda settings: next(found))
    monkeypatch.setattr(start, "_start", lambda idle_stop, output: process)
    yield process
    process.kill()
    process.wait()


@pytest.mark.skipif(sys.platform == "win32", reason="a virtual environment's python has another process number there")
def test_a_start_that_came_second_leaves_no_service_waiting(late: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """It would serve as soon as the first one is stopped."""
    (tmp_path / "running.json").write_text(json.dumps({"pid": os.getpid()}))
    assert start.ensure_running().key == "key"
    assert late.wait(timeout=10) == -signal.SIGTERM


def test_the_service_that_was_started_goes_on(late: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """Also where its name was not there yet when its port was first asked: a killed one on that port left its own."""
    (tmp_path / "running.json").write_text(json.dumps({"pid": late.pid}))
    assert start.ensure_running().key == "key"
    with pytest.raises(subprocess.TimeoutExpired):
        late.wait(timeout=1)


def test_ensure_running_starts_one_service_and_finds_it_again(tmp_path: Path, tiny_bases: Path) -> None:
    """Two notebooks that ask at the same moment share one service; none of them loads torch."""
    code = (
        "import sys, json; from helpers.local_service.start import ensure_running; a = ensure_running(idle_stop=60); "
        "assert not {'torch', 'fastapi', 'transformers'} & sys.modules.keys(); print(a.url, a.key)"
    )
    service = LiveService(tmp_path / "home", tiny_bases, **COLD)
    processes = [
        subprocess.Popen([sys.executable, "-c", code], env=service.env, text=True, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    answers = {process.communicate(timeout=60)[0] for process in processes}
    pid = service.running()["pid"]
    try:
        assert len(answers) == 1
        url, key = answers.pop().split()
        assert key == service.key and url == service.running()["url"]
        assert {"tiny", "tiny-lora"} <= {m.id for m in openai.OpenAI(base_url=url, api_key=key).models.list()}
    finally:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 20
        while service.running() and time.monotonic() < deadline:
            time.sleep(0.1)
    assert not service.running()


def test_ensure_running_tells_why_it_could_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from helpers.local_service.start import ServiceNotStarted, ensure_running

    monkeypatch.setenv("FINETUNE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FINETUNE_BASES", str(tmp_path / "none"))
    with pytest.raises(ServiceNotStarted, match="FINETUNE_BASES names"):
        ensure_running()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FINETUNE_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(ServiceNotStarted, match="cannot be written"):
        ensure_running()


def test_the_web_process_never_loads_torch(tmp_path: Path, tiny_bases: Path) -> None:
    code = (
        "import sys, helpers.local_service.serve; "
        "assert not {'torch', 'transformers', 'trl', 'datasets', 'peft'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
def test_no_helper_outlives_a_killed_service(tmp_path: Path, tiny_bases: Path) -> None:
    with live_service(tmp_path / "home", tiny_bases) as service:
        service.client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": "x"}], max_tokens=1)
        service.upload(examples(10))
        helpers = service.helpers()
        assert len(helpers) == 2  # the engine and a trainer in waiting
        service.kill()
        wait_until(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in helpers))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
def test_one_training_process_does_job_after_job_until_one_fails(service: LiveService) -> None:
    """Importing torch and TRL takes seconds, so it happens once; what a failure has left behind is not kept."""
    quick = {"n_epochs": 6, "batch_size": 10}
    used = []
    for rate in (1.0, 1.0, 1e30, 1.0):
        job = service.train(examples(30), "tiny", hyperparameters={**quick, "learning_rate_multiplier": rate})
        assert job.status == ("failed" if rate > 1 else "succeeded"), job.error
        wait_until(lambda: len(service.helpers("train")) == 1)
        used += service.helpers("train")
    assert used[0] == used[1] and used[2] == used[3] and used[1] != used[2]
