"""Writes the records as a business would have exported them: two ticket tables, a folder of e-mails, a chat log."""

from __future__ import annotations

import csv
import html
import json
import random
from datetime import timedelta
from email.charset import QP, Charset
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime, formataddr
from pathlib import Path

from generator.conversations import POLICY_CHANGE
from generator.records import MIGRATION, Record

COLUMNS = [
    "ticket_id", "created", "channel", "customer_name", "email", "subject", "message", "agent", "agent_reply",
    "intent_tag", "csat", "status",
]  # fmt: skip
SUPPORT = ("Lindermoor bench", "bench@lindermoor.example")
UTF8 = Charset("utf-8")
UTF8.body_encoding = QP


def write_raw(records: list[Record], folder: Path, seed: int) -> list[dict[str, object]]:
    """Writes every record under `folder` and returns the planted truth: one row a record, for defects.json."""
    rng = random.Random(f"{seed} files")
    by_channel = {name: [r for r in records if r.channel == name] for name in ("ticket", "email", "chat")}
    return [
        *_write_tickets(by_channel["ticket"], folder, rng),
        *_write_emails(by_channel["email"], folder / "emails", rng),
        *_write_chats(by_channel["chat"], folder, rng),
    ]


def truth(record: Record, file: str, place: int | None, *more: str) -> dict[str, object]:
    """What a test needs to know about a record: where it is, what is wrong with it, whether cleaning gives it back."""
    found = sorted({*record.defects, *more})
    return {
        "file": file,
        "record": place,
        "id": record.id,
        "defects": found,
        "usable": record.usable and "snapshot" not in more,
        "same_as": record.copy_of.id if record.copy_of else None,
    }


def _row(record: Record, rng: random.Random) -> dict[str, str]:
    replies = [text for who, text in record.turns if who == "agent"]
    return {
        "ticket_id": record.id,
        "created": f"{record.created:%Y-%m-%d %H:%M}",
        "channel": rng.choice(["web form", "web form", "app", "letter"]),
        "customer_name": record.customer.full or rng.choice(["", "Guest"]),
        "email": record.address,
        "subject": record.subject,
        "message": record.turns[0][1],
        "agent": record.agent,
        "agent_reply": replies[-1].replace("{agent}", record.agent).replace("{ticket}", record.id) if replies else "",
        "intent_tag": record.tag,
        "csat": record.csat,
        "status": record.status,
    }


def _write_tickets(records: list[Record], folder: Path, rng: random.Random) -> list[dict[str, object]]:
    """The old helpdesk's table (cp1252, up to the end of February) and the new one's (UTF-8 with a byte order mark).

    Tickets of the last weeks before the change are in both; in the old table most of these are not answered yet.
    """
    old_rows, new_rows, planted = [], [], []
    for record in records:
        row = _row(record, rng)
        is_old, is_new = record.created < POLICY_CHANGE, record.created >= MIGRATION
        if is_new:
            new_rows.append(row)
            planted.append(truth(record, "tickets.csv", len(new_rows)))
        if is_old:
            if is_new and rng.random() < 0.6:
                row = row | {"agent_reply": "", "agent": "", "csat": "", "status": "open"}
            old_rows.append(row)
            more = ["cp1252_file"] + (["snapshot"] if is_new else [])
            planted.append(truth(record, "tickets_old_helpdesk.csv", len(old_rows), *more))
    for name, rows, encoding in [
        ("tickets.csv", new_rows, "utf-8-sig"),
        ("tickets_old_helpdesk.csv", old_rows, "cp1252"),
    ]:
        with (folder / name).open("w", encoding=encoding, newline="") as file:
            table = csv.DictWriter(file, COLUMNS, lineterminator="\r\n")
            table.writeheader()
            table.writerows(rows)
    return planted


def _write_chats(records: list[Record], folder: Path, rng: random.Random) -> list[dict[str, object]]:
    lines, planted = [], []
    for record in records:
        early = "snapshot" in record.defects
        at = record.created
        turns = []
        for who, text in record.turns:
            at += timedelta(seconds=rng.randint(5, 140))
            turns.append({"from": who, "at": f"{at:%H:%M:%S}", "text": text})
        lines.append(
            {
                "chat_id": record.id,
                "exported_at": f"{at if early else record.created + timedelta(days=7):%Y-%m-%d %H:%M}",
                "started": f"{record.created:%Y-%m-%d %H:%M}",
                "customer": record.customer.full or "Guest",
                "agent": record.agent,
                "turns": turns,
                "intent_tag": record.tag,
                "csat": int(record.csat) if record.csat else None,
                "status": record.status,
            }
        )
        planted.append(truth(record, "chats.jsonl", len(lines)))
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (folder / "chats.jsonl").write_text(text, encoding="utf-8", newline="\n")
    return planted


