"""Step 2: put placeholders such as <EMAIL_1> in place of personal data, with a key (pseudonyms) or for good.

    masked = pseudonymise(examples, key="../keys/support.json", names=[record.customer for record in records])
    masked = anonymise(examples)
    examples = restore(masked.examples, key="../keys/support.json")

Pseudonymised data are still personal data, because the key leads back to the people (GDPR, Article 4(5) and recital
26). Anonymised data keep no key, and numbers begin anew in each conversation, so that nothing links one to another.
Even then a story may be told by one person alone: have a human read a sample. On the command line:
python -m helpers mask FILE --out NEW --key KEY. Shown in notebook 02.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.errors import Explained
from helpers.personal import find, names_in
from helpers.placeholders import PLACEHOLDER, Placeholders, read_key, write_key
from helpers.repair import new_file
from helpers.workspace import read_jsonl, write_jsonl

LEFT = {"role", "type", "id", "tool_call_id", "tools", "functions", "image_url", "file"}  # keys that hold no prose
NAMES_ARE_MISSED = (
    "No offline tool finds all names: those that stand in no column, salutation or signature are still there. "
    "Read a sample before anything is uploaded."
)
Example = dict[str, Any]


@dataclass
class Masked:
    """Examples with placeholders, and `found`: how many places of each kind were masked in each example, from 1."""

    examples: list[Example]
    found: pd.DataFrame

    def __str__(self) -> str:
        kinds = self.found.groupby("kind")["places"].sum() if len(self.found) else {}
        return ", ".join(f"{kind} {count}" for kind, count in kinds.items()) + f"\n{NAMES_ARE_MISSED}"


def pseudonymise(examples: Sequence[Example], key: Path | str, names: Sequence[Any] = ()) -> Masked:
    """Return the examples with placeholders, the same one for the same words everywhere; the way back is in `key`.

    The key file is readable by its owner alone (mode 600), and is added to where it exists, so that several files can
    share it. `names` holds for each example a name or several, from a column of the data; "" for none. Raises
    Explained where the key cannot be read or written.
    """
    path = Path(key)
    known = read_key(path) if path.exists() else {}
    placeholders = Placeholders(known, _standing(examples))
    masked = _mask_all(examples, names, lambda example: placeholders)
    write_key(path, placeholders.words)
    return masked


def anonymise(examples: Sequence[Example], names: Sequence[Any] = ()) -> Masked:
    """Return the examples with placeholders that begin anew in each, and no way back. `names` as in pseudonymise."""
    return _mask_all(examples, names, lambda example: Placeholders(taken=_standing(example)))


def restore(examples: Sequence[Example], key: Path | str) -> list[Example]:
    """Return pseudonymised examples with the words that the placeholders stand for; others stay."""
    words = read_key(Path(key))
    return [_walk(example, lambda text: PLACEHOLDER.sub(lambda m: words.get(m[0], m[0]), text)) for example in examples]


def _mask_all(
    examples: Sequence[Example], names: Sequence[Any], placeholders: Callable[[Example], Placeholders]
) -> Masked:
    if len(names) not in (0, len(examples)):
        raise Explained(
            f"There are {len(examples)} examples and {len(names)} names. Give one for each example, in their order."
        )
    masked, rows = [], []
    for place, example in enumerate(examples):
        own = names[place] if names else ()
        known = {*([own] if isinstance(own, str) else own), *names_in(_texts(example))}
        counts: Counter[str] = Counter()
        masked.append(_walk(example, partial(_mask, names=known, placeholders=placeholders(example), counts=counts)))
        rows += [{"line": place + 1, "kind": kind, "places": places} for kind, places in counts.items()]
    return Masked(masked, pd.DataFrame(rows, columns=["line", "kind", "places"]))


def _mask(text: str, names: Collection[str], placeholders: Placeholders, counts: Counter[str]) -> str:
    made, end = "", 0
    for span in find(text, names):
        made += text[end : span.start] + placeholders.stand_in(span.kind, text[span.start : span.end])
        end = span.end
        counts[span.kind] += 1
    return made + text[end:]


def _walk(value: Any, change: Callable[[str], str]) -> Any:
    """The value with every text in it changed, but for those that only machines read."""
    try:
        return _walk_part(value, change)
    except RecursionError:
        raise Explained("An example is nested too deep to be masked. Run the checker on its file.") from None


def _walk_part(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_walk_part(part, change) for part in value]
    if isinstance(value, dict):
        return {key: part if key in LEFT else _walk_key(key, part, change) for key, part in value.items()}
    return value


def _walk_key(key: str, value: Any, change: Callable[[str], str]) -> Any:
    """A call's arguments are JSON in a text: what is in them changes, and the JSON stays whole."""
    if key == "name" and isinstance(value, str):  # the service takes no < and > in a speaker's name
        bare = f"<{value}>"
        if PLACEHOLDER.fullmatch(bare):
            return value if change(bare) == bare else change(bare)
        made = change(value)
        return made.strip("<>") if PLACEHOLDER.fullmatch(made) else made
    if key != "arguments" or not isinstance(value, str):
        return _walk_part(value, change)
    try:
        given = json.loads(value)
    except ValueError:
        return change(value)
    made = _walk_part(given, change)
    return value if made == given else json.dumps(made, ensure_ascii=False)


def _texts(value: Any) -> list[str]:
    found: list[str] = []

    def note(text: str) -> str:
        found.append(text)
        return text

    _walk(value, note)
    return found


def _standing(value: Any) -> set[str]:
    """The placeholders that texts already hold: others must not get the same."""
    return {match[0] for text in _texts(value) for match in PLACEHOLDER.finditer(text)}


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Explained(f"The names in {path} cannot be read ({error}). Check its path; save it as UTF-8.") from error


def main(argv: list[str] | None = None) -> int:
    """python -m helpers mask FILE --out NEW: mask, or bring back, the texts of a JSON Lines file; return 0."""
    parser = argparse.ArgumentParser(prog="python -m helpers mask", description="Puts placeholders for personal data.")
    parser.add_argument("file", help="a .jsonl file")
    parser.add_argument("--out", metavar="NEW", required=True, help="the file to write")
    parser.add_argument("--force", action="store_true", help="write NEW though it exists")
    parser.add_argument("--names", metavar="LIST", help="a text file with a name, or none, a line for each example")
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--key", help="pseudonymise: keep the way back in this file, in another folder than NEW")
    way.add_argument("--anonymise", action="store_true", help="keep no way back")
    way.add_argument("--restore", metavar="KEY", help="bring back what the placeholders stand for")
    given = parser.parse_args(argv)
    out = new_file(given.file, given.out, given.force)
    examples = read_jsonl(given.file)
    if given.restore:
        write_jsonl(out, restore(examples, given.restore))
        print(f"{out}: restored from {given.restore}. It holds personal data again.")
        return 0
    if given.key and Path(given.key).resolve().parent == out.resolve().parent:
        raise Explained(f"The key would stand beside {out}, and go where it goes. Keep it in another folder.")
    names = _lines(Path(given.names)) if given.names else []
    masked = pseudonymise(examples, given.key, names) if given.key else anonymise(examples, names)
    write_jsonl(out, masked.examples)
    print(f"{out}: {masked}")
    return 0
