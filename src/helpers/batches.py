"""Step 4: a large set of requests through the Batch API: half the price at OpenAI, and an answer within a day.

OpenAI's Batch API takes a JSON Lines file of requests (purpose "batch"), each with a custom_id, and gives back a file
of answers and one of errors, in no order (OpenAI's Batch API guide, 2026).
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import openai
from openai.types import Batch

from helpers.errors import Explained
from helpers.frontend import StatusLine

MOST = 50_000  # requests in one batch (OpenAI's Batch API guide, 2026)
ENDED = ("completed", "failed", "expired", "cancelled")
Result = tuple[str, dict[str, Any] | None, str]  # custom_id, the answer's body, or why there is none


def ask_batch(
    client: openai.OpenAI, asked: Mapping[str, dict[str, Any]], label: str = "", every: float = 5.0
) -> Iterator[Result]:
    """Yield each request's id with its answer's body, or with the reason why there is none.

    `asked` holds the bodies for chat/completions by their ids. A batch of the same requests that is under way, or done
    and not fetched, is taken up again; looks for news every `every` seconds. Raises Explained for more than 50,000
    requests, where the service has no Batch API or fails the whole batch, and when the wait is interrupted.
    """
    if len(asked) > MOST:
        raise Explained(f"A batch holds {MOST:,} requests at most; there are {len(asked):,}. Ask in several parts.")
    name = hashlib.sha256("".join(sorted(asked)).encode()).hexdigest()[:32]
    try:
        batch = _under_way(client, name) or _create(client, asked, name)
        batch = _wait(client, batch, label, every)
    except openai.NotFoundError as error:
        raise Explained(f"The service at {client.base_url} has no Batch API. Leave batch=True out.") from error
    except openai.OpenAIError as error:
        raise Explained(f"The batch could not be run: {error}. What was answered is kept; run this again.") from error
    if batch.status == "failed":
        found = [error.message for error in (batch.errors.data or [])] if batch.errors else []
        raise Explained(f"Batch {batch.id} failed as a whole: {'; '.join(filter(None, found)) or 'no reason given'}.")
    waiting = dict.fromkeys(asked)
    for file in filter(None, (batch.output_file_id, batch.error_file_id)):
        for line in client.files.content(file).text.splitlines():
            result = _result(json.loads(line))
            if result[0] in waiting:
                del waiting[result[0]]
                yield result
    for key in waiting:
        yield key, None, f"batch {batch.id} is {batch.status} and holds no answer"


def _under_way(client: openai.OpenAI, name: str) -> Batch | None:
    """The batch of the same requests, unless it ended without an answer to any of them."""
    for batch in client.batches.list(limit=100):
        if (batch.metadata or {}).get("requests") == name:
            answered = batch.request_counts.completed if batch.request_counts else 0
            if batch.status not in (*ENDED, "cancelling") or answered:
                return batch
    return None


def _create(client: openai.OpenAI, asked: Mapping[str, dict[str, Any]], name: str) -> Batch:
    rows = (
        {"custom_id": key, "method": "POST", "url": "/v1/chat/completions", "body": body} for key, body in asked.items()
    )
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    file = client.files.create(file=(f"requests-{name[:8]}.jsonl", content), purpose="batch")
    return client.batches.create(
        input_file_id=file.id,
        endpoint="/v1/chat/completions",
        completion_window="24h",
        metadata={"requests": name},
    )


def _wait(client: openai.OpenAI, batch: Batch, label: str, every: float) -> Batch:
    line, pause = StatusLine(every=0.5), min(0.2, every)
    try:
        while batch.status not in ENDED:
            counts = batch.request_counts
            far = f"{counts.completed + counts.failed} of {counts.total}" if counts else ""
            line.show(f"{label or batch.id}: batch {batch.id} {batch.status} {far}")
            time.sleep(pause)
            pause = min(2 * pause, every)
            batch = client.batches.retrieve(batch.id)
    except KeyboardInterrupt:
        raise Explained(
            f"You stopped waiting. Batch {batch.id} goes on: run this again to wait for it, or end it with "
            f"client.batches.cancel('{batch.id}')."
        ) from None
    line.end(f"{label or batch.id}: batch {batch.id} {batch.status}")
    return batch


def _result(row: dict[str, Any]) -> Result:
    """One line of an output or error file: {custom_id, response: {status_code, body}, error}."""
    response, error = row.get("response") or {}, row.get("error") or {}
    body = response.get("body") or {}
    if response.get("status_code") == 200:
        return row["custom_id"], body, ""
    said = error.get("message") or (body.get("error") or {}).get("message") or "no reason given"
    return row["custom_id"], None, f"{error.get('code') or response.get('status_code') or 'failed'}: {said}"
