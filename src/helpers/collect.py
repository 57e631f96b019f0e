"""Step 1: read a support desk's exports into conversations. Texts stay as they came.

A ticket table (CSV), a folder of e-mails and a chat log each have a loader; all return Records. For exports of other
forms see helpers.load; what is wrong with the texts is helpers.clean's matter. Shown in notebook 01.
"""

from __future__ import annotations

import email
import email.policy
import email.utils
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from helpers.coverage import coverage, intent_of
from helpers.documents import mail_text
from helpers.errors import Explained
from helpers.load import with_columns
from helpers.readers import decoded, read_csv

__all__ = [
    "CHAT_ROLES",
    "TICKET_COLUMNS",
    "Record",
    "coverage",
    "decoded",
    "intent_of",
    "load_chats",
    "load_mail_folder",
    "load_tickets_csv",
    "mail_text",
    "read_support_exports",
    "to_example",
]

TICKET_COLUMNS = {
    "id": "ticket_id",
    "created": "created",
    "customer": "customer_name",
    "message": "message",
    "reply": "agent_reply",
    "tag": "intent_tag",
    "csat": "csat",
}
CHAT_ROLES = {"customer": "user", "agent": "assistant"}  # what the system notes ("Chat opened.") is nobody's turn


@dataclass(frozen=True)
class Record:
    """One exported conversation: turns of (role, text) in order, roles user and assistant, and what came with it."""

    id: str
    source: str  # the file it stood in
    created: datetime
    customer: str
    turns: list[tuple[str, str]]
    tag: str = ""
    csat: int | None = None
    raw: dict[str, Any] = field(default_factory=dict, repr=False)  # every field of the export, and its row


def read_support_exports(folder: Path | str) -> list[Record]:
    """Return every record of a folder that holds tickets*.csv, chats.jsonl and emails/, oldest file first.

    Raises Explained when the folder or all of these are missing, or one of them cannot be read.
    """
    folder = Path(folder)
    tables, chats, mails = sorted(folder.glob("tickets*.csv")), folder / "chats.jsonl", folder / "emails"
    if not (tables or chats.exists() or mails.is_dir()):
        raise Explained(f"{folder} holds no tickets*.csv, chats.jsonl or emails folder. Check the path of the exports.")
    found = [record for path in tables for record in load_tickets_csv(path)]
    found += load_mail_folder(mails) if mails.is_dir() else []
    found += load_chats(chats) if chats.exists() else []
    return found


def load_tickets_csv(path: Path | str, columns: Mapping[str, str] = TICKET_COLUMNS) -> list[Record]:
    """Return the records of a ticket table with one message and one reply a row.

    `columns` maps what we call a field to what the table calls it. Raises Explained for a missing column.
    """
    path = Path(path)
    names = {**TICKET_COLUMNS, **columns}
    [table] = with_columns(path, read_csv(path, path.name), names)
    if table.unread:
        _, number, why, _ = table.unread[0]
        raise Explained(f"{path}, row {number}: {why} Then read the table again.")
    found = []
    for _, number, row in table.rows:
        values = {name: row[column] for name, column in names.items()}
        turns = [("user", values["message"])] + ([("assistant", values["reply"])] if values["reply"] else [])
        when, score = _time(values["created"], f"{path}, row {number}"), _score(values["csat"])
        raw = {**row, "row": number}
        found.append(Record(values["id"], path.name, when, values["customer"], turns, values["tag"], score, raw))
    return found


def load_mail_folder(path: Path | str) -> list[Record]:
    """Return a record for every thread in a folder of .eml files named <id>-<number>.eml.

    Who wrote the first mail is the customer; everybody else in the thread is the desk. HTML mails stay HTML.
    """
    path = Path(path)
    threads: dict[str, list[tuple[int, Path]]] = {}
    for file in path.glob("*.eml"):
        name, _, number = file.stem.rpartition("-")
        if not name or not number.isdigit():
            raise Explained(f"{file} is not named <thread>-<number>.eml, so its thread is unknown. Rename it.")
        threads.setdefault(name, []).append((int(number), file))
    return [_thread(name, [file for _, file in sorted(files)], path) for name, files in sorted(threads.items())]


def _thread(name: str, files: list[Path], folder: Path) -> Record:
    mails = [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]
    customer_name, customer = email.utils.parseaddr(str(mails[0]["From"]))
    turns = []
    for mail, file in zip(mails, files, strict=True):
        sender = email.utils.parseaddr(str(mail["From"]))[1]
        turns.append(("user" if sender == customer else "assistant", mail_text(mail, file)))
    answer = mails[-1]
    fields = {key: str(value) for mail in mails for key, value in mail.items()}
    return Record(
        name,
        f"{folder.name}/{files[0].name}",
        _time(str(mails[0]["Date"]), str(files[0])),
        customer_name,
        turns,
        str(answer["X-Intent-Tag"] or ""),
        _score(str(answer["X-Satisfaction"] or "")),
        {**fields, "files": [file.name for file in files]},
    )


def load_chats(path: Path | str) -> list[Record]:
    """Return the records of a chat log in JSON Lines. Raises Explained, with the line, for one that cannot be read."""
    path = Path(path)
    found = []
    for number, line in enumerate(decoded(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            chat = json.loads(line)
            turns = [(CHAT_ROLES[t["from"]], t["text"]) for t in chat["turns"] if t["from"] in CHAT_ROLES]
            name, started, customer = str(chat["chat_id"]), chat["started"], chat["customer"]
        except ValueError as error:
            raise Explained(f"{path}, line {number} is not JSON: {error}. Mend or delete that line.") from error
        except (KeyError, TypeError) as error:
            raise Explained(
                f"{path}, line {number} is not a chat: {error} is missing or of the wrong kind. A line needs chat_id, "
                "started, customer and turns (from, text). Export it again with these, or delete the line."
            ) from error
        tag, csat = chat.get("intent_tag") or "", _score(str(chat.get("csat") or ""))
        when = _time(str(started), f"{path}, line {number}")
        found.append(Record(name, path.name, when, str(customer), turns, tag, csat, {**chat, "row": number}))
    return found


def _time(text: str, where: str) -> datetime:
    """The point in time, without a zone: exports of one desk share theirs."""
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=None)
    except ValueError:
        try:
            return email.utils.parsedate_to_datetime(text).replace(tzinfo=None)
        except ValueError as error:
            raise Explained(f"{where}: {text!r} is no date. Write dates as 2025-09-01 14:30.") from error


def _score(text: str) -> int | None:
    return int(text) if text.strip().isdigit() else None


def to_example(record: Record, system: str) -> dict[str, Any]:
    """Return the record as a training example: the system message, then its turns."""
    turns = [{"role": role, "content": text} for role, text in record.turns]
    return {"messages": [{"role": "system", "content": system}, *turns]}
