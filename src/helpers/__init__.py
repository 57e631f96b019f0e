"""The course's helpers: one small module for each step or idea, named after it.

`from helpers import connect` is the usual way in; everything else is imported from the module that explains it. Names
are loaded when they are asked for, so that the local service, which is part of this package, starts without them.
"""

from importlib import import_module
from typing import Any

_HOMES = {"connect": "connection", "Service": "connection", "Explained": "errors"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module 'helpers' has no attribute '{name}'; `import helpers.{name}` loads a module")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
