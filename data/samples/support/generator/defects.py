"""The honest defects of an export, done to one text at a time. Each function returns the spoilt text.

What was done is recorded by raw_exports.py under the name used in DEFECTS, so that tests can measure what a cleaning
step finds. "mendable" defects leave a conversation that cleaning gives back; the others make it unfit for training.
"""

from __future__ import annotations

import html
import random
import re

from generator.banks import bank
from generator.people import Customer, address, email, phone

DEFECTS = {
    "mojibake": "mendable: UTF-8 read as cp1252, such as â€™ for an apostrophe",
    "html_residue": "mendable: tags and entities left in the text",
    "control_characters": "mendable: stray control or invisible characters",
    "signature": "mendable: an e-mail signature after the message",
    "bare_signature": "mendable: a signature with no line of dashes before it",
    "disclaimer": "mendable: a legal or other notice after the message",
    "quoted_history": "mendable: an older mail quoted under the message",
    "footer": "mendable: the helpdesk's or company's own lines under the agent's reply",
    "personal_data": "mendable: telephone, e-mail, card or street address in the customer's text",
    "wrong_tag": "mendable: the agent's intent tag is not the intent",
    "empty_tag": "mendable: no intent tag",
    "split_turns": "mendable: the customer's message comes in several chat turns",
    "trailing_turn": "mendable: the customer says goodbye after the last reply",
    "cp1252_file": "mendable: the file is not UTF-8",
    "exact_duplicate": "drop: the same text sent twice",
    "near_duplicate": "drop: the same text with small changes",
    "snapshot": "drop: an earlier state of a conversation that is exported again later",
    "old_policy": "drop: answered with the figures in force before 1 March 2025",
    "stale_policy": "drop: answered with the old figures after 1 March 2025",
    "off_style": "drop: not in house style (new agent)",
    "unanswered": "drop: no reply",
    "swapped_roles": "drop: customer and agent are mixed up",
    "spam": "drop: advertising and fraud",
    "off_topic": "drop: nothing to do with customers' orders or products",
    "empty": "drop: no message worth the name",
}


def mojibake(text: str) -> str:
    """UTF-8 bytes read as cp1252, after a word processor made the apostrophes curly."""
    return text.replace("'", "\u2019").encode("utf-8").decode("cp1252")


def curly(text: str) -> str:
    """Typographic apostrophes and quotation marks, as telephones write them."""
    return re.sub(r'"([^"]*)"', "“\\1”", text).replace("'", "\u2019")


def html_residue(text: str, rng: random.Random) -> str:
    """Line-break tags, a paragraph around it all, entities and hard spaces."""
    text = html.escape(text, quote=True).replace("&#x27;", "&#39;")
    text = re.sub(r"\. ", lambda _: rng.choice([".<br>", ".<br/>", ". ", ".&nbsp;"]), text)
    return rng.choice(["<p>{}</p>", "<div>{}</div>", "{}<br>", "<p>{}"]).format(text)


def control_characters(text: str, rng: random.Random, latin_only: bool) -> str:
    """Two to five control or invisible characters between words or inside them."""
    kinds = ["\x0b", "\x07", "\xad"] + ([] if latin_only else ["\u200b", "\ufeff"])
    for _ in range(rng.randint(2, 5)):
        space = rng.choice([m.start() for m in re.finditer(" ", text)])
        text = text[:space] + rng.choice(kinds) + text[space:]
    return text


def paragraphs(text: str, rng: random.Random) -> str:
    """Some sentences on lines of their own."""
    return re.sub(r"(?<=[.?!]) ", lambda _: rng.choice(["\n", " ", " ", "\n\n"]), text)


def signature(customer: Customer, rng: random.Random) -> list[str]:
    """The lines of a signature."""
    if not customer.first:
        return ["Sent with Pigeon Mail for tablets"]
    values = {
        "full": customer.full,
        "phone": phone(rng),
        "email": email(rng, customer),
        "address": address(rng),
    }
    return [line.strip() for line in rng.choice(bank("noise")["signature"]).format(**values).split("|")]


def disclaimer(rng: random.Random) -> str:
    """One notice."""
    return rng.choice(bank("noise")["disclaimer"]).format(address=address(rng))


def with_private_data(text: str, values: list[str]) -> str:
    """The text with its [phone], [email], [card] and [address] replaced by `values`, in order.

    Private data stands in the first message only, so that all of `values` belongs to it.
    """
    left = list(values)
    return re.sub(r"\[(?:phone|email|card|address)\]", lambda _: left.pop(0), text)


def near_copy(text: str, rng: random.Random) -> str:
    """The text as somebody types it a second time: a few changed words, another ending."""
    swaps = [
        (" is ", " is really "),
        (" the ", " that "),
        (". ", "! "),
        ("I ", "i "),
        (" and ", " & "),
        (" my ", " our "),
        (" it ", " it all "),
    ]
    fitting = [pair for pair in swaps if pair[0] in text]
    for old, new in rng.sample(fitting, min(3, len(fitting))):
        text = text.replace(old, new, 1)
    return rng.choice(["Hello, ", "Hi, "]) + text if rng.random() < 0.5 else text + rng.choice([" x", " !!", " ..."])
