"""Step 1: what stands in mails (.eml) and in Word documents (.docx), as tables; see helpers.load."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from helpers.errors import Explained
from helpers.readers import Table, decode, unique

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
RUNS = (  # what a paragraph of Word says: tracked insertions and text boxes too, each text box once
    ".//w:r/*[self::w:t or self::w:tab or self::w:br or self::w:cr or self::w:noBreakHyphen]"
    "[not(ancestor::*[local-name()='Fallback'])]"
)
MARKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
BESIDE = re.compile(r"/word/(header|footer|footnotes|endnotes|comments)\d*\.xml")


def read_mails(files: Sequence[tuple[Path, str]]) -> list[Table]:
    """Return one table of all mails, from (file, name): a column a header, as in From and X-Tag, text, attachments."""
    table = Table("the mails")
    for file, name in files:
        try:
            mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            values: dict[str, Any] = {}
            for key, value in mail.items():
                values[key.title()] = f"{values[key.title()]}\n{value}" if key.title() in values else str(value)
            if not values:
                raise Explained(f"{file} is not a mail: it begins with no headers. Export it again.")
            attached = [part.get_filename() or part.get_content_type() for part in mail.iter_attachments()]
            table.add(1, {**values, "text": mail_text(mail, file), "attachments": ", ".join(attached)}, name)
        except Exception as error:  # noqa: BLE001 - damaged headers make the standard library raise all sorts
            why = str(error) if isinstance(error, Explained) else f"{file} is damaged ({error}). Export it again."
            table.unread.append((name, None, why, ""))
    if len(files) == 1 and table.unread:
        raise Explained(table.unread[0][2])
    return [table]


def mail_text(mail: EmailMessage | Any, file: Path) -> str:
    """Return a mail's text: its plain part or else its HTML. Raises Explained where there is neither."""
    part = mail.get_body(("plain", "html"))
    if part is None:
        raise Explained(f"{file} holds no text, plain or HTML. Take it out of the folder, or export it again.")
    try:
        return str(part.get_content(errors="strict"))
    except (LookupError, UnicodeError):  # the encoding is not the one that the mail names
        content: Any = part.get_payload(decode=True)
        return decode(content, file)


def read_docx(file: Path, name: str, encoding: str | None = None) -> list[Table]:
    """Return one table: a row a paragraph (kind, style, text) or table row, which has its cells under the table's head.

    Headers, footers, notes and comments are listed as unread. What is deleted by a tracked change is left out.
    """
    import docx  # here because it is slow to import and seldom needed
    from docx.oxml import parse_xml
    from docx.table import Table as Grid
    from docx.text.paragraph import Paragraph

    table, number = Table(name, ["kind", "style", "text"]), 0
    outside = "[not(ancestor::w:tbl or ancestor::w:txbxContent)]"
    try:
        document = docx.Document(str(file))
        for block in document.element.body.xpath(f".//w:p{outside} | .//w:tbl{outside}"):
            if block.tag == f"{WORD}p":
                number += 1
                style = Paragraph(block, document._body).style
                values = {"kind": "paragraph", "style": style.name if style else "", "text": _words(block)}
                if values["text"]:
                    table.add(number, values)
                continue
            grid = Grid(block, document._body)
            rows = [[_words(cell._tc) for cell in row.cells] for row in grid.rows]
            heads = unique(rows.pop(0)) if len(rows) > 1 else []
            number += bool(heads)
            for cells in rows:
                number += 1
                text = " | ".join(dict.fromkeys(filter(None, cells)))  # a merged cell stands there once for each column
                named = dict(zip(heads, cells, strict=False))
                if text:
                    table.add(number, {"kind": "table row", "style": "", "text": text, **named})
        for part in document.part.package.iter_parts():
            words = _words(parse_xml(part.blob)) if BESIDE.fullmatch(str(part.partname)) else ""
            if words:
                table.unread.append((name, None, f"Text beside the body, in {part.partname}, is not read.", words))
    except Exception as error:  # a damaged file raises whatever the library comes upon
        raise Explained(
            f"{file} cannot be read as a Word document ({error}). Open it in Word and save it again as .docx, without "
            "a password."
        ) from error
    return [table]


def _words(element: Any) -> str:
    """The text of a paragraph, or of all paragraphs in it, a line each."""
    paragraphs = [p for p in element.iter(f"{WORD}p") if not p.xpath("ancestor::w:txbxContent")]
    texts = (
        "".join(MARKS.get(run.tag.removeprefix(WORD), run.text or "") for run in p.xpath(RUNS)) for p in paragraphs
    )
    return "\n".join(texts).strip()
