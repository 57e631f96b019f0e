"""Who may talk to the service: the holder of its key, through a host name of this machine, from no web page.

Checked before any route, in this order: Host (a web page may point a name of its own at 127.0.0.1), Origin (a browser
sends it when a page makes the request), the key, and the size of the body.
"""

from __future__ import annotations

import contextlib
import hmac
import ipaddress
import json
import os
import secrets
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import ApiError, invalid
from .ids import random_letters
from .settings import MAX_BODY_BYTES, MAX_FILE_BYTES, MAX_PART_BYTES

OPEN_PATHS = ("/", "/health")  # say only that the service is there
FORM_OVERHEAD = 1024 * 1024  # what a multipart form adds to its file


def read_or_make_key(path: Path) -> str:
    """The service's key: made once, in a file that only its owner can read, and kept from then on."""
    with contextlib.suppress(FileNotFoundError):
        key = path.read_text(encoding="ascii").strip()
        if key:
            if os.name == "posix":
                path.chmod(0o600)
            return key
        path.unlink()
    key = "sk-local-" + secrets.token_urlsafe(32)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(key + "\n")
    return key


class Guard:
    """ASGI middleware that lets through only requests which pass every check above.

    Every response carries an id of the request, and what stands in `said`.
    """

    def __init__(self, app: ASGIApp, key: str, said: dict[str, str]) -> None:
        self._app, self._key, self._said = app, key, said
        self._names = {"localhost", socket.gethostname().lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        send = self._with_headers(send)
        try:
            self._check(scope["path"], headers)
            bounded = _bounded(receive, _most_bytes(scope, headers))
        except ApiError as error:
            await respond(send, error)
            return
        await self._app(scope, bounded, send)

    def _with_headers(self, send: Send) -> Send:
        """`send`, with a request id among the response's headers, as the SDK shows it on errors, and what is said."""
        more = {"x-request-id": f"req_{random_letters(24)}", **self._said}
        encoded = [(name.encode(), value.encode("latin-1", "replace")) for name, value in more.items()]

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *encoded]
            await send(message)

        return sending

    def _check(self, path: str, headers: dict[str, str]) -> None:
        host = headers.get("host", "")
        if not self._is_ours(_host_name(host)):
            raise ApiError(403, f"The host name {host!r} is not one of this machine's.", code="forbidden_host")
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            raise ApiError(403, "Requests from web pages are not answered.", code="forbidden_origin")
        if path in OPEN_PATHS:
            return
        scheme, _, given = headers.get("authorization", "").partition(" ")
        given = given.strip() if scheme.lower() == "bearer" else headers.get("api-key", "")  # the latter: Azure's
        if not given:
            raise ApiError(
                401,
                "You didn't provide an API key. Provide it in an Authorization header using Bearer auth (i.e. "
                "Authorization: Bearer YOUR_KEY). `python -m helpers env` prints this service's key.",
            )
        if not hmac.compare_digest(given.encode(), self._key.encode()):
            raise ApiError(
                401,
                "Incorrect API key provided. `python -m helpers env` prints the key of the local service.",
                code="invalid_api_key",
            )

    def _is_ours(self, name: str) -> bool:
        """Addresses as such, and this machine's names: a page can only make other names point here."""
        with contextlib.suppress(ValueError):
            ipaddress.ip_address(name)
            return True
        return name in self._names


def _host_name(host: str) -> str:
    with contextlib.suppress(ValueError):
        return (urlsplit(f"//{host}").hostname or "").lower()
    return ""


def _most_bytes(scope: Scope, headers: dict[str, str]) -> int:
    """The body's limit. Raises ApiError where its announced length is over it already."""
    path, most = scope["path"].rstrip("/"), MAX_BODY_BYTES
    if path == "/v1/files":
        most = MAX_FILE_BYTES + FORM_OVERHEAD
    elif path.startswith("/v1/uploads/") and path.endswith("/parts"):
        most = MAX_PART_BYTES + FORM_OVERHEAD
    length = headers.get("content-length", "0")
    if not length.isdigit():
        raise invalid("The Content-Length header is not a number.")
    if int(length) > most:
        raise _too_large(most)
    return most


def _bounded(receive: Receive, most: int) -> Receive:
    """`receive`, until more than `most` bytes have come (a chunked body announces no length)."""
    received = 0

    async def bounded() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > most:
            raise _too_large(most)
        return message

    return bounded


def _too_large(most: int) -> ApiError:
    return ApiError(413, f"The request is too large: at most {most // 1024**2} MB are taken.", code="request_too_large")


async def respond(send: Send, error: ApiError) -> None:
    """Answer a request with an error, from outside any route."""
    body = json.dumps(error.body()).encode()
    headers: list[tuple[bytes, bytes]] = [(b"content-type", b"application/json")]
    headers += [(b"content-length", str(len(body)).encode())]
    start: dict[str, Any] = {"type": "http.response.start", "status": error.status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body})
