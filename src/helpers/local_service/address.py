"""Where the service of a home folder is: running.json, and whether anything answers there. Standard library only."""

from __future__ import annotations

import contextlib
import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from .settings import Settings

Value = TypeVar("Value")


@dataclass(frozen=True)
class ServiceAddress:
    """What a client needs: the base URL (it ends in /v1) and the key."""

    url: str
    key: str


def find_running(settings: Settings) -> ServiceAddress | None:
    """The service that runs on this home and answers with its key, or None."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        running = json.loads(settings.running_file.read_text(encoding="utf-8"))
        key = settings.key_file.read_text(encoding="ascii").strip()
        address = ServiceAddress(running["url"], key)
        if answers(address):
            return address
    return None


def answers(address: ServiceAddress, timeout: float = 5.0) -> bool:
    """Whether this service answers, and takes the key."""
    request = urllib.request.Request(f"{address.url}/models", headers={"Authorization": f"Bearer {address.key}"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy stands before this machine
    try:
        with opener.open(request, timeout=timeout) as response:
            return response.status == 200
    except urllib.error.HTTPError as error:
        return error.code == 500  # it is there and took the key, whatever its models' trouble
    except (OSError, ValueError):
        return False


def serving_pid(settings: Settings) -> int | None:
    """The process that serves this home; None where none says so.

    Ask when find_running has found it: before, a service that was killed may be named still. One that answers has
    written its own name.
    """
    return _noted(settings.running_file, "pid", int)


def last_port(settings: Settings) -> int:
    """The port of the last service on this home, 0 where there was none: notebooks that are open know it."""
    return _noted(settings.home / "last.json", "port", int) or 0


def class_url(settings: Settings) -> str | None:
    """The base URL for the learners of a class; None where no service with a class runs."""
    return _noted(settings.running_file, "class_url", str)


def _noted(file: Path, name: str, kind: Callable[[Any], Value]) -> Value | None:
    """What the file says under this name; None where it cannot be read or says nothing of the kind."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return kind(json.loads(file.read_text(encoding="utf-8"))[name])
    return None


def write_running(settings: Settings, url: str, port: int, class_url: str | None = None) -> None:
    """Tell where this process serves: its owner, and a class if there is one."""
    for_class = {"class_url": class_url} if class_url else {}
    _write(settings.running_file, {"pid": os.getpid(), "url": url, **for_class})
    _write(settings.home / "last.json", {"port": port})


def _write(path: Path, content: dict[str, object]) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content), encoding="utf-8")
    part.replace(path)
