"""Answers held to a form: at every token, those that would leave it cannot be chosen.

llguidance compiles a JSON schema and says after every token which may follow. Between the parts of an object or a list
it may write one space or none; everywhere else no white space but that inside strings, so that a small model cannot
fill its answer with it.
"""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import torch
from llguidance import LLMatcher, LLTokenizer
from llguidance.hf import from_tokenizer
from transformers import PreTrainedTokenizerBase

from .errors import invalid

LAYOUT = {"whitespace_flexible": False, "item_separator": ", ?", "key_separator": ": ?"}
REASON = re.compile(r"failed to compile JSON schema: (?P<reason>.*?)(\n +\d+ \||\Z)", re.DOTALL)


class Form:
    """What an answer is held to, and how far it has got."""

    def __init__(self, matcher: LLMatcher, end_tokens: list[int]) -> None:
        self._matcher, self._end_tokens = matcher, end_tokens

    def another(self) -> Form:
        """The same form for another answer, which has not begun."""
        return Form(self._matcher.deep_copy(), self._end_tokens)

    def allow(self, scores: torch.Tensor) -> torch.Tensor:
        """The next token's scores [vocabulary], those of tokens that cannot follow made -inf."""
        allowed = torch.zeros(scores.shape[-1], dtype=torch.bool)
        if self._matcher.is_error():  # a limit of llguidance's is reached: the answer ends where it stands
            allowed[self._end_tokens] = True
        else:
            bits = np.unpackbits(np.frombuffer(self._matcher.compute_bitmask(), np.uint8), bitorder="little")
            count = min(len(bits), len(allowed))
            allowed[:count] = torch.from_numpy(bits[:count].astype(bool))
        return scores.masked_fill(~allowed, -torch.inf)

    def take(self, token: int) -> None:
        """Note that this token was chosen."""
        self._matcher.consume_token(token)


class Forms:
    """Makes forms for one base's tokenizer; `begins_with_space` says that its answers do, before anything else."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, begins_with_space: bool) -> None:
        self._end_tokens = [tokenizer.eos_token_id]
        fast: Any = tokenizer  # every base has a tokenizer.json
        self._tokenizer: LLTokenizer = from_tokenizer(fast, eos_token=self._end_tokens)
        self._start = '" " ' if begins_with_space else ""

    def json(self, schema: dict[str, Any], source: str, before: str = "", after: str = "") -> Form:
        """JSON that follows a schema, between two texts.

        Raises ApiError 400, naming the `source`, for a schema that nothing can follow, or that is none.
        """
        laid_out = json.dumps({**schema, "x-guidance": LAYOUT})
        begin, end = (json.dumps(text) if text else "" for text in (before, after))
        grammar = LLMatcher.grammar_from_lark(f"start: {self._start}{begin} json {end}\njson: %json {laid_out}")
        matcher = LLMatcher(self._tokenizer, grammar, log_level=0)
        if matcher.is_error():
            raise _refusal(matcher.get_error(), source)
        return Form(matcher, self._end_tokens)


def _refusal(text: str, source: str) -> Exception:
    found = REASON.search(text)
    reason = found["reason"].strip() if found else text.strip()
    if reason.startswith("Unimplemented"):
        reason += " (not among the keywords that can be held to)"
    return invalid(f"Invalid schema for {source}: {reason}.", source.split()[0], "invalid_json_schema")
