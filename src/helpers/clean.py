"""Step 2: take out of a text what nobody should learn, and leave out the conversations that teach the wrong thing.

Every step is a small function from text to text; clean_record runs them in order, and keep() decides by the texts and
the house style alone. Shown in notebook 02.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import ftfy
import pandas as pd
from bs4 import BeautifulSoup
from rapidfuzz import fuzz, process

from helpers.cases import support
from helpers.collect import Record
from helpers.personal import ADDRESS, CARD, EMAIL, PHONE, is_card

MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>|&#?\w{2,8};")
BLOCKS = ["p", "div", "li", "tr", "h1", "h2", "h3", "h4", "table", "ul", "ol"]
# U+200C and U+200D are not among these: Persian, Indian scripts and emoji need them.
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u200b\u2028\u2029\u202a-\u202e\u2060\ufeff]")
QUOTED_LINES = re.compile(r"^(>.*|On .{3,60} wrote:[ \t]*)$\n?", re.MULTILINE)
FORWARDED = re.compile(r"^(-{3,} ?Original Message|_{10,}\s*\n?From:).*", re.MULTILINE | re.DOTALL)
NOTICE_WORDS = [
    r"this (e-?mail|message) (and|&) any (attachment|file)",
    r"(the )?contents of this (e-?mail|message)",
    r"(strictly )?confidential(ity notice)?:",
    r"(please )?(think of the trees|consider the environment)",
    r"(this (e-?mail|message) (was|has been) )?scanned for viruses",
    r"[^\n]{0,60}never asks for your (pin|password)",
    r"(ticket|case) closed by",
    r"[^\n]{0,60}reply (above|below) this line",
    r"how did we do\?",
    r"you (get|receive[d]?) this (e-?mail|mail|message) because",
    r"[^\n]{0,80}registered (no|number|in england)\b",
]
NOTICES = re.compile(rf"^[ \t]*({'|'.join(NOTICE_WORDS)}).*", re.MULTILINE | re.IGNORECASE | re.DOTALL)
DASHES = re.compile(r"^-- ?$.*", re.MULTILINE | re.DOTALL)
NEAR = 85  # of 100: how alike two messages are that one person typed twice (measured in tests/test_clean.py)
# Two word lists tell why a message without a house reply is dropped, spam or off the topic. They were written with this
# sample in view: for another desk, write others and measure them as tests/test_clean.py does.
SHOP_WORDS = re.compile(
    rf"\b({support.KINDS}|order|parcel|box|van|carrier|track|dispatch|deliver|invoice|bill|receipt|card|charge|paid|pay"
    r"|money|price|stock|guarantee|warranty|mend|repair|broke|broken|part|spare|clean|descale|address|cancel|gift"
    r"|appliance|machine|bought|buy|sell|send|post|abroad|trade|bench)(e?s|ed|ing)?\b",
    re.IGNORECASE,
)
SALES_TALK = re.compile(
    r"\b(click here|(search|page) ranking|ranking|followers|investors?|crypto\w*|congratulations|you have won|award"
    r"|agency|bank details|passport|domain name|free (audit|trial)|a quote for|minimum order|direct from factory"
    r"|send coins)\b",
    re.IGNORECASE,
)


# Texts ------------------------------------------------------------------------------------------------------------


def mend_encoding(text: str) -> str:
    """Mend mojibake, such as â€™ for an apostrophe, and make quotation marks straight (ftfy)."""
    return ftfy.fix_text(text, unescape_html=False)


def strip_html(text: str) -> str:
    """Text without tags and entities, and without a signature, footer or quoted mail that is marked up as such."""
    if not MARKUP.search(text):
        return text
    page = BeautifulSoup(text, "html.parser")
    for tag in page.select("head, style, script, blockquote, .signature, .footer"):
        tag.decompose()
    for tag in page.find_all("br"):
        tag.replace_with("\n")
    for tag in page.find_all(BLOCKS):
        tag.insert_after("\n\n")
    return page.get_text().replace("\xa0", " ")


def strip_controls(text: str) -> str:
    """Text without control and invisible characters; line breaks and tabs stay."""
    return CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def strip_quoted(text: str) -> str:
    """Text without the lines quoted from an older mail, wherever they stand, and without a mail that is passed on."""
    return FORWARDED.sub("", QUOTED_LINES.sub("", text))


def strip_notices(text: str) -> str:
    """Text up to a legal or other notice, or the helpdesk's own lines."""
    return NOTICES.sub("", text)


def strip_signature(text: str, name: str = "") -> str:
    """Text up to its signature: a line of two dashes, or a paragraph of several lines that begins with `name`.

    A closing on the same line as the message ("Thanks, Ann") stays: greetings need the name.
    """
    text = DASHES.sub("", text)
    blocks = re.split(r"\n[ \t]*\n", text.strip())
    for i, block in enumerate(blocks[1:], start=1):
        head, *rest = [line.strip() for line in block.strip().splitlines() if line.strip()] or [""]
        signed = bool(name) and name in head and bool(rest) and not head.endswith((".", "?", "!", ",", ":"))
        if signed or re.match(r"Sent (from|with) ", head):
            return "\n\n".join(blocks[:i])
    return text


