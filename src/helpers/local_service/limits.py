"""What one learner of a class may ask for at a time, so that nobody keeps the service from the others.

Over a limit the answer is 429 in OpenAI's form, with Retry-After: OpenAI's clients then wait and ask again by
themselves. The owner of the service has no limits.
"""

from __future__ import annotations

from collections import Counter

from starlette.types import ASGIApp, Receive, Scope, Send

from .context import Service
from .errors import ApiError, respond

MOST_UNFINISHED_JOBS = 3
MOST_IN_FLIGHT = 32  # requests; two notebooks that evaluate ask 16 at a time each


class InFlight:
    """ASGI middleware that answers 429 to a learner who has too many requests under way."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        learner = scope.get("learner")
        if learner is None:
            await self._app(scope, receive, send)
            return
        if self._open[learner] >= MOST_IN_FLIGHT:
            message = (
                f"Rate limit reached: {MOST_IN_FLIGHT} requests of yours are under way. Wait for one to be answered."
            )
            await respond(send, _over_the_limit(message, "requests", 1))
            return
        self._open[learner] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open[learner] -= 1


def check_jobs(service: Service) -> None:
    """Raise ApiError 429 where a learner already has as many unfinished jobs as one may have."""
    if service.learner is not None and service.store.unfinished_jobs() >= MOST_UNFINISHED_JOBS:
        message = (
            f"This fine-tune request has been rate-limited. You have {MOST_UNFINISHED_JOBS} unfinished jobs, and may "
            "have no more: wait for one, or cancel one."
        )
        raise _over_the_limit(message, "invalid_request_error", 10)


def _over_the_limit(message: str, type: str, seconds: int) -> ApiError:
    return ApiError(429, message, code="rate_limit_exceeded", type=type, headers={"retry-after": str(seconds)})
