"""A class on one service: a key for each learner, own files and models, fair turns, limits, the instructor's page."""

import base64
import json
import os
import re
import socket
import sqlite3
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import openai
import pytest
from live_service import LiveService, examples, live_service, wait_until

from helpers.local_service.learners import address_for_others
from helpers.local_service.limits import MOST_IN_FLIGHT, MOST_UNFINISHED_JOBS

PATIENCE = 180  # seconds; a busy machine takes its time
QUICK = {"n_epochs": 1, "batch_size": 10}
LONG = {"n_epochs": 50, "batch_size": 1}  # of 100 examples: 5,000 steps
NAMES = ["Ana", "Bo <b>", "Chi Nguyễn"]


def learners(service: LiveService) -> dict[str, str]:
    """{name: key} as `learners` prints them."""
    told = subprocess.run(service.command("learners"), env=service.env, text=True, capture_output=True, timeout=60)
    assert told.returncode == 0, told.stderr
    return keys_in(told.stdout)


def keys_in(table: str) -> dict[str, str]:
    return {name.strip(): key for name, key in re.findall(r"^(.+?)  +(sk-local-\S+)$", table, re.MULTILINE)}


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory, tiny_bases: Path) -> Iterator[LiveService]:
    """A service for a class of three, which answers on every address of this machine."""
    folder = tmp_path_factory.mktemp("class")
    (folder / "names.txt").write_text("\n".join([NAMES[0], "", *NAMES[1:]]), encoding="utf-8")
    arguments = ("--host", "0.0.0.0", "--class", str(folder / "names.txt"))
    with live_service(folder / "home", tiny_bases, *arguments) as running:
        yield running


@pytest.fixture(scope="module")
def pupils(school: LiveService) -> list[openai.OpenAI]:
    """The clients of Ana, Bo and Chi."""
    keys = learners(school)
    assert list(keys) == NAMES
    return [school.client.with_options(api_key=keys[name]) for name in NAMES]


def upload(client: openai.OpenAI, rows: list[dict[str, Any]], purpose: Any = "fine-tune") -> str:
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    return client.files.create(file=("rows.jsonl", content), purpose=purpose).id


def create(client: openai.OpenAI, hyperparameters: Any, rows: int = 10) -> str:
    file = upload(client, examples(rows))
    return client.fine_tuning.jobs.create(model="tiny", training_file=file, hyperparameters=hyperparameters).id


def status_page(school: LiveService, **options: Any) -> httpx2.Response:
    return httpx2.get(school.url.removesuffix("/v1") + "/status", **options)


def test_keys_are_made_once_and_stay(tmp_path: Path, tiny_bases: Path) -> None:
    service = LiveService(tmp_path / "home", tiny_bases, FINETUNE_STANDBY_SECONDS="0")
    command, names, output = service.command, tmp_path / "names.txt", tmp_path / "output.txt"
    to_file = ["sh", "-c", f'exec "$@" > {output}', "sh"]

    def serve(*class_of: str) -> str:
        """Start a service for these learners; return what it says."""
        names.write_text("\n".join(class_of), encoding="utf-8")
        service.command = lambda *arguments: [*to_file, *command(*arguments)]  # type: ignore[method-assign]
        service.start("--class", str(names))
        service.command = command  # type: ignore[method-assign]
        wait_until(lambda: "/status" in output.read_text(encoding="utf-8"))
        return output.read_text(encoding="utf-8")

    told = serve("Ana", "Bo")
    keys = keys_in(told)
    assert list(keys) == ["Ana", "Bo"] and keys["Ana"] != keys["Bo"]
    assert f"FINETUNE_SERVICE={service.url}\n" in told
    assert learners(service) == keys
    if os.name == "posix":
        assert stat.S_IMODE(service.home.stat().st_mode) == 0o700
        assert stat.S_IMODE((service.home / "learner_keys.json").stat().st_mode) == 0o600
    assert service.stop() == 0

    assert keys_in(serve("Ana")) == {}  # handed out already
    ana, bo = (service.client.with_options(api_key=key) for key in keys.values())
    assert ana.models.list().data
    with pytest.raises(openai.AuthenticationError):  # no longer in the class
        bo.models.list()
    assert service.stop() == 0

    assert keys_in(serve("Ana", "Bo", "Chi")).items() > keys.items()
    assert bo.models.list().data
    assert service.stop() == 0
    assert not any(key in path.read_text() for path in (service.home / "logs").iterdir() for key in keys.values())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        (b"\n  \n", "holds no names"),
        (b"Ana\nBo\n ana ", "has 'ana' twice (line 3)"),
        (b"\xff\xfe", "Save it as UTF-8"),
        (b"x" * 100, "Line 1 of"),
    ],
)
def test_a_faulty_list_of_names_is_explained(
    tmp_path: Path, tiny_bases: Path, content: bytes | None, said: str
) -> None:
    names = tmp_path / "names.txt"
    if content is not None:
        names.write_bytes(content)
    service = LiveService(tmp_path / "home", tiny_bases)
    command = service.command("serve", "--class", str(names))
    result = subprocess.run(command, env=service.env, text=True, capture_output=True, timeout=60)
    assert result.returncode == 1 and result.stdout == ""
    assert said in result.stderr and str(names) in result.stderr and result.stderr.count("\n") == 1