def _write_emails(records: list[Record], folder: Path, rng: random.Random) -> list[dict[str, object]]:
    """Two files a thread: the customer's mail, and the bench's answer with the customer's mail quoted below."""
    folder.mkdir(parents=True, exist_ok=True)
    for record in records:
        body = record.turns[0][1]
        (folder / f"{record.id}-1.eml").write_bytes(_customer_mail(record, body, rng))
        if len(record.turns) > 1:
            (folder / f"{record.id}-2.eml").write_bytes(_agent_mail(record, body, record.turns[1][1]))
    return [truth(record, f"emails/{record.id}-1.eml", None) for record in records]


def _customer_mail(record: Record, body: str, rng: random.Random) -> bytes:
    draw = rng.random()
    plain, page = _plain(record, body), _page(record, body)
    if draw < 0.2:
        message: MIMEMultipart | MIMEText = MIMEText(plain, "plain", UTF8)  # type: ignore[arg-type]
    elif draw < 0.75:
        message = MIMEText(page, "html", UTF8)  # type: ignore[arg-type]
    else:
        message = MIMEMultipart("alternative", boundary=f"=={record.id}==")
        message.attach(MIMEText(plain, "plain", UTF8))  # type: ignore[arg-type]
        message.attach(MIMEText(page, "html", UTF8))  # type: ignore[arg-type]
    name = record.customer.full
    message["From"] = formataddr((str(Header(name, "utf-8")) if not name.isascii() else name, record.address))
    message["To"] = formataddr(SUPPORT)
    message["Subject"] = Header(record.subject, "utf-8").encode() if not record.subject.isascii() else record.subject
    message["Date"] = format_datetime(record.created)
    message["Message-ID"] = f"<{record.id}.1@mail.example>"
    return message.as_bytes()


def _agent_mail(record: Record, body: str, reply: str) -> bytes:
    lines = "".join(f"<p>{html.escape(line)}</p>\n" for line in reply.splitlines())
    footer = (
        f'<div class="footer"><small>{html.escape(record.extras["footer"][0])}</small></div>\n'
        if record.extras.get("footer")
        else ""
    )
    quote = f"<blockquote>{html.escape(body)}</blockquote>"
    page = f"<html><body>\n{lines}{footer}<p>On {record.created:%d/%m/%Y} you wrote:</p>\n{quote}\n</body></html>\n"
    message = MIMEText(page, "html", UTF8)  # type: ignore[arg-type]
    message["From"] = formataddr((f"{record.agent} at Lindermoor", SUPPORT[1]))
    message["To"] = record.address
    subject = f"Re: {record.subject}"
    message["Subject"] = Header(subject, "utf-8").encode() if not subject.isascii() else subject
    message["Date"] = format_datetime(record.created + timedelta(hours=5))
    message["Message-ID"] = f"<{record.id}.2@lindermoor.example>"
    message["In-Reply-To"] = f"<{record.id}.1@mail.example>"
    message["X-Intent-Tag"] = record.tag
    message["X-Satisfaction"] = record.csat
    return message.as_bytes()


def _plain(record: Record, body: str) -> str:
    parts = [body]
    if lines := record.extras.get("signature"):
        parts.append("-- \n" + "\n".join(lines))
    elif lines := record.extras.get("bare_signature"):
        parts.append("\n".join(lines))
    parts += record.extras.get("disclaimer", [])
    for text in record.extras.get("quoted_history", []):
        parts.append("On Monday Lindermoor News wrote:\n> " + text)
    return "\n\n".join(parts) + "\n"


def _page(record: Record, body: str) -> str:
    parts = [f"<p>{html.escape(part)}</p>" for part in body.split("\n\n")]
    if lines := record.extras.get("signature"):
        parts.append('<div class="signature">-- <br>' + "<br>".join(map(html.escape, lines)) + "</div>")
    elif lines := record.extras.get("bare_signature"):
        parts.append("<p>" + "<br>".join(map(html.escape, lines)) + "</p>")
    for text in record.extras.get("disclaimer", []):
        parts.append(f'<p style="font-size:9px;color:#888">{html.escape(text)}</p>')
    for text in record.extras.get("quoted_history", []):
        parts.append(f"<div>On Monday Lindermoor News wrote:</div><blockquote>{html.escape(text)}</blockquote>")
    style = "<style>p { margin: 0 0 1em; font-family: sans-serif }</style>"
    pixel = '<img src="https://mail.example/open.gif" width="1" height="1" alt="">'
    return f"<html><head>{style}</head><body>\n" + "\n".join(parts) + f"\n{pixel}\n</body></html>\n"
