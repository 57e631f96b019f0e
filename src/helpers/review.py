"""Step 2: a page on which an expert reads examples one by one, and accepts, edits or rejects each.

    review(path, "ann", n=30)

Every decision is saved at once, and the page opens where the reviewer left off. All of it can be reached with Tab; with
the cursor in the keys box one letter does the work of a button. helpers.decisions compares two reviewers and writes the
file to train on. Shown in notebook 02.
"""

from __future__ import annotations

import html
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import ipywidgets
import pandas as pd

from helpers.decisions import Decision, decisions, fingerprint, keep
from helpers.errors import Explained
from helpers.frontend import with_widgets
from helpers.tokens import spoken
from helpers.workspace import read_jsonl

TAGS = ("bias", "unsafe", "inaccurate", "inconsistent", "private data")
BUTTONS = {"a": "Accept", "e": "Save edit", "r": "Reject", "n": "Next", "p": "Previous"}
WIDE = {"width": "95%"}


@dataclass
class State:
    """What a reviewer says of an example: the replies as edited or as they were, tags, and a note."""

    replies: list[str]
    tags: list[str]
    note: str


def review(
    data: Path | str, reviewer: str, n: int | None = None, seed: int = 1, tags: Sequence[str] = TAGS
) -> Reviewer:
    """Return the page for one reviewer; as the last line of a cell it is shown, as a table where nobody watches.

    `n` examples drawn by `seed` are reviewed, the same ones for every reviewer; without it all are. Raises Explained
    for a file that cannot be read or holds nothing, and for a name that cannot be part of a file's.
    """
    return Reviewer(data, reviewer, n, seed, tags)


