"""The Word document of the legal case: its structure, fields and styles, and what it refuses to write."""

from __future__ import annotations

from pathlib import Path

import docx
import pytest
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Inches, Pt

from helpers.cases.legal_docx import Caption, write_set, write_sets
from helpers.cases.legal_style import definitions
from helpers.errors import Explained

CAPTION = Caption("Alder County Superior Court", "24-CV-1071", "Keld Foundry Inc", "Varnholt Joinery LLC")


def draft(number: int, **changes: str) -> str:
    """An interrogatory in the firm's style."""
    text = (
        f"INTERROGATORY NO. {number} [KF-4071]\n"
        "To Defendant Varnholt Joinery LLC: Identify each PERSON who inspected the Tolby crane from March 3, 2021, "
        "through June 9, 2022, with the name, employer, and job title of each PERSON.\n"
        "If YOU object to a part, answer the rest under oath.\n"
        "Respond within 30 days of service.\n"
        "For Plaintiff Keld Foundry Inc: Dana Orlov"
    )
    for old, new in changes.items():
        text = text.replace(old.replace("_", " "), new)
    return text


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return write_set(tmp_path / "set.docx", [draft(12), draft(3), draft(7)], CAPTION, which=2)


def test_caption_title_definitions_requests_and_signature_come_in_their_order(written: Path) -> None:
    document = docx.Document(str(written))
    texts = [p.text for p in document.paragraphs if p.text]
    assert texts[0] == "ALDER COUNTY SUPERIOR COURT"
    left, right = (cell.text for cell in document.tables[0].rows[0].cells)
    assert " ".join(left.split()) == "Keld Foundry Inc, Plaintiff, v. Varnholt Joinery LLC, Defendant."
    assert right.strip() == "Case No. 24-CV-1071"
    assert texts[1] == "PLAINTIFF\u2019S SECOND SET OF INTERROGATORIES TO DEFENDANT"
    defined = [p.text for p in document.paragraphs if p.style.name == "List Number"]
    assert defined == [f"\u201c{term}\u201d means {meaning}." for term, meaning in definitions().items()]
    headings = [p.text for p in document.paragraphs if p.style.name == "Request Heading"]
    assert headings == [f"INTERROGATORY NO. {number} [KF-4071]" for number in (3, 7, 12)]
    assert texts.index("Definitions") < texts.index("Requests") < texts.index(headings[0])
    bodies = [p.text for p in document.paragraphs if p.style.name == "Request"]
    assert bodies == draft(3).split("\n")[1:4] * 3
    assert texts[-2:] == ["Dana Orlov", "Attorney for Plaintiff Keld Foundry Inc"]
    assert "/s/" not in " ".join(texts)


def test_page_fields_are_fields_that_word_computes(written: Path) -> None:
    section = docx.Document(str(written)).sections[0]
    footer = section.footer.paragraphs[0]
    fields = [field.get(qn("w:instr")) for field in footer._p.iter(qn("w:fldSimple"))]
    assert fields == ["PAGE", "NUMPAGES"]
    assert "".join(t.text or "" for t in footer._p.iter(qn("w:t"))) == "Page 1 of 1"
    assert section.header.paragraphs[0].text == "Case No. 24-CV-1071"
    assert (section.page_width, section.page_height, section.left_margin) == (Inches(8.5), Inches(11), Inches(1))


def test_a_request_stays_on_one_page_and_the_last_one_with_the_signature(written: Path) -> None:
    paragraphs = docx.Document(str(written)).paragraphs
    body = paragraphs[next(i for i, p in enumerate(paragraphs) if p.style.name == "Request Heading") :]
    apart = [p.text for p in body if not (p.paragraph_format.keep_with_next or p.style.name == "Request Heading")]
    assert apart == ["Respond within 30 days of service."] * 2 + ["Attorney for Plaintiff Keld Foundry Inc"]


