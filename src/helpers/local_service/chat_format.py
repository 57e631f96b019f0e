"""Chat messages to tokens, through the base's chat template; and tokens back to text.

Words of a message are never read as control tokens: where a message contains a text such as "<s>" or "<|end|>", the
rendered conversation is cut at the template's own control tokens and every piece between is encoded as plain text.
Needs a tokenizer from transformers, so only the training and engine processes import this.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

from transformers import PreTrainedTokenizerBase
from transformers.utils.chat_template_utils import render_jinja_template

Message = dict[str, Any]
Tools = list[dict[str, Any]] | None
Span = tuple[int, int]
GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")
PRIVATE_USE = 0xF0000  # stands for a control token's text inside a message while the template renders


def encode_prompt(tokenizer: PreTrainedTokenizerBase, messages: list[Message], tools: Tools = None) -> list[int]:
    """Tokens of a conversation up to where the assistant is to speak, which may call `tools`.

    Raises ValueError where the template refuses the messages (a role it does not know, for example).
    """
    text, _ = _render(tokenizer, messages, tools, generation_prompt=True)
    return _encode(tokenizer, text, [])[0]


def encode_example(
    tokenizer: PreTrainedTokenizerBase, messages: list[Message], tools: Tools = None
) -> tuple[list[int], list[int]]:
    """Tokens of a training example, and its labels: the token where the loss counts it, else -100.

    What counts is what the template puts between its generation markers; a template that has none is rendered message
    by message to find the answers. An assistant message of weight 0 never counts.
    """
    if GENERATION.search(tokenizer.chat_template or ""):
        text, spans = _render(tokenizer, messages, tools)
        spans = _without_unweighted(messages, spans)
    else:
        text, spans = _render(tokenizer, messages, tools)[0], _answer_spans(tokenizer, messages, tools)
    ids, counted = _encode(tokenizer, text, spans)
    return ids, [token if counts else -100 for token, counts in zip(ids, counted, strict=True)]


def answer_starts_with_space(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether this base's format has a space before the answer, which belongs to the format and not to the answer."""
    question = [{"role": "user", "content": "Q"}]
    before, _ = _render(tokenizer, question, generation_prompt=True)
    whole, _ = _render(tokenizer, [*question, {"role": "assistant", "content": "A"}])
    return whole.startswith(before + " A")


def _render(
    tokenizer: PreTrainedTokenizerBase,
    messages: list[Message],
    tools: Tools = None,
    *,
    generation_prompt: bool = False,
) -> tuple[str, list[Span]]:
    """The conversation as one string, control texts inside messages hidden, and where its generation markers stood."""
    template = tokenizer.chat_template
    if not isinstance(template, str):
        raise ValueError("the base has no chat template (chat_template.jinja)")
    if "tools" not in template and (tools or any(message.get("tool_calls") for message in messages)):
        raise ValueError("the base's chat template has no place for tools")
    hidden = _hide(tokenizer, messages)
    marked = not generation_prompt and bool(GENERATION.search(template))
    render: Any = render_jinja_template  # its annotations do not tell what it returns
    try:
        texts, spans = render(
            conversations=[hidden],
            tools=_hide(tokenizer, tools),
            chat_template=template,
            return_assistant_tokens_mask=marked,
            add_generation_prompt=generation_prompt,
            **tokenizer.special_tokens_map,
        )
    except Exception as error:  # templates are code of their own and may raise anything
        raise ValueError(str(error)) from error
    return texts[0], [(start, end) for start, end in spans[0]] if marked else []


def _without_unweighted(messages: list[Message], spans: list[Span]) -> list[Span]:
    """Leave out the spans of assistant messages of weight 0 where the template has marked every assistant message."""
    answers = [message for message in messages if message["role"] == "assistant"]
    if len(spans) != len(answers):
        return spans
    return [span for span, message in zip(spans, answers, strict=True) if message.get("weight") != 0]


def _answer_spans(tokenizer: PreTrainedTokenizerBase, messages: list[Message], tools: Tools) -> list[Span]:
    """Where the answers stand in the rendered conversation: from each generation prompt to the end of that message."""
    whole = _render(tokenizer, messages, tools)[0]
    spans = []
    for index, message in enumerate(messages):
        if message["role"] != "assistant" or message.get("weight") == 0:
            continue
        before = _render(tokenizer, messages[:index], tools, generation_prompt=True)[0]
        through = _render(tokenizer, messages[: index + 1], tools)[0]
        if not (through.startswith(before) and whole.startswith(through)):
            raise ValueError("the base's chat template has no {% generation %} markers and cannot be split by message")
        spans.append((len(before), len(through.rstrip())))
    return spans


def _hide(tokenizer: PreTrainedTokenizerBase, value: Any) -> Any:
    """A JSON value in whose texts every control token's is replaced by a character that stands for it."""
    if isinstance(value, dict):
        return {name: _hide(tokenizer, item) for name, item in value.items()}
    if isinstance(value, list):
        return [_hide(tokenizer, item) for item in value]
    if isinstance(value, str):
        for index, token in enumerate(tokenizer.all_special_tokens):
            value = value.replace(token, chr(PRIVATE_USE + index))
    return value


def _encode(tokenizer: PreTrainedTokenizerBase, text: str, spans: list[Span]) -> tuple[list[int], list[bool]]:
    """Tokens of a rendered conversation, and for each whether it lies inside one of the spans."""
    special = tokenizer.all_special_tokens
    hidden = {chr(PRIVATE_USE + index): token for index, token in enumerate(special)}
    if not any(mark in text for mark in hidden):
        encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        return encoded["input_ids"], [_inside(offset, spans) for offset in encoded["offset_mapping"]]
    ids: list[int] = []
    counted: list[bool] = []
    vocabulary = tokenizer.get_vocab()
    for start, end in _pieces(text, special, spans):
        piece = text[start:end]
        if piece in special:
            tokens = [vocabulary[piece]]
        else:
            words = "".join(hidden.get(character, character) for character in piece)
            tokens = tokenizer(words, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        ids += tokens
        counted += [_inside((start, end), spans)] * len(tokens)
    return ids, counted


def _pieces(text: str, special: list[str], spans: list[Span]) -> list[Span]:
    """Cut a text around its control tokens and at the ends of the spans."""
    cuts = {0, len(text)} | {cut for span in spans for cut in span}
    for match in re.finditer("|".join(map(re.escape, special)), text):
        cuts |= set(match.span())
    return list(itertools.pairwise(sorted(cuts)))


def _inside(offset: Span, spans: list[Span]) -> bool:
    return any(start <= offset[0] < end for start, end in spans)
