"""Step 2: which tokens of an example carry loss: what a model learns to write, and what it only reads.

    loss_view(example["messages"])

In a notebook the tokens are coloured; where nothing can be coloured, and for screen readers, lines say the same. Shown
in notebook 02.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass

from helpers.tokens import Messages, carries_loss, count_text, encoding, spoken

SHADES = {True: ("#FBE3A6", "#F2C14E"), False: ("#F2F2F2", "#E0E0E0")}  # with loss amber, without grey
BOX = "white-space:pre-wrap;color:#000;padding:2px 4px;margin:0 0 6px"


@dataclass(frozen=True)
class LossView:
    """The view of one example: `html` with coloured tokens, and `text` for headless runs and screen readers."""

    html: str
    text: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def loss_view(messages: Messages, assistant_only: bool = True) -> LossView:
    """Return which o200k_base tokens of these messages carry loss; an assistant message of weight 0 carries none.

    `assistant_only=False` shows what a trainer does that learns every role. Counted are the texts; the few tokens that
    frame a message are not shown.
    """
    blocks, lines, learned, total = [], [], 0, 0
    for message in messages:
        texts, loss = spoken(message), carries_loss(message, assistant_only)
        count = sum(map(count_text, texts))
        total, learned = total + count, learned + count * loss
        head = f"{message.get('role')}, {count:,} tokens, {'LEARNED' if loss else 'read only'}"
        if message.get("weight") is not None:
            head += f" (weight {message['weight']})"
        coloured = "<br>".join("".join(_shaded(text, loss)) for text in texts)
        style = f"{BOX};background-color:{SHADES[loss][0]}"
        blocks.append(f'<div><b>{html.escape(head)}</b></div><div style="{style}">{coloured}</div>')
        mark = "+ " if loss else "  "
        lines += [head, *(mark + line for text in texts for line in text.splitlines())]
    said = f"{learned:,} of {total:,} tokens carry loss"
    legend = f"{said}: amber. Grey is read, not learned. Shades alternate, so that each token can be seen."
    return LossView(f"<p>{legend}</p>{''.join(blocks)}", "\n".join([f"{said}, in lines that begin with +.", *lines]))


def _shaded(text: str, loss: bool) -> Iterator[str]:
    """The tokens as HTML, every second one on the darker shade. A character of several tokens counts as one of them."""
    decoded, starts = encoding().decode_with_offsets(encoding().encode(text, disallowed_special=()))
    pieces = [decoded[start:end] for start, end in zip(starts, [*starts[1:], len(decoded)], strict=True)]
    for number, piece in enumerate(filter(None, pieces)):
        shown = html.escape(piece)
        yield f'<span style="background-color:{SHADES[loss][1]}">{shown}</span>' if number % 2 else shown