def test_a_learner_sees_the_own_things_and_the_bases(school: LiveService, pupils: list[openai.OpenAI]) -> None:
    ana, bo, _ = pupils
    job = create(ana, QUICK)
    wait_until(lambda: ana.fine_tuning.jobs.retrieve(job).status == "succeeded", PATIENCE)
    done = ana.fine_tuning.jobs.retrieve(job)
    model, files = done.fine_tuned_model, [done.training_file, *done.result_files]
    assert model is not None
    part = ana.uploads.create(bytes=3, filename="a.jsonl", mime_type="application/jsonl", purpose="fine-tune").id
    question: Any = {"model": model, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 2}
    asked = [{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": question}]

    def batch(client: openai.OpenAI) -> Any:
        window: Any = {"endpoint": "/v1/chat/completions", "completion_window": "24h"}
        made = client.batches.create(input_file_id=upload(client, asked, "batch"), **window)
        wait_until(lambda: client.batches.retrieve(made.id).status in ("completed", "failed"), PATIENCE)
        return client.batches.retrieve(made.id)

    answered = batch(ana)
    assert answered.status == "completed" and answered.output_file_id is not None
    files.append(answered.output_file_id)

    refused: list[Callable[[], Any]] = [
        lambda: bo.fine_tuning.jobs.retrieve(job),
        lambda: bo.fine_tuning.jobs.list_events(job),
        lambda: bo.fine_tuning.jobs.checkpoints.list(job),
        lambda: bo.fine_tuning.jobs.cancel(job),
        lambda: bo.models.retrieve(model),
        lambda: bo.models.delete(model),
        lambda: bo.chat.completions.create(**question),
        lambda: bo.batches.retrieve(answered.id),
        lambda: bo.batches.cancel(answered.id),
        lambda: bo.uploads.parts.create(part, data=b"{}\n"),
        lambda: bo.uploads.cancel(part),
        *(lambda file=file: bo.files.retrieve(file) for file in files),  # type: ignore[misc]
        *(lambda file=file: bo.files.content(file) for file in files),  # type: ignore[misc]
        *(lambda file=file: bo.files.delete(file) for file in files),  # type: ignore[misc]
    ]
    for ask in refused:
        with pytest.raises(openai.NotFoundError):
            ask()
    with pytest.raises(openai.BadRequestError, match="does not exist"):
        bo.fine_tuning.jobs.create(model="tiny", training_file=done.training_file)
    with pytest.raises(openai.BadRequestError, match="not available"):
        bo.fine_tuning.jobs.create(model=model, training_file=upload(bo, examples(10)))
    foreign = batch(bo)
    assert foreign.status == "failed" and foreign.errors.data[0].code == "model_not_found"

    def seen(client: openai.OpenAI) -> tuple[set[str], set[str], set[str]]:
        lists = (client.files.list(), client.fine_tuning.jobs.list(), client.models.list())
        return tuple({item.id for item in items} for items in lists)  # type: ignore[return-value]

    mine, theirs, all_of_it = seen(ana), seen(bo), seen(school.client)
    assert set(files) <= mine[0] and job in mine[1] and model in mine[2]
    assert not theirs[0] & set(files) and job not in theirs[1] and model not in theirs[2]
    assert {"tiny", "tiny-lora"} <= theirs[2]
    assert all(mine[kind] | theirs[kind] <= all_of_it[kind] for kind in range(3))
    assert answered.id in [item.id for item in ana.batches.list()]
    assert answered.id not in [item.id for item in bo.batches.list()]
    with pytest.raises(openai.BadRequestError):  # a cursor of somebody else's is no cursor
        bo.files.list(after=files[0])
    assert ana.chat.completions.create(**question).model == model
    assert ana.models.delete(model).deleted


def test_learners_take_turns_and_nobody_has_many_jobs(school: LiveService, pupils: list[openai.OpenAI]) -> None:
    ana, bo, chi = pupils
    with sqlite3.connect(f"file:{school.home / 'service.sqlite3'}?mode=ro", uri=True) as database:
        before = database.execute("SELECT coalesce(max(turn), 0) FROM jobs").fetchone()[0]
    first = create(chi, LONG, rows=100)  # Ana, and nobody else, may have trained already
    wait_until(lambda: chi.fine_tuning.jobs.retrieve(first).status == "running", PATIENCE)
    jobs = [(chi, create(chi, QUICK)), (chi, create(chi, QUICK)), (ana, create(ana, QUICK)), (bo, create(bo, QUICK))]
    with pytest.raises(openai.RateLimitError) as error:
        create(chi, QUICK)
    assert error.value.code == "rate_limit_exceeded" and int(error.value.response.headers["retry-after"]) > 0
    assert f"{MOST_UNFINISHED_JOBS} unfinished jobs" in error.value.body["message"]  # type: ignore[index]
    for client, job in jobs:
        wait_until(lambda client=client, job=job: client.fine_tuning.jobs.retrieve(job).status == "queued", PATIENCE)

    page = status_page(school).text
    assert re.search(r"Training now</h2>\s*<p>Chi Nguyễn, for \d+ (s|min)", page)
    turns = re.findall(r"<td>(\d)</td><td>(.*?)</td>", page.split("Learners")[0])
    assert [who for _, who in turns][2:] == ["Chi Nguyễn", "Chi Nguyễn"]
    assert {who for _, who in turns[:2]} == {"Ana", "Bo &lt;b&gt;"}

    chi.fine_tuning.jobs.cancel(first)
    for client, job in jobs:
        wait_until(lambda client=client, job=job: client.fine_tuning.jobs.retrieve(job).status == "succeeded", PATIENCE)
    with sqlite3.connect(f"file:{school.home / 'service.sqlite3'}?mode=ro", uri=True) as database:
        found = database.execute("SELECT owner FROM jobs WHERE turn > ? ORDER BY turn", (before,)).fetchall()
    trained = [owner for (owner,) in found]
    assert trained[0] == "Chi Nguyễn" and trained[3:] == ["Chi Nguyễn", "Chi Nguyễn"]
    assert [who.replace("&lt;", "<").replace("&gt;", ">") for _, who in turns] == trained[1:]


def test_one_learner_cannot_take_every_connection(school: LiveService, pupils: list[openai.OpenAI]) -> None:
    ana, bo, _ = pupils
    url = urlsplit(school.url)
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {url.netloc}\r\nAuthorization: Bearer {ana.api_key}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n"

    def refused() -> openai.RateLimitError | None:
        try:
            ana.models.list()
        except openai.RateLimitError as error:
            return error
        return None

    with ExitStack() as held:

        def hold_one() -> None:
            """A request whose body never comes."""
            connection = held.enter_context(socket.create_connection((url.hostname or "", url.port or 0)))
            connection.sendall(head.encode())

        for _ in range(MOST_IN_FLIGHT - 1):
            hold_one()
        assert refused() is None  # this is the last one that is let in

        def one_more() -> object:
            hold_one()
            return refused()

        wait_until(one_more)
        error = refused()
        assert error is not None and error.response.headers["retry-after"] == "1"
        assert (error.code, error.type) == ("rate_limit_exceeded", "requests")
        assert bo.models.list().data and school.client.models.list().data
    wait_until(lambda: refused() is None)


def test_the_status_page_tells_nothing_of_anybodys_data(school: LiveService, pupils: list[openai.OpenAI]) -> None:
    create(pupils[0], QUICK)
    page = status_page(school)
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
    assert '<meta http-equiv="refresh"' in page.text
    assert not any(word in page.text for word in ("<script", "src=", "href=", "http:", "https:"))
    assert "Bo &lt;b&gt;" in page.text and "<b>" not in page.text
    assert "ftjob-" not in page.text and "file-" not in page.text and "number" not in page.text
    assert status_page(school, headers={"Origin": "https://evil.example"}).status_code == 403
    assert status_page(school, headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 401  # through a proxy here


@pytest.mark.skipif(address_for_others() == "127.0.0.1", reason="this machine has no address on a network")
def test_from_elsewhere_the_status_page_is_the_owners(school: LiveService, pupils: list[openai.OpenAI]) -> None:
    outside = school.url.removesuffix("/v1").replace("127.0.0.1", address_for_others()) + "/status"
    learner_key = pupils[0].api_key

    def asked(**headers: str) -> httpx2.Response:
        return httpx2.get(outside, headers=headers, trust_env=False)

    assert asked().status_code == 401 and asked().headers["www-authenticate"].startswith("Basic")
    assert asked(Authorization=f"Bearer {learner_key}").status_code == 401
    assert asked(**{"X-Forwarded-For": "127.0.0.1"}).status_code == 401
    assert asked(Authorization=f"Bearer {school.key}").status_code == 200
    for key, status in ((school.key, 200), (learner_key, 401), ("", 401)):
        password = base64.b64encode(f"anybody:{key}".encode()).decode()
        assert asked(Authorization=f"Basic {password}").status_code == status
    assert httpx2.get(outside.replace("/status", "/v1/models"), trust_env=False).status_code == 401


def test_without_a_class_there_is_no_page_and_no_learner(service: LiveService) -> None:
    page = service.url.removesuffix("/v1") + "/status"
    assert httpx2.get(page).status_code == 401
    assert httpx2.get(page, headers={"Authorization": f"Bearer {service.key}"}).status_code == 404
    told = subprocess.run(service.command("learners"), env=service.env, text=True, capture_output=True, timeout=60)
    assert (told.returncode, told.stdout) == (1, "") and "serve --class" in told.stderr
    assert set(service.running()) == {"pid", "url"}
