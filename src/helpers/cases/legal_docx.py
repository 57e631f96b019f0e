"""Delivers drafts of the legal case as a Word document: caption, definitions, numbered requests, signature block.

    write_set("build/legal/set.docx", drafts, Caption(court, docket, plaintiff, defendant))
    written, refused = write_sets("build/legal", drafts, caption)      # what can be filed, and what has to be corrected

Nothing is signed: the signature line is for counsel, who reads the set first.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import docx
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Inches, Pt

from helpers.cases.legal_style import Request, definitions, read
from helpers.errors import Explained
from helpers.whole_file import whole_file

FONT = "Times New Roman"
TITLES = {
    "interrogatory": "INTERROGATORIES",
    "production": "REQUESTS FOR PRODUCTION",
    "admission": "REQUESTS FOR ADMISSION",
}
ORDINALS = ["FIRST", "SECOND", "THIRD", "FOURTH", "FIFTH", "SIXTH"]


class Caption(NamedTuple):
    """What stands at the head of a court paper."""

    court: str
    docket: str
    plaintiff: str
    defendant: str


def write_set(path: Path | str, drafts: Sequence[str], caption: Caption, which: int = 1) -> Path:
    """Write drafts of one kind as a set (`which`: 1 is the first set), in the order of their numbers; return the path.

    Raises Explained, and writes nothing, where there is no draft, a draft is not in the firm's style, two have one
    number, they differ in kind, parties or attorney, or a party is not the caption's.
    """
    drafts = sorted(drafts, key=lambda draft: int(_read(draft).number))
    requests = [_read(draft) for draft in drafts]
    _refuse(requests, caption, which)
    first = requests[0]
    document = docx.Document()
    _styles(document)
    document.core_properties.title = _title(first, which).title()
    document.core_properties.author = first.attorney
    _caption(document, caption)
    document.add_paragraph(_title(first, which), style="Title")
    _definitions(document)
    document.add_paragraph("Requests", style="Heading 1")
    for draft in drafts:
        heading, request, clause, deadline, _ = draft.strip().split("\n")
        document.add_paragraph(heading, style="Request Heading")
        for text in (request, clause):
            document.add_paragraph(text, style="Request").paragraph_format.keep_with_next = True
        last = document.add_paragraph(deadline, style="Request")
    last.paragraph_format.keep_with_next = True  # no signature stands on a page alone
    _signature(document, first)
    _header_and_footer(document, caption)
    made = io.BytesIO()
    document.save(made)
    with whole_file(Path(path)) as file:
        file.write(made.getvalue())
    return Path(path)


def write_sets(folder: Path | str, drafts: Sequence[str], caption: Caption) -> tuple[list[Path], list[tuple[str, str]]]:
    """Write a set for each kind among the drafts, <kind>.docx; return their paths, and each draft refused with why.

    A draft that is not in the firm's style, or does not name the caption's parties, is refused alone; the drafts of one
    kind are refused together where they make no set, see write_set.
    """
    sets: dict[str, list[str]] = {}
    refused: list[tuple[str, str]] = []
    for draft in drafts:
        try:
            _refuse([_read(draft)], caption, which=1)
            sets.setdefault(_read(draft).kind, []).append(draft)
        except Explained as error:
            refused.append((draft, str(error)))
    written = []
    for kind, group in sets.items():
        try:
            written.append(write_set(Path(folder) / f"{kind}.docx", group, caption))
        except Explained as error:
            refused += [(draft, str(error)) for draft in group]
    return written, refused


def _read(draft: str) -> Request:
    try:
        return read(draft)
    except ValueError as error:
        raise Explained(f"{error} Nothing was written: correct this draft, or leave it out of the set.") from error


def _refuse(requests: Sequence[Request], caption: Caption, which: int) -> None:
    """Raises Explained where the requests do not make one set for this caption."""
    if not requests:
        raise Explained("There is no draft to put into the set. Draft at least one request.")
    if not 1 <= which <= len(ORDINALS):
        raise Explained(f"which={which}: name the first to the sixth set, 1 to {len(ORDINALS)}.")
    for name in ("kind", "to", "client", "attorney", "code"):
        found = list(dict.fromkeys(getattr(request, name) for request in requests))
        if len(found) > 1:
            raise Explained(f"One set has one {name}, but these drafts have {', '.join(found)}. Write a set for each.")
    numbers = [request.number for request in requests]
    if len(set(numbers)) < len(numbers):
        twice = sorted({number for number in numbers if numbers.count(number) > 1})
        raise Explained(f"Two drafts have the number {', '.join(twice)}. Give each request its own.")
    named = {f"Plaintiff {caption.plaintiff}", f"Defendant {caption.defendant}"}
    if {requests[0].to, requests[0].client} != named:
        raise Explained(
            f"The drafts name {requests[0].to} and {requests[0].client}, the caption {' and '.join(sorted(named))}. "
            "Look up the matter's code, and correct the one that is wrong."
        )


def _title(request: Request, which: int) -> str:
    client, to = (party.split(" ", 1)[0].upper() for party in (request.client, request.to))
    return f"{client}\u2019S {ORDINALS[which - 1]} SET OF {TITLES[request.kind]} TO {to}"


def _styles(document: Any) -> None:
    """The firm's page: letter size, margins of an inch, Times in 12 points, headings that stay with their text."""
    section = document.sections[0]
    section.page_width, section.page_height = Inches(8.5), Inches(11)
    for side in ("left", "right", "top", "bottom"):
        setattr(section, f"{side}_margin", Inches(1))
    for name in ("Normal", "Title", "Heading 1"):
        _font(document.styles[name], bold=name != "Normal")
    document.styles["Title"].paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    document.styles["Title"].paragraph_format.space_before = Pt(18)
    document.styles["Heading 1"].paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    heading = document.styles.add_style("Request Heading", WD_STYLE_TYPE.PARAGRAPH)
    request = document.styles.add_style("Request", WD_STYLE_TYPE.PARAGRAPH)
    for style in (heading, request):
        style.base_style = document.styles["Normal"]
    heading.font.bold = True
    heading.paragraph_format.keep_with_next = True
    heading.paragraph_format.space_before = Pt(12)
    request.paragraph_format.space_after = Pt(6)
    request.paragraph_format.line_spacing = 1.5
    request.paragraph_format.widow_control = True


