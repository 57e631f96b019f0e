"""The words of a message: what an export left in them, and what nobody should learn."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ftfy.badness import is_bad
from stdnum import iban

from helpers import clean, personal
from helpers.checks.findings import Finding, finding

SPECIAL = re.compile(r"<\|[a-z_]{1,30}\|>|\[/?INST\]|</?s>|<(?:start|end)_of_turn>")
TAGS = (
    r"(?:p|div|br|span|a|b|i|u|em|strong|ul|ol|li|table|tr|td|th|html|body|head|style|script|img|h[1-6]|font|small|hr)"
)
HTML = re.compile(
    rf"</?{TAGS}(?:\s[^<>]*)?/?>|&(?:nbsp|amp|lt|gt|quot|apos|#\d{{2,5}}|#x[0-9a-fA-F]{{2,4}});", re.IGNORECASE
)
TEMPLATE = re.compile(
    r"\{\{[^{}\n]{1,60}\}\}|\{%.{1,60}?%\}|\$\{\w{1,40}\}|<<\w{1,40}>>|%\(\w+\)s"
    r"|\[(?:your|insert|enter|customer|client|company|first|last|full) [\w ]{2,40}\]",
    re.IGNORECASE,
)
MAIL = re.compile(
    r"^-- ?$|^Sent (?:from|with) (?:my|[A-Z])|^-{3,} ?Original Message|^On [^\n]{3,60} wrote:\s*$"
    r"|^(?:From|To|Cc|Subject): [^\n]*\n(?:From|To|Cc|Sent|Date|Subject): ",
    re.MULTILINE,
)
NULL_WORDS = {"null", "none", "nan", "undefined", "n/a", "[object object]"}
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
# Stricter than personal's, which hides: a number with more digits joined by dashes is no such number to warn of.
SSN = re.compile(r"(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")
PRIVATE: dict[str, Callable[[str], bool]] = {
    "an e-mail address": lambda text: "@" in text and bool(personal.EMAIL.search(text)),
    "a card number": lambda text: any(personal.is_card(match[0]) for match in personal.CARD.finditer(text)),
    "a telephone number": lambda text: bool(personal.PHONE.search(text)),
    "a street address": lambda text: bool(personal.ADDRESS.search(text)),
    "an IBAN": lambda text: any(iban.is_valid(match[0]) for match in personal.IBAN.finditer(text)),
    "a US social security number": lambda text: bool(SSN.search(text)),
}
SERVICE_TALK = re.compile(  # what desks, doctors and assistants say to whom they serve
    r"\b(?:how (?:can|may) (?:i|we) (?:help|assist)|thank you for (?:contacting|reaching out|calling|your patience)"
    r"|(?:i|we)(?:'d| would| will|'ll) be (?:happy|glad) to (?:help|assist)|is there anything else (?:i|we) can"
    r"|what brings you (?:in|here)|i'm sorry to hear (?:that|about)|as an ai)\b",
    re.IGNORECASE,
)
LABEL = re.compile(r"[A-Z][\w .-]{0,30}:")
DIGIT = re.compile(r"\d")


def check_texts(messages: list[Any], line: int, within: str = "") -> Iterator[Finding]:
    """Yield what is wrong with the texts of messages; `within` stands before their keys. Never raises."""
    swapped: dict[str, Finding] = {}
    for place, message in enumerate(messages, start=1):
        for key, text in texts_of(message):
            for code, what in _check_text(text):
                yield finding(code, line, what, message=place, key=within + key)
            if (match := SERVICE_TALK.search(text)) is not None and not _is_labelled(text, match.start()):
                what = f"The user says {match[0]!r}."
                swapped[str(message.get("role"))] = finding("speakers_swapped", line, what, message=place, key=key)
    if "user" in swapped and "assistant" not in swapped:
        yield swapped["user"]


def texts_of(message: Any) -> Iterator[tuple[str, str]]:
    """Yield (key, text) for every text in a message's content, whatever else is wrong with it."""
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, str):
        yield "content", content
    for place, part in enumerate(content if isinstance(content, list) else []):
        text = part.get("text") if isinstance(part, dict) else part
        if isinstance(text, str):
            yield f"content[{place}]", text


def _check_text(text: str) -> Iterator[tuple[str, str]]:
    if text.strip().lower() in NULL_WORDS:
        yield "null_text", f"The text is {text.strip()!r}."
    if "\ufffd" in text:
        count = text.count("\ufffd")
        yield "replacement_character", f"The text holds U+FFFD {'once' if count == 1 else f'{count} times'}."
    if not text.isascii() and is_bad(text):
        yield "mojibake", f"The text holds {_around(text, _bad_place(text))!r}."
    if (match := clean.CONTROLS.search(text)) is not None:
        yield "control_character", f"The text holds U+{ord(match[0]):04X}."
    if (match := SPECIAL.search(text)) is not None:
        yield "special_token", f"The text holds {match[0]!r}."
    prose = CODE.sub(" ", text) if "`" in text else text
    if (match := HTML.search(prose)) is not None:
        yield "html", f"The text holds {match[0][:40]!r}."
    if (match := TEMPLATE.search(prose)) is not None:
        yield "template", f"The text holds {match[0]!r}."
    if (match := MAIL.search(prose) or clean.NOTICES.search(prose)) is not None:
        yield "email_residue", f"The text holds {match[0].strip()[:40]!r}."
    for kind in private_kinds(text):
        yield "personal_data", f"The text holds {kind}."


def private_kinds(text: str) -> list[str]:
    """Return the kinds of personal data that a text holds, in words."""
    if "@" not in text and not DIGIT.search(text):
        return []
    return [kind for kind, holds in PRIVATE.items() if holds(text)]


def _is_labelled(text: str, place: int) -> bool:
    """Whether the line up to this place begins with who speaks, as in a transcript: "Doctor: What brings you in?"."""
    return LABEL.match(text, text.rfind("\n", 0, place) + 1, place) is not None


def _bad_place(text: str) -> int:
    return next((i for i, letter in enumerate(text) if not letter.isascii()), 0)


def _around(text: str, place: int) -> str:
    return text[max(0, place - 5) : place + 10]
