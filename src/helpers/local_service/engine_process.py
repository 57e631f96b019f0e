"""The engine process: loads models, and answers chats that come as JSON lines on standard input.

in   {"id", "op": "chat", "model": {…}, "messages": […], "n", "most_tokens", "temperature", "top_p", "seed", "stop",
      "top_logprobs", "stream", "in_background", "tools", "form"}   or   {"id", "op": "cancel"}
out  {"id", "type": "delta", "index", "text", "logprobs"}                             while streaming
     {"id", "type": "done", "choices": […], "prompt_tokens", "completion_tokens"}     at the end
     {"id", "type": "error", "status", "message", "code", "param", "headers"}         instead
"""

from __future__ import annotations

import json
import os
import queue
import random
import traceback
from collections.abc import Callable
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", TOKENIZERS_PARALLELISM="false")

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from .answers import Answer
from .chat_format import answer_starts_with_space, encode_prompt
from .engine import Engine, Generation, LogProbs
from .errors import ApiError
from .hardware import has_cuda, set_threads
from .held_answers import Form, Forms
from .lifeline import claim_output, die_with_parent, exit_at_end_of_input
from .sampling import Sampling
from .settings import Settings

MODEL_MEMORY = 2 * 1024**3  # bytes of weights kept loaded
Send = Callable[[dict[str, Any]], None]
Key = tuple[str, str | None, int]  # folder, adapter folder, and when the weights last changed


def load_model(key: Key) -> Any:
    """The weights of a model in fp32, an adapter merged into its base."""
    folder, adapter, _ = key
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa")
        if adapter:
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, adapter).merge_and_unload()
    except Exception as error:  # a damaged file raises whatever the library in question raises
        raise ApiError(
            500,
            f"The model in {adapter or folder} cannot be loaded ({error}). Its files are damaged or incomplete; if it "
            "is a tuned model, train it again.",
            code="model_damaged",
            type="server_error",
            headers={"x-should-retry": "false"},
        ) from error
    return model.to("cuda" if has_cuda() else "cpu").eval()


class Voice:
    """What turns a base's chats into tokens and back."""

    def __init__(self, folder: str) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.drop_space = answer_starts_with_space(self.tokenizer)
        self.end_tokens = set(self.tokenizer.all_special_ids)
        settings = Path(folder) / "generation_config.json"
        if settings.is_file():
            ends = json.loads(settings.read_text(encoding="utf-8")).get("eos_token_id")
            self.end_tokens |= set(ends if isinstance(ends, list) else [ends]) - {None}

    @cached_property
    def forms(self) -> Forms:
        return Forms(self.tokenizer, self.drop_space)


@lru_cache(maxsize=16)
def voice(folder: str) -> Voice:
    return Voice(folder)