class Reviewer:
    """One reviewer's examples and decisions. `page` has the widgets; `table()` is what it all comes to."""

    def __init__(self, data: Path | str, reviewer: str, n: int | None, seed: int, tags: Sequence[str]) -> None:
        self.data, self.reviewer = Path(data), reviewer
        self.decided = decisions(data, reviewer)
        self.tags = list(dict.fromkeys([*tags, *(tag for made in self.decided.values() for tag in made.tags)]))
        examples = list(enumerate(read_jsonl(data), start=1))
        if not examples:
            raise Explained(f"{data} holds no examples, so there is nothing to review. Check its name.")
        if n is not None and n < len(examples):
            examples = sorted(random.Random(seed).sample(examples, max(n, 1)), key=lambda numbered: numbered[0])
        self.examples = examples
        self.keys = [fingerprint(example) for _, example in examples]

    def decide(self, place: int, kind: str, said: State) -> None:
        """Save a decision: accept, edit or reject. Raises Explained where it contradicts itself or cannot be saved."""
        (line, example), key = self.examples[place], self.keys[place]
        changed = said.replies != _replies(example)
        if kind == "accept" and changed:
            raise Explained("You changed the reply: press Save edit to keep the change, or undo it, then accept.")
        if kind == "edit" and not (changed and all(text.strip() for text in said.replies)):
            raise Explained("Change the reply first, to one that is not empty; accept what is right as it is.")
        texts = iter(said.replies)
        edited = [{**m, "content": next(texts)} if _is_reply(m) else m for m in _messages(example)]
        at = datetime.now(UTC).isoformat(timespec="seconds")
        made = Decision(key, line, kind, said.tags, said.note, edited if changed else None, self.reviewer, at)
        keep(self.data, made)
        self.decided[key] = made

    def saved(self, place: int) -> State:
        """Return what was decided on an example, or how it stands where nothing was."""
        made, example = self.decided.get(self.keys[place]), self.examples[place][1]
        if made is None:
            return State(_replies(example), [], "")
        return State(_replies({"messages": made.messages} if made.messages else example), made.tags, made.note)

    def open(self) -> list[int]:
        """Return the places of the examples that are not decided."""
        return [place for place, key in enumerate(self.keys) if key not in self.decided]

    def table(self) -> pd.DataFrame:
        """Return one row an example: line, decision ("" where there is none yet), tags, note, question, reply."""
        rows = []
        for (line, example), key in zip(self.examples, self.keys, strict=True):
            made = self.decided.get(key)
            said = (made.decision, ", ".join(made.tags), made.note) if made else ("", "", "")
            rows.append((line, *said, *(_words(example, role)[:80] for role in ("user", "assistant"))))
        return pd.DataFrame(rows, columns=["line", "decision", "tags", "note", "question", "reply"])

    @cached_property
    def page(self) -> Page:
        """The widgets, made when they are first asked for."""
        return Page(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """The table, and before it the widgets where somebody looks."""
        table = self.table()
        shown = {"text/plain": table.to_string(), "text/html": table.to_html()}
        return with_widgets(shown, lambda: self.page.box)


class Page:
    """The widgets: `buttons` by their label, `tags` by tag, `replies`, `note`, `keys`; `box` holds them all."""

    def __init__(self, reviewer: Reviewer) -> None:
        self.reviewer, self.place = reviewer, 0
        self._drafts: dict[int, State] = {}  # what was changed and not decided when its example was left
        self.status, self.view, self.message = ipywidgets.HTML(), ipywidgets.HTML(layout=WIDE), ipywidgets.HTML()
        self.replies: list[ipywidgets.Textarea] = []
        self.note = ipywidgets.Text(description="Note", layout=WIDE)
        self.tags = {
            tag: ipywidgets.Checkbox(description=f"{number} {tag}", indent=False)
            for number, tag in enumerate(reviewer.tags, start=1)
        }
        last = len(reviewer.examples)
        self._actions: dict[str, Callable[[], None]] = {
            "a": lambda: self._decide("accept"),
            "e": lambda: self._decide("edit"),
            "r": lambda: self._decide("reject"),
            "n": lambda: self._go((self.place + 1) % last),
            "p": lambda: self._go((self.place - 1) % last),
        }
        self.buttons = {label: self._button(key, label) for key, label in BUTTONS.items()}
        for number, box in enumerate(self.tags.values(), start=1):
            self._actions[str(number)] = lambda box=box: box.set_trait("value", not box.value)  # type: ignore[misc]
        help_ = ", ".join(f"{key} {label.lower()}" for key, label in BUTTONS.items())
        self.keys = ipywidgets.Text(description="Keys", placeholder=f"{help_}, 1 to {len(self.tags)} tags", layout=WIDE)
        self.keys.observe(self._press, "value")
        self._editors = ipywidgets.VBox()
        rows = [ipywidgets.HBox(list(row)) for row in (self.tags.values(), self.buttons.values())]
        parts = [self.status, self.view, self._editors, rows[0], self.note, rows[1], self.keys, self.message]
        self.box = ipywidgets.VBox(parts)
        self._show(self._next_open())

    def _button(self, key: str, label: str) -> ipywidgets.Button:
        button = ipywidgets.Button(description=f"{label} ({key})", tooltip=f"{label}: {key} in the keys box")
        button.on_click(lambda _: self._actions[key]())
        return button

    def _press(self, change: Any) -> None:
        """One letter in the keys box. Several at once were typed ahead of what is shown, and do nothing."""
        if change["new"]:
            self.keys.value = ""
            self._actions.get(change["new"].lower(), lambda: self._say(f"{change['new']!r} does nothing here."))()

    def _decide(self, kind: str) -> None:
        line = self.reviewer.examples[self.place][0]
        try:
            self.reviewer.decide(self.place, kind, self._state())
        except Explained as error:  # raised out of a widget, it would not be seen
            self._say(str(error))
            return
        self._drafts.pop(self.place, None)
        self._show(self._next_open())
        self._say(f"Line {line}: {kind} is saved." + ("" if self.reviewer.open() else " All examples are decided."))

    def _next_open(self) -> int:
        """The next example that is not decided, from here on and then from the start; here where there is none."""
        return min(self.reviewer.open(), key=lambda place: (place < self.place, place), default=self.place)

    def _go(self, place: int) -> None:
        if self._state() != self.reviewer.saved(self.place):
            self._drafts[self.place] = self._state()
        self._show(place)

    def _show(self, place: int) -> None:
        self.place, reviewer = place, self.reviewer
        line, example = reviewer.examples[place]
        said = self._drafts.get(place) or reviewer.saved(place)
        self.view.value = example_html(example)
        for widget in self.replies:
            widget.close()
        self.replies = [ipywidgets.Textarea(text, description="Reply", rows=6, layout=WIDE) for text in said.replies]
        self._editors.children = self.replies
        for tag, box in self.tags.items():
            box.value = tag in said.tags
        self.note.value = said.note
        made, count = reviewer.decided.get(reviewer.keys[place]), len(reviewer.examples)
        self.status.value = html.escape(
            f"{reviewer.reviewer}: example {place + 1} of {count} (line {line}), {count - len(reviewer.open())} "
            f"decided; this one: {made.decision if made else 'not yet'}"
        )
        self._say("")

    def _state(self) -> State:
        tags = [tag for tag, box in self.tags.items() if box.value]
        return State([reply.value for reply in self.replies], tags, self.note.value)

    def _say(self, text: str) -> None:
        self.message.value = f"<b>{html.escape(text)}</b>"


def example_html(example: dict[str, Any]) -> str:
    """Return an example to be read: who says what, escaped; a row without messages as JSON."""
    turns = [(str(m.get("role")), "\n".join(spoken(m))) for m in _messages(example) if isinstance(m, dict)]
    turns = turns or [("a row without messages", json.dumps(example, indent=1, ensure_ascii=False))]
    return "".join(
        f'<div><b>{html.escape(role)}</b></div><div style="white-space:pre-wrap;margin:0 0 8px 1em">'
        f"{html.escape(text)}</div>"
        for role, text in turns
    )


def _messages(example: dict[str, Any]) -> list[Any]:
    messages = example.get("messages")
    return messages if isinstance(messages, list) else []


def _is_reply(message: Any) -> bool:
    """Whether it is a text of the assistant's, which can be edited."""
    return isinstance(message, dict) and message.get("role") == "assistant" and isinstance(message.get("content"), str)


def _replies(example: dict[str, Any]) -> list[str]:
    return [message["content"] for message in _messages(example) if _is_reply(message)]


def _words(example: dict[str, Any], role: str) -> str:
    said = [m for m in _messages(example) if isinstance(m, dict) and m.get("role") == role]
    return " ".join(" ".join(text.split()) for message in said for text in spoken(message))
