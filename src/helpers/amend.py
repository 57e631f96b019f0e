"""Step 5: mend a training file, one kind of change at a time, so that the next score says what that change did.

    amend(train, to, add=new_examples)          amend(train, to, remove=[12, 40])
    amend(train, to, edit={12: mended})         amend(train, to, repeat={7: 3, 8: 3})

Lines count from 1, as check and the error browser name them. Then train again from the base, or go on from a tuned
model: tuned_model(replace(service, base_model=tuned), to, …), with dataclasses.replace.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from helpers.errors import Explained
from helpers.workspace import read_jsonl, write_jsonl

Example = dict[str, Any]


def amend(
    data: Path | str,
    to: Path | str,
    *,
    add: Sequence[Example] = (),
    remove: Iterable[int] = (),
    edit: Mapping[int, Example] | None = None,
    repeat: Mapping[int, int] | None = None,
) -> Path:
    """Write the file with one kind of change to `to`, print what changed, and return the path; `data` stays as it is.

    `add` appends examples, `remove` leaves lines out, `edit` puts others in their place, `repeat` says how many times a
    line stands in the file (2 or more), which is how an example is given more weight. Raises Explained for two kinds of
    change at once, for none, for a line that is not there, and where `to` is the data itself.
    """
    examples, removed = read_jsonl(data), set(remove)
    edited, repeated = dict(edit or {}), dict(repeat or {})
    given = {"add": len(add), "remove": len(removed), "edit": len(edited), "repeat": len(repeated)}
    kinds = [kind for kind, count in given.items() if count]
    if len(kinds) != 1:
        raise Explained(
            f"Change one thing at a time; this changes {', '.join(kinds) or 'nothing'}. After two changes at once "
            "nobody knows which of them did it."
        )
    if Path(to).resolve() == Path(data).resolve():
        raise Explained(f"{to} is the data itself, which stays as it is. Name another file.")
    missing = sorted(line for line in {*removed, *edited, *repeated} if not 1 <= line <= len(examples))
    if missing:
        raise Explained(f"{data} has lines 1 to {len(examples)}; there is no line {', '.join(map(str, missing))}.")
    if any(times < 2 for times in repeated.values()):
        raise Explained("repeat says how many times a line stands in the file: 2 or more. Use remove to leave one out.")
    kept = [
        edited.get(line, example)
        for line, example in enumerate(examples, start=1)
        for _ in range(0 if line in removed else repeated.get(line, 1))
    ]
    changed = [*kept, *add]
    print(f"{kinds[0]}: {given[kinds[0]]} lines; {len(examples)} examples before, {len(changed)} in {Path(to).name}.")
    return write_jsonl(to, changed)
