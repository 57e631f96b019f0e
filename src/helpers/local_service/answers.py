"""Tokens back to text, as they come: whole characters only, and nothing that a stop sequence may yet cut off."""

from __future__ import annotations

import re
from typing import Any

from transformers import PreTrainedTokenizerBase

from .engine import LogProbs

HALF_A_CHARACTER = "\ufffd"
BYTE_TOKEN = re.compile(r"<0x([0-9A-F]{2})>")


class Detokenizer:
    """Text of a growing list of tokens, without decoding all of it at every token."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._tokens: list[int] = []
        self._context = self._read = 0  # the last piece of text came from tokens[_context:_read]

    def push(self, token: int) -> str:
        """The text that this token completes; "" while a character is not whole."""
        self._tokens.append(token)
        before, whole = self._decode(self._read), self._decode(None)
        if whole.endswith(HALF_A_CHARACTER):
            return ""
        self._context, self._read = self._read, len(self._tokens)
        return whole[len(before) :]

    def rest(self) -> str:
        """What is left at the end: half a character, shown as U+FFFD."""
        return self._decode(None)[len(self._decode(self._read)) :]

    def _decode(self, end: int | None) -> str:
        text = self._tokenizer.decode(self._tokens[self._context : end], skip_special_tokens=True)
        assert isinstance(text, str)
        return text


class Answer:
    """One answer's text while its tokens come in. `new_text` and `new_logprobs` hold what may be sent on."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, end_tokens: set[int], stops: list[str], drop_space: bool
    ) -> None:
        self._tokenizer, self._end_tokens, self._stops = tokenizer, end_tokens, stops
        self._drop_space = drop_space  # the first one belongs to the chat format
        self._detokenizer = Detokenizer(tokenizer)
        self._held = ""
        self.finish_reason = "length"  # until something ends it
        self.tokens = 0
        self.new_text = ""
        self.new_logprobs: list[dict[str, Any]] = []

    def push(self, token: int, log_probs: LogProbs | None) -> bool:
        """Take a token in; return whether the answer goes on."""
        self.tokens += 1
        if token in self._end_tokens:
            self.finish_reason = "stop"
            self._release(self._held + self._detokenizer.rest())
            return False
        piece = self._detokenizer.push(token)
        if piece and self._drop_space:
            piece, self._drop_space = piece.removeprefix(" "), False
        self._held += piece
        places = [place for place in (self._held.find(stop) for stop in self._stops) if place >= 0]
        if places:
            self.finish_reason = "stop"
            self._release(self._held[: min(places)])
            return False
        if log_probs is not None:
            self.new_logprobs.append(self._describe(token, log_probs))
        self._release(self._held[: len(self._held) - self._could_be_stop()])
        return True

    def close(self) -> None:
        """No more tokens come, because there is no room for more: give out what was held back."""
        self._release(self._held + self._detokenizer.rest())

    def _release(self, text: str) -> None:
        self.new_text += text
        self._held = self._held[len(text) :]

    def _could_be_stop(self) -> int:
        """How much of the end of the held text is the beginning of a stop sequence."""
        return max(
            (
                length
                for stop in self._stops
                for length in range(1, min(len(stop), len(self._held) + 1))
                if self._held.endswith(stop[:length])
            ),
            default=0,
        )

    def _describe(self, token: int, log_probs: LogProbs) -> dict[str, Any]:
        value, others = log_probs
        top = [{**_named(self._tokenizer, other), "logprob": number} for other, number in others]
        return {**_named(self._tokenizer, token), "logprob": value, "top_logprobs": top}


def _named(tokenizer: PreTrainedTokenizerBase, token: int) -> dict[str, Any]:
    """A token's text and bytes, as OpenAI's logprobs carry them."""
    name = tokenizer.convert_ids_to_tokens(token)
    assert isinstance(name, str)
    byte = BYTE_TOKEN.fullmatch(name)
    if byte:
        value = int(byte.group(1), 16)
        return {"token": chr(value) if value < 128 else f"\\x{value:02x}", "bytes": [value]}
    before, after = tokenizer.decode([token]), tokenizer.decode([token, token])
    assert isinstance(before, str) and isinstance(after, str)
    # Some decoders drop a space at the very beginning of a text; behind another token it is there.
    text = after[len(before) :] if after.startswith(before) else before
    return {"token": text, "bytes": list(text.encode("utf-8", "replace"))}
