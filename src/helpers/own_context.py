"""How much of an example a base model reads, and examples cut so that their answers still fit.

A service cuts an example that is too long at its end, where the answer stands. Here the question is cut instead, and
whoever asks is told which ones were.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import openai

from helpers.connection import Service
from helpers.errors import Explained
from helpers.tokens import count_example, price_table

Example = dict[str, Any]
NO_ROOM = 1_000_000_000  # tokens that no model can answer with: the request is refused before anything is computed
LENGTHS = re.compile(
    r"maximum context length is (\d+) tokens.*?(?:resulted in (\d+) tokens|\((\d+) in the messages)", re.S
)
FRAME = 16  # bytes that stand for what surrounds a message: no frame has more tokens
TRIES = 8  # halvings: what is kept is right to half a hundredth of the question
LEAST = 0.1  # of a question must be left: less no longer says what was asked


class Cut(NamedTuple):
    """An example that was too long: its place in the list, its tokens, and the question's share that is left.

    `left` is 0 where the answer alone is too long; such an example stays as it was.
    """

    place: int
    tokens: int
    limit: int
    left: float


def lengths(service: Service, messages: list[dict[str, Any]]) -> tuple[int, int] | None:
    """Return how many tokens the base reads at most, and how many these messages have; None where nobody says.

    The local service says so when it refuses an answer that is too long, in the words that OpenAI uses. For OpenAI's
    models the price table and their encoding tell. Raises Explained where the local service does not answer.
    """
    if not service.is_local:
        limit = price_table()["models"].get(service.base_model, {}).get("max_example_tokens")
        return (limit, count_example(messages)) if limit else None
    try:
        service.client.chat.completions.create(
            model=service.base_model,
            messages=messages,  # type: ignore[arg-type]  # plain dicts
            max_completion_tokens=NO_ROOM,
        )
    except openai.BadRequestError as error:
        found = LENGTHS.search(error.message)
        return (int(found[1]), int(found[2] or found[3])) if found else None
    except openai.OpenAIError as error:
        raise Explained(f"The service cannot say how long a text may be: {error}. Run this again.") from error
    return None


def fit(service: Service, examples: list[Example], answer_tokens: int) -> tuple[list[Example], list[Cut]]:
    """Return the examples, those that are too long with a shorter question, and what was cut.

    `answer_tokens` is how long an answer may be when the model is asked: question and answer share what it reads. Where
    the limit is not known nothing is cut.
    """
    known = lengths(service, [{"role": "user", "content": "?"}])
    if known is None:
        return examples, []
    found, cuts = [], []
    for place, example in enumerate(examples):
        tokens = _tokens(service, example, answer_tokens, known[0])
        if tokens > known[0]:
            example, left = _shorter(service, example, answer_tokens, known[0])
            cuts.append(Cut(place, tokens, known[0], left))
        found.append(example)
    return found, cuts


def _tokens(service: Service, example: Example, answer_tokens: int, limit: int) -> int:
    """The tokens of the whole, or of the question and as long an answer as may be asked for."""
    messages = [message for message in example["messages"] if isinstance(message.get("content"), str)]
    size = sum(len(message["content"].encode("utf-8", "replace")) + FRAME for message in messages)
    if size + answer_tokens <= limit:  # a token is a byte or more
        return size
    _, whole = lengths(service, messages) or (0, 0)
    if whole + answer_tokens <= limit or whole > limit:
        return whole
    _, asked = lengths(service, messages[:-1]) or (0, 0)
    return max(whole, asked + answer_tokens)


def _shorter(service: Service, example: Example, answer_tokens: int, limit: int) -> tuple[Example, float]:
    """The example with the end of its longest question cut, and the share that is left; 0 where it cannot fit."""
    messages = example["messages"]
    texts = [message.get("content") for message in messages]
    asked = [place for place, text in enumerate(texts) if messages[place]["role"] == "user" and isinstance(text, str)]
    if not asked:
        return example, 0.0
    longest = max(asked, key=lambda place: len(texts[place]))
    text = texts[longest]

    def with_length(letters: int) -> Example:
        words = text[:letters].rsplit(maxsplit=1)
        said = {"role": "user", "content": words[0] if len(words) > 1 and letters < len(text) else text[:letters]}
        return {**example, "messages": [*messages[:longest], said, *messages[longest + 1 :]]}

    def fits(letters: int) -> bool:
        return _tokens(service, with_length(letters), answer_tokens, limit) <= limit

    low, high = int(LEAST * len(text)), len(text)
    if not fits(low):
        return example, 0.0
    for _ in range(TRIES):
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return with_length(low), low / len(text)