def test_styles_carry_the_look(written: Path) -> None:
    styles = docx.Document(str(written)).styles
    for name in ("Normal", "Title", "Heading 1"):
        assert (styles[name].font.name, styles[name].font.size) == ("Times New Roman", Pt(12))
    assert styles["Title"].paragraph_format.alignment == WD_ALIGN_PARAGRAPH.CENTER
    assert styles["Request Heading"].font.bold and styles["Request Heading"].paragraph_format.keep_with_next
    assert styles["Request"].base_style.name == "Normal" and styles["Request"].paragraph_format.line_spacing == 1.5


@pytest.mark.parametrize(
    ("drafts", "says"),
    [
        ([], "no draft"),
        (["Please produce all papers."], "no request in the firm's style"),
        ([draft(3), draft(3)], "number 3"),
        ([draft(3), draft(4, Dana_Orlov="Ivo Brandt")], "one attorney"),
        ([draft(3), draft(4, Keld="Kelt")], "one client"),
        ([draft(3, Keld="Kelt")], "the caption"),
        ([draft(3).replace(" from ", " \x00 from ")], "holds the character"),
    ],
)
def test_what_makes_no_set_is_refused_and_nothing_is_written(tmp_path: Path, drafts: list[str], says: str) -> None:
    with pytest.raises(Explained, match=says):
        write_set(tmp_path / "set.docx", drafts, CAPTION)
    assert list(tmp_path.iterdir()) == []


def test_the_three_kinds_have_their_titles(tmp_path: Path) -> None:
    production = (
        draft(5)
        .replace("INTERROGATORY", "REQUEST FOR PRODUCTION")
        .replace("Identify each PERSON who inspected", "Produce all DOCUMENTS on the inspection of")
        .replace("with the name, employer, and job title of each PERSON", "including reports, logs, and permits")
        .replace(
            "If YOU object to a part, answer the rest under oath.", "List each DOCUMENT withheld in a privilege log."
        )
    )
    path = write_set(tmp_path / "set.docx", [production], CAPTION)
    titles = [p.text for p in docx.Document(str(path)).paragraphs if p.style.name == "Title"]
    assert titles == ["PLAINTIFF\u2019S FIRST SET OF REQUESTS FOR PRODUCTION TO DEFENDANT"]


def production(number: int) -> str:
    """A request for production of the same matter."""
    return (
        f"REQUEST FOR PRODUCTION NO. {number} [KF-4071]\n"
        "To Defendant Varnholt Joinery LLC: Produce all DOCUMENTS on the repair of the Tolby crane from March 3, 2021, "
        "through June 9, 2022, including invoices, logs, and photographs.\n"
        "List each DOCUMENT withheld in a privilege log.\n"
        "Respond within 30 days of service.\n"
        "For Plaintiff Keld Foundry Inc: Dana Orlov"
    )


def test_drafts_of_a_matter_make_a_set_of_each_kind(tmp_path: Path) -> None:
    written, refused = write_sets(tmp_path, [draft(12), production(4), draft(3)], CAPTION)
    assert [path.name for path in written] == ["interrogatory.docx", "production.docx"] and refused == []
    headings = [p.text for p in docx.Document(str(written[0])).paragraphs if p.style.name == "Request Heading"]
    assert headings == [f"INTERROGATORY NO. {number} [KF-4071]" for number in (3, 12)]


def test_a_draft_that_cannot_be_filed_is_refused_alone_with_the_reason(tmp_path: Path) -> None:
    chat = "Sure! Here is your interrogatory."
    other_party = draft(8, Varnholt_Joinery="Varnhold Joinery")
    written, refused = write_sets(tmp_path, [chat, draft(12), other_party], CAPTION)
    assert [path.name for path in written] == ["interrogatory.docx"]
    assert [text for text, _ in refused] == [chat, other_party]
    assert "no request in the firm's style" in refused[0][1] and "Varnhold Joinery LLC" in refused[1][1]


def test_drafts_of_a_kind_that_make_no_set_are_refused_together(tmp_path: Path) -> None:
    written, refused = write_sets(tmp_path, [draft(3), draft(3), production(4)], CAPTION)
    assert [path.name for path in written] == ["production.docx"]
    assert [text for text, _ in refused] == [draft(3), draft(3)]
    assert all("have the number 3" in why for _, why in refused)
    assert write_sets(tmp_path, [], CAPTION) == ([], [])
