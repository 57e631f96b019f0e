"""Placeholders such as <EMAIL_1>, and the key file that says what each stands for. Used by helpers.mask."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from helpers.errors import Explained
from helpers.personal import KINDS
from helpers.whole_file import whole_file

PLACEHOLDER = re.compile(rf"<(?P<kind>{'|'.join(KINDS)})_(?P<number>[0-9]{{1,9}})(?:_(?P<form>[0-9]{{1,9}}))?>")


class Placeholders:
    """Which placeholder stands for which words. Two ways to write one number or name share its number: <PHONE_1_2>."""

    def __init__(self, words: Mapping[str, str] | None = None, taken: Iterable[str] = ()) -> None:
        """`words` is a key to go on with; `taken` are placeholders that the texts already hold."""
        self.words: dict[str, str] = {}
        self.given: dict[tuple[str, str], str] = {}
        self.numbers: dict[tuple[str, str], int] = {}
        self.forms: Counter[tuple[str, int]] = Counter()
        self.last: Counter[str] = Counter()
        for placeholder, text in (words or {}).items():
            self._give(placeholder, text)
        for match in filter(None, map(PLACEHOLDER.fullmatch, taken)):
            self.last[match["kind"]] = max(self.last[match["kind"]], int(match["number"]))

    def _give(self, placeholder: str, text: str) -> str:
        match = PLACEHOLDER.fullmatch(placeholder)
        assert match is not None
        kind, number = match["kind"], int(match["number"])
        self.last[kind] = max(self.last[kind], number)
        self.forms[kind, number] += 1
        self.numbers[kind, evened(kind, text)] = number
        self.given[kind, text] = placeholder
        self.words[placeholder] = text
        return placeholder

    def stand_in(self, kind: str, text: str) -> str:
        """Return the placeholder for these words, the same one each time."""
        if (kind, text) in self.given:
            return self.given[kind, text]
        number = self.numbers.get((kind, evened(kind, text)), self.last[kind] + 1)
        form = self.forms[kind, number] + 1
        return self._give(f"<{kind}_{number}>" if form == 1 else f"<{kind}_{number}_{form}>", text)


def evened(kind: str, text: str) -> str:
    """Return what two ways to write the same share: of numbers the digits and letters, of telephones the last 9."""
    text = " ".join(text.casefold().split())
    if kind in ("CARD", "IBAN", "ACCOUNT", "RECORD", "NATIONAL_ID", "PHONE"):
        text = re.sub(r"[\W_]+", "", text)
    return text[-9:] if kind == "PHONE" else text


def read_key(path: Path) -> dict[str, str]:
    """Return what each placeholder stands for. Raises Explained where that is no key file."""
    try:
        words = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Explained(f"The key {path} cannot be read ({error.strerror or error}). Check its path.") from error
    except ValueError as error:
        raise Explained(f"{path} is no key file: {error}. Name the file that pseudonymise wrote.") from error
    if not isinstance(words, dict) or not all(
        PLACEHOLDER.fullmatch(p) and isinstance(w, str) for p, w in words.items()
    ):
        raise Explained(f"{path} is no key file: it does not map placeholders to words. Name the one that was written.")
    return words


def write_key(path: Path, words: Mapping[str, str]) -> None:
    """Write the key, readable by its owner alone. Raises Explained where it cannot be written."""
    with whole_file(path, mode=0o600) as file:
        file.write(json.dumps(words, ensure_ascii=False, indent=0).encode("utf-8", "backslashreplace"))
