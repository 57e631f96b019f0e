"""After the five steps: a tuned model in production. Which model a user gets, and an answer whatever happens.

    canary = Canary(stable="ft:…:old", candidate="ft:…:new", share=0.1)
    desk = Desk(client, fixed="Thank you. A colleague will write to you today.", log=build("deployment", "log.jsonl"))
    reply = desk.answer(canary.model_for(user), messages)

The log holds names of models, outcomes and numbers; no text and no user can get into it. Shown in notebook 10.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openai

from helpers import journal
from helpers.errors import Explained

# What became of a request; otherwise the name of the openai package's error.
OK, CUT, NOT_GOOD = "ok", "cut", "not_good"
OUR_MISTAKES = (openai.BadRequestError, openai.UnprocessableEntityError)  # another model would refuse them as well


@dataclass(frozen=True)
class Canary:
    """Two models, and the share of users, 0 to 1, who get the candidate. Share 0 is a rollback, share 1 a promotion.

    Raises Explained for a share outside 0 to 1.
    """

    stable: str
    candidate: str
    share: float

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise Explained(f"The share of users is a fraction from 0 to 1; {self.share} is none. A tenth is 0.1.")

    def model_for(self, user: str) -> str:
        """Return the user's model: the same at every request and on every machine, with nothing kept.

        A share that grows takes users in and puts none out. Another candidate meets other users first.
        """
        digest = hashlib.sha256(f"{self.candidate}\n{user}".encode()).digest()
        return self.candidate if int.from_bytes(digest[:8], "big") < self.share * 2**64 else self.stable


@dataclass(frozen=True)
class Reply:
    """What the user reads; which model wrote it, "" for the fixed reply; and what went wrong before, by model."""

    text: str
    model: str
    failures: dict[str, str] = field(default_factory=dict)


class Desk:
    """Answers a user whatever the service does: the model asked for, then the fallbacks, then a fixed reply.

    `timeout` is in seconds, for one try; `retries` is how often the SDK tries again what may pass (no answer, HTTP 408,
    409, 429, 500 and above). `is_good` judges an answer, given the messages it answers, before anybody reads it.
    `request` is the same for every question, for example temperature=0 and max_completion_tokens=160. Several threads
    may ask at once.
    """

    def __init__(
        self,
        client: openai.OpenAI,
        *,
        fixed: str,
        log: Path,
        fallbacks: Sequence[str] = (),
        timeout: float = 20.0,
        retries: int = 2,
        is_good: Callable[[str, Sequence[Any]], bool] = lambda text, messages: bool(text),
        **request: Any,
    ) -> None:
        self._client = client.with_options(timeout=timeout, max_retries=retries)
        self._fixed, self._fallbacks = fixed, tuple(fallbacks)
        self._log, self._writing = log, threading.Lock()
        self._is_good, self._request = is_good, request

    def answer(self, model: str, messages: Sequence[Any], measured: Mapping[str, float] | None = None) -> Reply:
        """Return the first good answer. `measured` are numbers about the request that go into the log.

        A try is a row of the log: at, model, outcome, seconds, tokens, `place` (0 for the model asked for), `measured`.

        A request that is wrong in itself raises the SDK's error: it is a mistake in our code, which a fixed reply would
        hide. Every other error of the service is an outcome.
        """
        numbers = {name: float(value) for name, value in (measured or {}).items()}
        failures: dict[str, str] = {}
        for place, name in enumerate(dict.fromkeys((model, *self._fallbacks))):
            text, outcome = self._try(name, messages, {"place": place, **numbers})
            if outcome == OK:
                return Reply(text, name, failures)
            failures[name] = outcome
        return Reply(self._fixed, "", failures)

    def _try(self, model: str, messages: Sequence[Any], numbers: Mapping[str, float]) -> tuple[str, str]:
        started, text, used = time.perf_counter(), "", None
        try:
            reply = self._client.chat.completions.create(model=model, messages=list(messages), **self._request)
            choice, used = reply.choices[0], reply.usage
            text = choice.message.content or ""
            outcome = CUT if choice.finish_reason == "length" else OK if self._is_good(text, messages) else NOT_GOOD
        except OUR_MISTAKES as error:
            outcome = type(error).__name__
            raise
        except openai.OpenAIError as error:
            outcome = type(error).__name__  # not its message, which may quote the request
        finally:
            self._note(
                {
                    "at": datetime.now(UTC).isoformat(timespec="seconds"),
                    "model": model,
                    "outcome": outcome,
                    "seconds": round(time.perf_counter() - started, 3),
                    "prompt_tokens": used.prompt_tokens if used else 0,
                    "completion_tokens": used.completion_tokens if used else 0,
                    **numbers,
                }
            )
        return text, outcome

    def _note(self, row: dict[str, Any]) -> None:
        with self._writing:
            journal.add(self._log, row)