def redact(text: str) -> str:
    """Text with [email], [card], [phone] and [address] in place of private data.

    Names and other kinds stay; helpers.mask finds these too, and can tell one person from another.
    """
    text = EMAIL.sub("[email]", text)
    text = CARD.sub(lambda match: "[card]" if is_card(match[0]) else match[0], text)
    return ADDRESS.sub("[address]", PHONE.sub("[phone]", text))


def normalise(text: str, keep_lines: bool = False) -> str:
    """Text with single spaces; with `keep_lines` its lines stay, without blank ones."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return ("\n" if keep_lines else " ").join(line for line in lines if line)


def clean_text(text: str, role: str = "user", name: str = "") -> str:
    """All steps in order. Replies keep their lines, because the ticket line stands on its own."""
    text = strip_controls(mend_encoding(strip_html(text)))
    text = strip_notices(strip_quoted(text))
    if role == "user":
        text = strip_signature(text, name)
    return normalise(redact(text), keep_lines=role == "assistant")


def clean_record(record: Record) -> Record:
    """The record with clean texts, successive turns of one speaker joined, and nothing after the last reply."""
    turns: list[tuple[str, str]] = []
    for role, text in record.turns:
        text = clean_text(text, role, record.customer)
        if turns and turns[-1][0] == role:
            turns[-1] = (role, f"{turns[-1][1]} {text}".strip())
        else:
            turns.append((role, text))
    while len(turns) > 1 and turns[-1][0] == "user":
        turns.pop()
    return replace(record, turns=turns)


# Records ----------------------------------------------------------------------------------------------------------


def keep(records: Sequence[Record]) -> tuple[list[Record], pd.DataFrame]:
    """Return the clean records that are fit for training, and what was dropped: id, source, reason, detail.

    Reasons: empty, spam, off_topic, swapped_roles, unanswered, snapshot, stale_policy, off_style, exact_duplicate,
    near_duplicate. Each record gets the first that fits. The judge is the house style (helpers.cases.support).
    """
    kept, dropped = [], []
    newest = _newest(records)
    for record in sorted(records, key=lambda record: record.created):
        reason = fault(record) if newest[record.id] is record else "snapshot"
        if reason:
            dropped.append((record, reason, "exported again later" if reason == "snapshot" else ""))
        else:
            kept.append(record)
    kept, copies = _without_copies(kept)
    rows = [(r.id, r.source, reason, detail) for r, reason, detail in dropped + copies]
    return kept, pd.DataFrame(rows, columns=["id", "source", "reason", "detail"])


def fault(record: Record) -> str | None:
    """Return why one clean record, seen alone, must not be learned from, or None."""
    asked = " ".join(text for role, text in record.turns if role == "user")
    replies = [text for role, text in record.turns if role == "assistant"]
    if record.turns[0][0] != "user" or _signed(asked):
        return "swapped_roles"
    if len(re.findall(r"[^\W\d_]{2,}", re.sub(r"\([^)]*\)", "", asked))) < 3:
        return "empty"
    if not any(map(_signed, replies)):
        if SALES_TALK.search(asked):
            return "spam"
        if not SHOP_WORDS.search(support.ORDER.sub(" order ", asked)):
            return "off_topic"
        return "off_style" if replies else "unanswered"
    if not all(map(in_style, replies)):
        return "off_style"
    return None if all(map(in_force, replies)) else "stale_policy"


def _signed(text: str) -> bool:
    return support.SIGN_OFF in text


def in_style(reply: str) -> bool:
    """Whether a reply has the form that the house style asks for; what it says is not judged."""
    prose, line = support.split_reply(reply)
    form = support.greeted(prose) and prose.endswith(support.SIGN_OFF) and support.read_ticket(line)
    wrong = (support.NOT_HOUSE_WORDS, support.APOLOGIES, support.NOT_PLAIN)
    return bool(form) and not any(pattern.search(prose) for pattern in wrong)


def in_force(reply: str) -> bool:
    """Whether the policy that a reply quotes is one of today's."""
    text = support.one_line(reply)
    return any(sentence in text for sentence in support.policies())


def _newest(records: Sequence[Record]) -> dict[str, Record]:
    """For every id its fullest record; of equals the one read first."""
    found: dict[str, Record] = {}
    for record in records:
        seen = found.get(record.id)
        if seen is None or len(record.turns) > len(seen.turns):
            found[record.id] = record
    return found


def _without_copies(records: list[Record]) -> tuple[list[Record], list[tuple[Record, str, str]]]:
    """Records whose customer had not written the same before, and the others."""
    texts = [" ".join(text for role, text in record.turns if role == "user").lower() for record in records]
    kept: list[int] = []
    copies = []
    for i, record in enumerate(records):
        best = process.extractOne(texts[i], {j: texts[j] for j in kept}, scorer=fuzz.ratio, score_cutoff=NEAR)
        if best is None:
            kept.append(i)
        else:
            reason = "exact_duplicate" if best[1] == 100 else "near_duplicate"
            copies.append((record, reason, f"{best[1]:.0f}% like {records[best[2]].id}"))
    return [records[i] for i in kept], copies
