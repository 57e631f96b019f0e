"""A class on one service: who is in it, the key that each learner has, and the table of keys to hand out.

    python -m helpers serve --host 0.0.0.0 --class names.txt      names.txt: one learner a line
    python -m helpers learners                                    the table once more

A learner sees the bases, and of files, uploads, jobs, batches and tuned models the own ones (Store.seen_by); jobs take
turns (Store.queue); limits.py bounds what one learner can ask for; routes/status.py shows who trains and who waits.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path

from .disk import write_private
from .settings import Settings, SettingsError

LONGEST_NAME = 60  # characters


def new_key() -> str:
    """A key that nobody can guess: 256 random bits."""
    return "sk-local-" + secrets.token_urlsafe(32)


def read_names(path: Path) -> tuple[str, ...]:
    """The learners in a file with one name a line; empty lines count for nothing. Raises SettingsError."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise SettingsError(f"The names of the class, {path}, cannot be read ({error.strerror or error}).") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not text in UTF-8. Save it as UTF-8, one learner a line.") from error
    names: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        name = " ".join(line.split())
        if len(name) > LONGEST_NAME or not name.isprintable():
            raise SettingsError(f"Line {number} of {path} is no name: it takes up to {LONGEST_NAME} plain characters.")
        if name.casefold() in names:
            raise SettingsError(f"{path} has {name!r} twice (line {number}). Tell them apart: a name gets one key.")
        if name:
            names[name.casefold()] = name
    if not names:
        raise SettingsError(f"{path} holds no names. Write one learner a line.")
    return tuple(names.values())


def make_keys(settings: Settings) -> tuple[dict[str, str], bool]:
    """The key of each learner in the class, and whether any is new.

    Keys stay the same over restarts. Somebody who has left the class is not let in, and has the old key again when
    back. Raises SettingsError where the file of keys is damaged.
    """
    if not settings.learners:
        return {}, False
    known, left = class_keys(settings), class_keys(settings, "left")
    keys = {name: known.get(name) or left.get(name) or new_key() for name in settings.learners}
    if keys != known:
        everybody = {**left, **known, **keys}
        kept = {"class": keys, "left": {name: key for name, key in everybody.items() if name not in keys}}
        write_private(settings.learner_keys_file, json.dumps(kept, ensure_ascii=False, indent=1) + "\n")
    return keys, bool(keys.items() - known.items())


def class_keys(settings: Settings, of: str = "class") -> dict[str, str]:
    """The key of each learner in the last class, or of those who "left". Raises SettingsError for a damaged file."""
    try:
        return dict(json.loads(settings.learner_keys_file.read_text(encoding="utf-8"))[of])
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f"The file of keys {settings.learner_keys_file} is damaged ({error}). Move it away: every learner then "
            "gets a new key, and keeps the files and models there are."
        ) from error


def table(keys: Mapping[str, str], url: str) -> str:
    """What an instructor hands out: where the service is, and a line with name and key for each learner."""
    width = max(map(len, (*keys, "learner")))
    rows = [f"{name:{width}}  {key}" for name, key in keys.items()]
    return "\n".join(
        [
            "For each learner, before Jupyter is started:",
            f"  FINETUNE_SERVICE={url}",
            "  OPENAI_API_KEY=the key from the table",
            "",
            f"{'learner':{width}}  key",
            *rows,
        ]
    )


def address_for_others() -> str:
    """This machine's address on its network, as others may reach it; 127.0.0.1 where it has none."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # an address for documentation (RFC 5737); a datagram socket sends nothing yet
        return str(probe.getsockname()[0])
    return "127.0.0.1"
