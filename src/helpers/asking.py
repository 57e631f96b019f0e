"""Step 4: send requests to a model, several at a time, and keep what came back.

`ask` answers or explains why not. `ask_all` is for evaluation: what was answered is on the disk at once and never asked
again, and what fails is an answer that says why. helpers.batches sends a large set the cheap and slow way.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, NamedTuple

import openai
from openai.types.chat import ChatCompletion

from helpers.batches import ask_batch
from helpers.errors import Explained
from helpers.frontend import StatusLine
from helpers.service_errors import explain, said
from helpers.spending import HERE, at_most, check_ceiling
from helpers.whole_file import whole_file
from helpers.workspace import build

Conversation = list[dict[str, Any]]
Request = dict[str, Any]
# What befalls one request and not the next: the service refuses it, fails at it, or takes too long over it.
OF_ONE = (openai.BadRequestError, openai.UnprocessableEntityError, openai.InternalServerError, openai.APITimeoutError)


class Answer(NamedTuple):
    """What a model said, why it stopped ("stop", or "length" when it was cut), and what that took.

    Where there is no answer, `error` says why and the rest is empty.
    """

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    error: str = ""


def requests(
    model: str, conversations: Sequence[Conversation], max_tokens: int, temperature: float, seed: int
) -> list[Request]:
    """Return the bodies to send to chat/completions, one a conversation."""
    settings = {"max_completion_tokens": max_tokens, "temperature": temperature, "seed": seed}
    return [{"model": model, "messages": conversation, **settings} for conversation in conversations]


def ask(
    client: openai.OpenAI,
    model: str,
    conversations: Sequence[Conversation],
    *,
    max_tokens: int = 220,
    temperature: float = 0,
    seed: int = 1,
    workers: int | None = None,
    label: str = "",
) -> list[Answer]:
    """Return the model's answer to every conversation, in their order; `workers` requests are under way at a time.

    Without a number it is 8, and 16 on this machine: the local service writes all the answers of a model together.
    One line tells how far it is and then how long it took. A passing failure is tried again by the SDK (its
    max_retries); one that lasts raises Explained, and the requests not yet sent are not sent.
    """
    asked = requests(model, conversations, max_tokens, temperature, seed)
    workers = workers or usual_workers(client)
    return _gather(client, asked, workers, label or model, failures=(), arrived=lambda place, answer: None)


def ask_all(
    client: openai.OpenAI,
    asked: Sequence[Request],
    *,
    workers: int | None = None,
    label: str = "",
    batch: bool = False,
    ceiling: float = 0.0,
) -> list[Answer]:
    """Return the answer to every request, in their order; those kept from before are not asked for again.

    Each answer is kept when it arrives, so that an interrupted call goes on where it stopped. A request that the
    service refuses or fails at becomes an Answer with its `error`, which is not kept: the next call tries it again.
    What would befall every request (no connection, a wrong key, no such model, too many requests) raises Explained.
    With `batch` the requests go through the Batch API: half the price at OpenAI, within a day. What the requests may
    cost, if anything, is printed first; where that is over `ceiling` dollars, OverBudget is raised and nothing sent.
    """
    if not asked:
        return []
    label, workers = label or asked[0]["model"], workers or usual_workers(client)
    try:
        kept = Kept(client, asked[0]["model"])
    except openai.OpenAIError as error:
        raise Explained(_explain(error, asked[0]["model"], 1, len(asked), workers)) from error
    keys = [kept.key(request) for request in asked]
    found = {key: answer for key in dict.fromkeys(keys) if (answer := kept.get(key))}
    missing = {key: request for key, request in zip(keys, asked, strict=True) if key not in found}

    def arrived(key: str, answer: Answer) -> None:
        found[key] = answer
        if not answer.error:
            kept.put(key, answer)

    if found:
        print(f"{label}: {len(found)} of {len(set(keys))} answers are kept from before.")
    if missing:
        cost = at_most(client, list(missing.values()), batch)
        if not cost.is_free:
            print(f"{label}: at most {cost}")
        check_ceiling(cost, ceiling)
    if missing and batch:
        for key, body, failed in ask_batch(client, missing, label):
            arrived(key, _answer(ChatCompletion.model_validate(body), 0.0) if body else _failure(failed))
    elif missing:
        names = list(missing)
        _gather(client, list(missing.values()), workers, label, OF_ONE, lambda place, got: arrived(names[place], got))
    return [found[key] for key in keys]


def usual_workers(client: openai.OpenAI) -> int:
    """Return how many requests are under way at a time where nobody says."""
    return 16 if client.base_url.host in HERE else 8


class Kept:
    """The answers on the disk, build/answers, known by what was asked of whom.

    A tuned model's name is given once, so its answers are never another model's. A base of the local service can be
    replaced under its name: there its date belongs to the key.
    """

    def __init__(self, client: openai.OpenAI, model: str) -> None:
        listed = {found.id: found for found in client.models.list()}
        local = model in listed and listed[model].owned_by.startswith("local")
        self._asked = [str(client.base_url), listed[model].created if local else 0]
        self._folder = build("answers", "_").parent

    def key(self, request: Request) -> str:
        """Return what tells this request from every other one."""
        return hashlib.sha256(json.dumps([self._asked, request], sort_keys=True).encode()).hexdigest()[:32]

    def get(self, key: str) -> Answer | None:
        """Return the answer that is kept; None where there is none that can be read."""
        try:
            return Answer(**json.loads(self._path(key).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def put(self, key: str, answer: Answer) -> None:
        """Keep an answer: whole on the disk, or not there."""
        with whole_file(self._path(key)) as file:
            file.write(json.dumps(answer._asdict(), ensure_ascii=False).encode("utf-8", "backslashreplace"))

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"


def _gather(
    client: openai.OpenAI,
    asked: Sequence[Request],
    workers: int,
    label: str,
    failures: tuple[type[openai.OpenAIError], ...],
    arrived: Callable[[int, Answer], None],
) -> list[Answer]:
    """The answers in order, each handed to `arrived` when it comes. `failures` become answers; others end the call.

    It is the thread that asked which hands it over: one that was under way at an interrupt is handed over as well.
    """

    def one(place: int) -> Answer:
        answer = _one(client, asked[place], failures)
        arrived(place, answer)
        return answer

    started, count, model = time.perf_counter(), len(asked), asked[0]["model"] if asked else label
    line = StatusLine(every=0.5, only_end=True)
    line.show(f"{label}: asking {count} questions")
    with ThreadPoolExecutor(max_workers=workers) as pool:
        places = {pool.submit(one, place): place for place in range(count)}
        try:
            for done, future in enumerate(as_completed(places), start=1):
                future.result()
                line.show(f"{label}: {done} of {count} answers, {time.perf_counter() - started:.0f} s")
        except openai.OpenAIError as error:
            pool.shutdown(wait=False, cancel_futures=True)
            raise Explained(_explain(error, model, places[future] + 1, count, workers)) from error
        except BaseException:  # a person's interrupt: send no more, and let it through
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    answers = [future.result() for future in places]
    cut, failed = sum(a.finish_reason == "length" for a in answers), sum(bool(a.error) for a in answers)
    ended = f"{label}: {count} answer{'s' * (count != 1)} in {time.perf_counter() - started:.1f} s"
    limit = asked[0]["max_completion_tokens"] if asked else 0
    line.end(ended + (f"; {cut} cut at {limit} tokens" if cut else "") + (f"; {failed} failed" if failed else ""))
    return answers


def _one(client: openai.OpenAI, request: Request, failures: tuple[type[openai.OpenAIError], ...]) -> Answer:
    started = time.perf_counter()
    try:
        reply = client.chat.completions.create(**request)
    except failures as error:
        return _failure(f"{type(error).__name__}: {said(error)}")
    return _answer(reply, time.perf_counter() - started)


def _answer(reply: ChatCompletion, seconds: float) -> Answer:
    if not reply.choices:  # some gateways say so that they failed
        return _failure("the service's reply holds no answer")
    choice, usage = reply.choices[0], reply.usage
    tokens = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
    return Answer(choice.message.content or "", choice.finish_reason, *tokens, seconds)


def _failure(why: str) -> Answer:
    return Answer("", "", 0, 0, 0.0, why)


def _explain(error: openai.OpenAIError, model: str, number: int, count: int, workers: int) -> str:
    """What happened, at which conversation, and what to do next."""
    where = f"Asking {model} stopped at conversation {number} of {count}."
    if isinstance(error, openai.APITimeoutError):
        return f"{where} The service took too long. Ask fewer at a time (workers={max(1, workers // 2)}) and run again."
    return f"{where} {explain(error)}"