def _font(style: Any, bold: bool) -> None:
    style.font.name, style.font.size, style.font.bold = FONT, Pt(12), bold
    style.font.color.rgb = docx.shared.RGBColor(0, 0, 0)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):  # the template's headings carry these
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    fonts.set(qn("w:hAnsi"), FONT)
    for border in style.element.xpath(".//w:pBdr"):  # and its title a line beneath
        border.getparent().remove(border)


def _caption(document: Any, caption: Caption) -> None:
    court = document.add_paragraph(caption.court.upper())
    court.alignment = WD_ALIGN_PARAGRAPH.CENTER
    court.runs[0].bold = True
    table = document.add_table(rows=1, cols=2)
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    left, right = table.rows[0].cells
    left.text = f"{caption.plaintiff},\n\tPlaintiff,\n\nv.\n\n{caption.defendant},\n\tDefendant."
    right.text = f"\n\nCase No. {caption.docket}"
    borders = OxmlElement("w:tcBorders")
    for side in ("bottom", "right"):
        border = OxmlElement(f"w:{side}")
        border.set(qn("w:val"), "single")
        border.set(qn("w:sz"), "8")
        borders.append(border)
    left._tc.get_or_add_tcPr().append(borders)


def _definitions(document: Any) -> None:
    document.add_paragraph("Definitions", style="Heading 1")
    for term, meaning in definitions().items():
        paragraph = document.add_paragraph(style="List Number")
        paragraph.add_run(f"\u201c{term}\u201d").bold = True
        paragraph.add_run(f" means {meaning}.")


def _signature(document: Any, request: Request) -> None:
    lines = ["Dated: ____________________", "", "____________________________", request.attorney]
    lines.append(f"Attorney for {request.client}")
    for place, line in enumerate(lines):
        paragraph = document.add_paragraph(line)
        paragraph.paragraph_format.space_after = Pt(0)
        paragraph.paragraph_format.keep_with_next = place < len(lines) - 1
        if place == 0:
            paragraph.paragraph_format.space_before = Pt(24)
        else:
            paragraph.paragraph_format.left_indent = Inches(3.25)


def _header_and_footer(document: Any, caption: Caption) -> None:
    section = document.sections[0]
    section.header.paragraphs[0].text = f"Case No. {caption.docket}"
    section.header.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT
    footer = section.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    footer.add_run("Page ")
    _field(footer, "PAGE")
    footer.add_run(" of ")
    _field(footer, "NUMPAGES")


def _field(paragraph: Any, name: str) -> None:
    """Adds a field that Word computes, such as the page number; python-docx has no call for it."""
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), name)
    run = OxmlElement("w:r")
    text = OxmlElement("w:t")
    text.text = "1"
    run.append(text)
    field.append(run)
    paragraph._p.append(field)
