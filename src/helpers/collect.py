"""Step 1: read a business's exports into one shape, and see what they cover. Texts stay as they came.

A ticket table (CSV), a folder of e-mails and a chat log each have a loader; all return Records. What is wrong with the
texts is helpers.clean's matter. Shown in notebook 01.
"""

from __future__ import annotations

import csv
import email
import email.policy
import email.utils
import io
import json
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.errors import Explained

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
    table = csv.DictReader(io.StringIO(decoded(path), newline=""))
    names = {**TICKET_COLUMNS, **columns}
    missing = [name for name in names.values() if name not in (table.fieldnames or [])]
    if missing:
        raise Explained(
            f"{path} has no column {', '.join(map(repr, missing))}; its columns are "
            f"{', '.join(map(repr, table.fieldnames or []))}. Say which column holds what, for example "
            f"load_tickets_csv(path, {{'message': 'body'}}), or export the table again with all columns."
        )
    found = []
    try:
        for number, row in enumerate(table, start=1):
            values = {name: (row[column] or "") for name, column in names.items()}
            turns = [("user", values["message"])] + ([("assistant", values["reply"])] if values["reply"] else [])
            where = f"{path}, row {number}"
            found.append(
                Record(
                    values["id"],
                    path.name,
                    _time(values["created"], where),
                    values["customer"],
                    turns,
                    values["tag"],
                    _score(values["csat"]),
                    {**row, "row": number},
                )
            )
    except csv.Error as error:
        raise Explained(
            f"{path}, line {table.line_num}: {error}. Open the table, mend that line, save it again."
        ) from error
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


def mail_text(mail: EmailMessage | Any, file: Path) -> str:
    """Return a mail's text: its plain part or else its HTML. Raises Explained where there is neither."""
    part = mail.get_body(("plain", "html"))
    if part is None:
        raise Explained(f"{file} holds no text, plain or HTML. Take it out of the folder, or export it again.")
    return str(part.get_content())


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


def decoded(path: Path) -> str:
    """Return a file's text, read as UTF-8 (with or without a byte order mark) or, failing that, as cp1252.

    Few texts in cp1252 happen to be valid UTF-8, so the order decides rightly; cp1252 is what older Windows programs
    write. Raises Explained when the file is missing or neither fits.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Explained(
            f"{path} cannot be read: {error.strerror}. Check the path and that the file is closed."
        ) from error
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Explained(f"{path} is neither UTF-8 nor cp1252 text. Save it as UTF-8 in the program that wrote it.")


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


def intent_of(item: Record | Mapping[str, Any]) -> str:
    """Return the kind of conversation: what the last reply's ticket line says or else, in a record, the agent's tag."""
    replies = [text for role, text in _turns(item) if role == "assistant"]
    found = re.findall(r'"intent": ?"(\w+)"', replies[-1]) if replies else []
    return found[-1] if found else (item.tag if isinstance(item, Record) else "") or "(none)"


def _turns(item: Record | Mapping[str, Any]) -> list[tuple[str, str]]:
    turns = item.turns if isinstance(item, Record) else [(m["role"], m["content"]) for m in item["messages"]]
    return [turn for turn in turns if turn[0] != "system"]


def coverage(
    items: Sequence[Record | Mapping[str, Any]], kind: Callable[[Any], str] = intent_of, fewest: int = 10
) -> pd.DataFrame:
    """Return one row a kind of conversation, the most frequent first: where is there enough, where too little?

    Columns: kind, n, share, words (median of the customer's), longest, unanswered, several_turns, collect_more (how
    many are lacking to `fewest`). Takes records or chat examples; `kind` tells the kind of one.
    """
    groups: dict[str, list[list[tuple[str, str]]]] = {}
    for item in items:
        groups.setdefault(kind(item), []).append(_turns(item))
    rows = []
    for name, conversations in sorted(groups.items(), key=lambda group: (-len(group[1]), group[0])):
        words = [sum(len(text.split()) for role, text in turns if role == "user") for turns in conversations]
        rows.append(
            {
                "kind": name,
                "n": len(conversations),
                "share": len(conversations) / len(items),
                "words": statistics.median(words),
                "longest": max(words),
                "unanswered": sum(all(role == "user" for role, _ in turns) for turns in conversations),
                "several_turns": sum(len(turns) > 2 for turns in conversations),
                "collect_more": max(0, fewest - len(conversations)),
            }
        )
    columns = ["kind", "n", "share", "words", "longest", "unanswered", "several_turns", "collect_more"]
    return pd.DataFrame(rows, columns=columns)
