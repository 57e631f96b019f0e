"""Who may talk to the service: the holder of a key, through a host name of this machine, from no web page.

Checked before any route, in this order: Host (a web page may point a name of its own at 127.0.0.1), Origin (a browser
sends it when a page makes the request), the key, and the size of the body. threat_model.md says against whom.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import ipaddress
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .disk import write_private
from .errors import ApiError, invalid, respond
from .ids import random_letters
from .learners import new_key
from .settings import MAX_BODY_BYTES, MAX_FILE_BYTES, MAX_PART_BYTES

OPEN_PATHS = ("/", "/health")  # say only that the service is there
STATUS_PATH = "/status"  # of a class: for this machine, and for the owner's key
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
    key = new_key()
    write_private(path, key + "\n")
    return key


class Guard:
    """ASGI middleware that lets through only requests which pass every check above.

    `keys` holds the owner's key and those of a class: what a request's key stands for, None or a learner's name, goes
    into the scope as "learner". Every response carries an id of the request, and what stands in `said`.
    """

    def __init__(self, app: ASGIApp, key: str, learners: Mapping[str, str], said: dict[str, str]) -> None:
        self._app, self._key, self._said = app, key, said
        self._learners = {learner_key.encode(): name for name, learner_key in learners.items()}
        self._names = {"localhost", socket.gethostname().lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        send = self._with_headers(send)
        try:
            learner = self._check(scope, headers)
            bounded = _bounded(receive, _most_bytes(scope, headers))
        except ApiError as error:
            await respond(send, error)
            return
        await self._app({**scope, "learner": learner}, bounded, send)

    def _with_headers(self, send: Send) -> Send:
        """`send`, with a request id among the response's headers, as the SDK shows it on errors, and what is said."""
        more = {"x-request-id": f"req_{random_letters(24)}", **self._said}
        encoded = [(name.encode(), value.encode("latin-1", "replace")) for name, value in more.items()]

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *encoded]
            await send(message)

        return sending

    def _check(self, scope: Scope, headers: dict[str, str]) -> str | None:
        """The learner whom the request comes from; None: the owner of the service. Raises ApiError."""
        host = headers.get("host", "")
        if not self._is_ours(_host_name(host)):
            raise ApiError(403, f"The host name {host!r} is not one of this machine's.", code="forbidden_host")
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            raise ApiError(403, "Requests from web pages are not answered.", code="forbidden_origin")
        if scope["path"] in OPEN_PATHS:
            return None
        if scope["path"] == STATUS_PATH and self._learners:
            self._check_status(scope, headers)
            return None
        return self._learner_of(headers)

    def _check_status(self, scope: Scope, headers: dict[str, str]) -> None:
        """Let through this machine, and the owner's key, as the password where a browser asks for one."""
        if scope["client"] is not None and _is_loopback(scope["client"][0]):
            return
        if self._is_owners(_password_in(headers) or _key_in(headers)):
            return
        challenge = {"www-authenticate": 'Basic realm="the service\'s own key is the password", charset="UTF-8"'}
        raise ApiError(401, "The status page is for the owner of the service.", headers=challenge)

    def _learner_of(self, headers: dict[str, str]) -> str | None:
        given = _key_in(headers)
        if not given:
            raise ApiError(
                401,
                "You didn't provide an API key. Provide it in an Authorization header using Bearer auth (i.e. "
                "Authorization: Bearer YOUR_KEY). `python -m helpers env` prints this service's key.",
            )
        if self._is_owners(given):
            return None
        for key, learner in self._learners.items():
            if hmac.compare_digest(given.encode(), key):
                return learner
        raise ApiError(
            401,
            "Incorrect API key provided. `python -m helpers env` prints the key of the local service.",
            code="invalid_api_key",
        )

    def _is_owners(self, key: str) -> bool:
        return hmac.compare_digest(key.encode(), self._key.encode())

    def _is_ours(self, name: str) -> bool:
        """Addresses as such, and this machine's names: a page can only make other names point here."""
        with contextlib.suppress(ValueError):
            ipaddress.ip_address(name)
            return True
        return name in self._names


def _key_in(headers: dict[str, str]) -> str:
    """The key that a request carries, as OpenAI's clients send it or as Azure's do."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else headers.get("api-key", "")


def _password_in(headers: dict[str, str]) -> str:
    """What somebody has typed into a browser that asked for a password; the user's name counts for nothing."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        with contextlib.suppress(binascii.Error, UnicodeError):
            return base64.b64decode(given).decode().partition(":")[2]
    return ""


def _is_loopback(address: str) -> bool:
    with contextlib.suppress(ValueError):
        found = ipaddress.ip_address(address)
        return (getattr(found, "ipv4_mapped", None) or found).is_loopback
    return False


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