class Chat:
    """One request: its answers in the making, and what is sent back."""

    def __init__(self, request: dict[str, Any], send: Send) -> None:
        self.id, self._send, self._stream = request["id"], send, request["stream"]
        self._voice = voice(request["model"]["folder"])
        self.prompt = self._encode(request)
        most_tokens = self._room(request)
        form = self._form(request.get("form"))
        self.answers = [self._new_answer(request["stop"]) for _ in range(request["n"])]
        self._texts = [""] * request["n"]
        self._logprobs: list[list[dict[str, Any]]] = [[] for _ in self.answers]
        self._wants_logprobs = request["top_logprobs"] is not None
        self._unfinished = request["n"]
        self.generations = [
            Generation(
                prompt=self.prompt,
                most_tokens=most_tokens,
                on_token=self._listener(index, most_tokens),
                sampling=Sampling(request["temperature"], request["top_p"], _random_numbers(request["seed"], index)),
                top_logprobs=request["top_logprobs"],
                form=form and form.another(),
            )
            for index in range(request["n"])
        ]

    def _encode(self, request: dict[str, Any]) -> list[int]:
        try:
            return encode_prompt(self._voice.tokenizer, request["messages"], request.get("tools") or None)
        except ValueError as error:
            raise ApiError(400, f"The model cannot take these messages: {error}", param="messages") from error

    def _form(self, asked: dict[str, Any] | None) -> Form | None:
        """What the answers are held to: {"schema", "source"}, and if need be the texts "before" and "after" it."""
        return None if asked is None else self._voice.forms.json(**asked)

    def _room(self, request: dict[str, Any]) -> int:
        """How many tokens each answer may have. Raises ApiError where prompt and answer do not fit the context."""
        context, asked, used = request["model"]["context"], request["most_tokens"], len(self.prompt)
        if used + (asked or 1) <= context:
            return asked or context - used
        if asked is None or used >= context:
            took = f"your messages resulted in {used} tokens. Please reduce the length of the messages."
        else:
            took = f"you requested {used + asked} tokens ({used} in the messages, {asked} in the completion). "
            took += "Please reduce the length of the messages or completion."
        message = f"This model's maximum context length is {context} tokens. However, {took}"
        raise ApiError(400, message, code="context_length_exceeded", param="messages")

    def _new_answer(self, stops: list[str]) -> Answer:
        return Answer(self._voice.tokenizer, self._voice.end_tokens, stops, self._voice.drop_space)

    def _listener(self, index: int, most_tokens: int) -> Callable[[int, LogProbs | None], bool]:
        answer = self.answers[index]

        def listen(token: int, log_probs: LogProbs | None) -> bool:
            goes_on = answer.push(token, log_probs)
            if goes_on and answer.tokens >= most_tokens:
                answer.close()
                goes_on = False
            self._pass_on(index, answer)
            if not goes_on:
                self._unfinished -= 1
                if not self._unfinished:
                    self._finish()
            return goes_on

        return listen

    def _pass_on(self, index: int, answer: Answer) -> None:
        text, logprobs = answer.new_text, answer.new_logprobs
        if not text:
            return
        answer.new_text, answer.new_logprobs = "", []
        self._texts[index] += text
        self._logprobs[index] += logprobs
        if self._stream:
            details = logprobs if self._wants_logprobs else None
            self._send({"id": self.id, "type": "delta", "index": index, "text": text, "logprobs": details})

    def _finish(self) -> None:
        choices = [
            {
                "index": index,
                "text": self._texts[index],
                "finish_reason": answer.finish_reason,
                "logprobs": self._logprobs[index] if self._wants_logprobs else None,
            }
            for index, answer in enumerate(self.answers)
        ]
        tokens = sum(answer.tokens for answer in self.answers)
        message = {"choices": choices, "prompt_tokens": len(self.prompt), "completion_tokens": tokens}
        self._send({"id": self.id, "type": "done", **message})

    @property
    def finished(self) -> bool:
        return not self._unfinished

    def cancel(self) -> None:
        """Nobody waits for this any more."""
        self._unfinished = 0
        for generation in self.generations:
            generation.finished = True


def _random_numbers(seed: int | None, index: int) -> random.Random:
    """A generator for the answer `index` of a request: the same seed gives the same answers."""
    return random.Random() if seed is None else random.Random(f"{seed}/{index}")


class Server:
    """Takes requests in and steps the engine."""

    def __init__(self, send: Send, load: Callable[[Key], Any] = load_model) -> None:
        self._send, self._load = send, load
        self._engine = Engine(load, MODEL_MEMORY)
        self._chats: dict[Any, Chat] = {}
        self.lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def run(self) -> None:
        while True:
            while not (self._engine.busy and self.lines.empty()):
                self._take(json.loads(self.lines.get()))
            self._step()

    def _take(self, request: dict[str, Any]) -> None:
        if request["op"] == "cancel":
            if request["id"] in self._chats:
                self._chats.pop(request["id"]).cancel()
            return
        try:
            chat = Chat(request, self._send)
            in_background = request.get("in_background", False)
            self._engine.submit(_key(request["model"]), chat.generations, in_background=in_background)
            self._chats[request["id"]] = chat
        except ApiError as error:
            self._refuse(request["id"], error)
        except Exception as error:  # noqa: BLE001 - one bad request must not end the process for all others
            traceback.print_exc()
            self._refuse(request["id"], _internal(error))

    def _step(self) -> None:
        try:
            self._engine.step()
        except Exception as error:  # noqa: BLE001 - running out of memory, most likely: begin anew
            traceback.print_exc()
            self._engine = Engine(self._load, MODEL_MEMORY)
            for identifier in list(self._chats):
                self._refuse(identifier, _internal(error))
            self._chats.clear()
        self._chats = {identifier: chat for identifier, chat in self._chats.items() if not chat.finished}

    def _refuse(self, identifier: Any, error: ApiError) -> None:
        details = {"status": error.status, "code": error.code, "param": error.param, "message": error.message}
        self._send({"id": identifier, "type": "error", **details, "headers": error.headers})


def _key(model: dict[str, Any]) -> Key:
    folder = Path(model["adapter"] or model["folder"])
    changed = max((path.stat().st_mtime_ns for path in folder.glob("*.safetensors")), default=0)
    return model["folder"], model["adapter"], changed


def _internal(error: Exception) -> ApiError:
    return ApiError(500, f"The engine failed ({type(error).__name__}: {error}).", type="server_error")


def main() -> None:
    send = claim_output()
    die_with_parent()
    set_threads(Settings.from_environment().threads)
    server = Server(send)
    exit_at_end_of_input(server.lines.put)
    send({"type": "ready"})
    server.run()


if __name__ == "__main__":
    main()
