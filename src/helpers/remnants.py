"""Step 2: mend one text of a training file where nothing is lost: mojibake, controls, HTML, e-mail remnants.

Each mend belongs to one of check's codes, and check's own eyes decide: a text in which check finds nothing is not
touched, and a mend after which check still finds the fault is not kept. Used by helpers.repair.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

import ftfy

from helpers import clean
from helpers.checks.lines import HALVES
from helpers.checks.texts import CODE, check_texts

ROUNDS = 5  # one mend may lay another fault bare; a text that is not at rest after these stays as it was
LINE_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
PLAIN_TAGS = re.compile(
    r"</?(?:p|div|br|span|a|b|i|u|em|strong|ul|ol|li|html|body|h[1-6]|font|small|hr)(?:\s[^<>]*)?/?>", re.IGNORECASE
)
BLOCK = re.compile(r"<(?:p|div|ul|ol|li|h[1-6]|hr)\b", re.IGNORECASE)
LINK = re.compile(r"<a\s[^<>]*?href=[\"'](?:mailto:)?([^\"'<>]+)[\"'][^<>]*>(.*?)</a>", re.IGNORECASE | re.DOTALL)
SIGNATURE_LINES = 8  # a longer text after two dashes is no signature: netiquette asks for 4 (RFC 3676 names the dashes)
SENT_FROM = re.compile(r"^Sent (?:from|with) [^\n]{1,60}\s*\Z", re.MULTILINE)
QUOTED = re.compile(r"^On [^\n]{3,60} wrote:\s*(?:>[^\n]*\s*)+\Z", re.MULTILINE)
STAND_IN = "\ue000"  # for code, which no mend may touch; a private character that no program writes


def mend_text(text: str, leave: Collection[str] = ()) -> tuple[str, list[tuple[str, str, str]]]:
    """Return a text with what is safe to mend mended, and the steps: (code, before, after). `leave` names codes."""
    if HALVES.search(text):
        return text, []  # libraries stumble over half characters, and somebody must look at the text in any case
    mended = text
    steps: list[tuple[str, str, str]] = []
    for _ in range(ROUNDS):
        codes = _codes(mended)
        before = len(steps)
        for code, mend in MENDS.items():
            if code in codes and code not in leave:
                made = mend(mended)
                if made != mended and made.strip() and code not in _codes(made):
                    steps.append((code, mended, made))
                    mended = made
        if len(steps) == before:
            return mended, steps
    return text, []


def _codes(text: str) -> set[str]:
    return {found.code for found in check_texts([{"content": text}], 1)}


def _beside_code(mend: Callable[[str], str]) -> Callable[[str], str]:
    """The mend for what stands beside code in a text, which stays as it was where code would be lost."""

    def mend_prose(text: str) -> str:
        codes = CODE.findall(text)
        made = mend(CODE.sub(STAND_IN, text))
        if STAND_IN in text or made.count(STAND_IN) != len(codes):
            return text
        return re.sub(STAND_IN, lambda _: codes.pop(0), made)

    return mend_prose


def _mend_controls(text: str) -> str:
    return clean.strip_controls(LINE_BREAKS.sub("\n", text))


def _mend_html(text: str) -> str:
    """Text without tags, where all of them only lay out prose; tables, images and scripts say more than their text."""
    if re.search(r"<[a-zA-Z/!?]", PLAIN_TAGS.sub("", text)):
        return text
    text = BLOCK.sub(r"\n\n\g<0>", text)
    text = LINK.sub(lambda link: link[2] if link[1] in link[2] else f"{link[2]} ({link[1]})", text)
    lines = [line.strip() for line in clean.strip_html(text).split("\n")]
    return re.sub("\n{3,}", "\n\n", "\n".join(lines)).strip()


def _mend_mail(text: str) -> str:
    """Text without what a mail program put at its end: signature, notice, the mail that it answers."""
    for pattern in (SENT_FROM, QUOTED, clean.FORWARDED):
        text = pattern.sub("", text)
    body, paragraph = text.rstrip().rpartition("\n\n")[::2]
    if (notice := clean.NOTICES.search(paragraph)) is not None:
        text = f"{body}\n\n{paragraph[: notice.start()]}"
    signature = clean.DASHES.search(text)
    if signature is not None and len(signature[0].split("\n")) <= SIGNATURE_LINES:
        text = text[: signature.start()]
    return text.strip()


MENDS: dict[str, Callable[[str], str]] = {
    "mojibake": ftfy.fix_encoding,
    "control_character": _mend_controls,
    "html": _beside_code(_mend_html),
    "email_residue": _beside_code(_mend_mail),
}
