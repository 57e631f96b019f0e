"""Errors as OpenAI's API words them: one exception, and the body that the SDK parses.

Body: {"error": {"message", "type", "param", "code"}}. The SDK picks its exception class by the HTTP status alone.
Messages keep OpenAI's first sentence where it is known, and then say what to do.
"""

from __future__ import annotations

import errno
import json
from typing import Any

from starlette.types import Send

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class ApiError(Exception):
    """A request that cannot be answered as asked. Becomes an HTTP response with OpenAI's error body."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        type: str = "invalid_request_error",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.param, self.type = status, message, code, param, type
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        """The JSON body of the response."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


def invalid(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """400: the request itself is wrong."""
    return ApiError(400, message, param=param, code=code)


def not_found(kind: str, identifier: str, param: str = "id") -> ApiError:
    """404 for a file, job or event that does not exist (or was deleted)."""
    return ApiError(404, f"No such {kind}: {identifier}", param=param, code="not_found")


def model_not_found(name: str, known: list[str]) -> ApiError:
    """404 for a chat with, or a look at, a model that this service does not have."""
    shown = ", ".join(known[:8]) + (" and others" if len(known) > 8 else "") if known else "no model at all"
    return ApiError(
        404,
        f"The model `{name}` does not exist or you do not have access to it. This is the local service; it has: "
        f"{shown}.",
        code="model_not_found",
        param="model",
    )


def not_offered(what: str, instead: str, param: str | None = None) -> ApiError:
    """400 for something OpenAI's API has and this service does not (yet)."""
    return ApiError(400, f"The local service does not offer {what}. {instead}", code="not_offered", param=param)


def storage_error(error: OSError, doing: str) -> ApiError:
    """507 for a full disk, 500 for another failure of the disk. The SDK is told not to try again."""
    if error.errno in DISK_FULL:
        message = f"There is no disk space left while {doing}. Nothing was kept of it; make room and try again."
        return ApiError(507, message, code="disk_full", type="server_error", headers={"x-should-retry": "false"})
    message = f"The disk refused while {doing}: {error.strerror or error}."
    return ApiError(500, message, code="storage_error", type="server_error", headers={"x-should-retry": "false"})


async def respond(send: Send, error: ApiError) -> None:
    """Answer a request with an error, from outside any route."""
    body = json.dumps(error.body()).encode()
    named = {"content-type": "application/json", "content-length": str(len(body)), **error.headers}
    headers = [(name.encode(), value.encode()) for name, value in named.items()]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
