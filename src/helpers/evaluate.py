"""Step 4: put the same questions to any model, with any prompt. Nothing here judges; helpers.score does.

Shown in notebook 04.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, NamedTuple

import openai

from helpers.errors import Explained
from helpers.frontend import StatusLine

Message = dict[str, Any]
Conversation = list[Message]


class Answer(NamedTuple):
    """What a model said, why it stopped ("stop", or "length" when it was cut), and what that took."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float


def prompts(examples: Sequence[dict[str, Any]]) -> list[Conversation]:
    """Return the conversations up to the last assistant message: what the model is asked."""
    return [_split(example, number)[0] for number, example in enumerate(examples, start=1)]


def gold(examples: Sequence[dict[str, Any]]) -> list[str]:
    """Return the text of every last assistant message: the right answers."""
    return [_split(example, number)[1] for number, example in enumerate(examples, start=1)]


def _split(example: dict[str, Any], number: int) -> tuple[Conversation, str]:
    *before, last = example["messages"]
    if last.get("role") != "assistant":
        raise Explained(
            f"Example {number} ends with a {last.get('role')} message, so there is no right answer to compare with. "
            "Leave it out of the held-out set, or add the assistant message that should follow."
        )
    return before, last.get("content") or ""


def with_system(conversations: Sequence[Conversation], text: str) -> list[Conversation]:
    """Return the conversations with `text` as their system message, in place of the one they have."""
    rest = [[m for m in conversation if m["role"] != "system"] for conversation in conversations]
    return [[{"role": "system", "content": text}, *messages] for messages in rest]


def with_shots(conversations: Sequence[Conversation], shots: Sequence[Conversation]) -> list[Conversation]:
    """Return the conversations with example turns after the system message: few-shot prompting.

    A shot is the messages of one example; its own system message is left out.
    """
    turns = [message for shot in shots for message in shot if message["role"] != "system"]
    found = []
    for conversation in conversations:
        head = 1 if conversation and conversation[0]["role"] == "system" else 0
        found.append([*conversation[:head], *turns, *conversation[head:]])
    return found


def ask(
    client: openai.OpenAI,
    model: str,
    conversations: Sequence[Conversation],
    *,
    max_tokens: int = 220,
    temperature: float = 0,
    seed: int = 1,
    workers: int = 8,
    label: str = "",
) -> list[Answer]:
    """Return the model's answer to every conversation, in their order; `workers` requests are under way at a time.

    One line tells how far it is and then how long it took. A passing failure is tried again by the SDK (its
    max_retries); one that lasts raises Explained, and the requests not yet sent are not sent.
    """

    def one(conversation: Conversation) -> Answer:
        started = time.perf_counter()
        reply = client.chat.completions.create(
            model=model,
            messages=conversation,  # type: ignore[arg-type]  # plain dicts, as a training file holds them
            max_completion_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
        )
        choice, usage = reply.choices[0], reply.usage
        return Answer(
            choice.message.content or "",
            choice.finish_reason,
            usage.prompt_tokens if usage else 0,
            usage.completion_tokens if usage else 0,
            time.perf_counter() - started,
        )

    started, count, name = time.perf_counter(), len(conversations), label or model
    line = StatusLine(every=0.5, only_end=True)
    line.show(f"{name}: asking {count} questions")
    with ThreadPoolExecutor(max_workers=workers) as pool:
        places = {pool.submit(one, conversation): place for place, conversation in enumerate(conversations)}
        try:
            for done, future in enumerate(as_completed(places), start=1):
                future.result()
                line.show(f"{name}: {done} of {count} answers, {time.perf_counter() - started:.0f} s")
        except openai.OpenAIError as error:
            pool.shutdown(wait=False, cancel_futures=True)
            raise Explained(_explain(error, model, places[future] + 1, count, workers)) from error
        except BaseException:  # a person's interrupt: send no more, and let it through
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    answers = [future.result() for future in places]
    cut = sum(answer.finish_reason == "length" for answer in answers)
    ended = f"{name}: {count} answers in {time.perf_counter() - started:.1f} s"
    line.end(ended + (f"; {cut} cut at {max_tokens} tokens" if cut else ""))
    return answers


def _explain(error: openai.OpenAIError, model: str, number: int, count: int, workers: int) -> str:
    """What happened, at which conversation, and what to do next."""
    where = f"Asking {model} stopped at conversation {number} of {count}."
    body = getattr(error, "body", None)
    said = body["message"] if isinstance(body, dict) and body.get("message") else str(error)
    if isinstance(error, openai.APITimeoutError):
        return f"{where} The service took too long. Ask fewer at a time (workers={max(1, workers // 2)}) and run again."
    if isinstance(error, openai.APIConnectionError):
        return f"{where} The service cannot be reached. Run the connect() cell again, then this one."
    if isinstance(error, openai.NotFoundError):
        return f"{where} {said} Check the model's name: client.models.list() shows what there is."
    if isinstance(error, openai.AuthenticationError):
        return f"{where} The service refused the key: {said} Set OPENAI_API_KEY and run the connect() cell again."
    if isinstance(error, openai.RateLimitError):
        return f"{where} Too many requests: {said} Ask fewer at a time (workers=2) and run this cell again."
    if isinstance(error, openai.BadRequestError):
        return f"{where} The service refused it: {said} Mend that conversation (or shorten the prompt) and run again."
    return f"{where} The service failed: {said} Run this cell again; if it stays so, run the connect() cell first."
