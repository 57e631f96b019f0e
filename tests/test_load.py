"""Loading: every kind of file gives the same rows with their places, and what cannot be read is listed or explained."""

from __future__ import annotations

import csv
import io
import json
import re
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import docx
import pandas as pd
import pytest
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.errors import Explained
from helpers.load import load

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "support" / "raw"
COLUMNS = {"prompt": "Body", "completion": "Reply", "order": "Order"}
ROWS = [
    {
        "Order": "00123",
        "Body": "Hello,\nwhere is it? It\u2019s late",
        "Reply": 'We "looked"; wait, please',
        "Tag": "late",
    },
    {"Order": "00124", "Body": "Zoë here", "Reply": "", "Tag": ""},
]
WANTED = [[row["Body"], row["Reply"], row["Order"]] for row in ROWS]


def as_csv(rows: list[dict[str, str]], delimiter: str = ",") -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(ROWS[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def write(path: Path) -> Path:
    """The two rows, as the file's name says."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
    contents: dict[str, Any] = {
        "comma.csv": as_csv(ROWS).encode(),
        "marked.csv": as_csv(ROWS).encode("utf-8-sig"),
        "told.csv": b"sep=;\r\n" + as_csv(ROWS, ";").encode(),
        "windows.csv": as_csv(ROWS, ";").encode("cp1252"),
        "unicode.tsv": as_csv(ROWS, "\t").encode("utf-16"),
        "list.json": json.dumps(ROWS).encode(),
        "page.json": json.dumps({"tickets": ROWS, "count": 2, "next_page": None}).encode(),
        "lines.json": lines.encode(),
        "lines.jsonl": lines.replace("\n", "\r\n").encode("utf-8-sig"),
    }
    if path.suffix == ".xlsx":
        with pd.ExcelWriter(path) as book:
            pd.DataFrame({"Note": ["Exported in March"]}).to_excel(book, sheet_name="About", index=False)
            pd.DataFrame(ROWS).to_excel(book, sheet_name="Tickets", index=False)
    else:
        path.write_bytes(contents[path.name])
    return path


KINDS = ["comma.csv", "marked.csv", "told.csv", "windows.csv", "unicode.tsv"]
KINDS += ["list.json", "page.json", "lines.json", "lines.jsonl"]


@pytest.mark.parametrize("name", [*KINDS, "book.xlsx"])
def test_every_kind_of_table_gives_the_same_rows(name: str, tmp_path: Path) -> None:
    rows, unread = load(write(tmp_path / name), COLUMNS)
    assert list(rows.columns) == ["prompt", "completion", "order", "file", "row"]
    assert rows[["prompt", "completion", "order"]].to_numpy().tolist() == WANTED
    assert rows.file.str.startswith(name).all() and rows.row.tolist() == [1, 2]
    assert list(unread.columns) == ["file", "row", "why", "text"]
    assert len(unread) == (name == "book.xlsx")  # the sheet About has no such columns
    assert list(load(tmp_path / name).rows)[-2:] == ["file", "row"]


@pytest.mark.parametrize("name", [*KINDS, "book.xlsx"])
def test_a_missing_column_is_explained_with_those_there_are(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name)
    with pytest.raises(Explained, match=rf"{name}.* has no column 'body'; its columns are .*'Body'.*Say which"):
        load(path, {"prompt": "body"})


def test_a_workbook_keeps_its_types_and_passes_over_what_is_blank(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [7, 8, 9], "when": pd.to_datetime(["2025-03-01", None, None]), "what": ["NA", "", "x"]})
    frame.loc[1] = [None, None, None]
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    rows, unread = load(tmp_path / "a.xlsx")
    assert rows.id.tolist() == [7, 9] and rows.what.tolist() == ["NA", "x"] and unread.empty
    assert pd.Timestamp(rows.when[0]) == pd.Timestamp("2025-03-01") and rows.when[1] == ""


def test_broken_rows_are_listed_and_the_others_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b\n1,2\n"open,3\n4,5\n6,7,8\n9\n\n,\n10,"x" y\n11,12,,\n', encoding="utf-8")
    rows, unread = load(path)
    assert rows[["a", "b", "row"]].to_numpy().tolist() == [["1", "2", 1], ["4", "5", 3], ["11", "12", 7]]
    assert unread.row.tolist() == [2, 4, 5, 6]
    assert unread.text.tolist() == ['"open,3\n', "6,7,8\n", "9\n", '10,"x" y\n']
    assert "Line 3" in unread.why[0] and "3 values and the header 2" in unread.why[1]
    assert "3 rows were read, 4 could not be" in capsys.readouterr().out
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"a": 1}\n\n{"a": 2\n[3]\n{"a": 4, "a": 5}\n{"b": 6}\n{"a": null, "c": "\\ud800"}\n', encoding="utf-8"
    )
    rows, unread = load(path)
    assert rows.row.tolist() == [1, 6, 7] and unread.row.tolist() == [3, 4, 5]
    assert rows.a[0] == 1 and rows.c[2] == "\ud800"
    assert "not JSON" in unread.why[0] and "a list, not an object" in unread.why[1] and "stands twice" in unread.why[2]
    rows, unread = load(path, {"number": "a"})
    assert rows.number.tolist() == [1] and unread.row.tolist() == [3, 4, 5, 6, 7]
    assert "nothing under the columns asked for; it has 'b'" in unread.why[3] and unread.text[3] == '{"b": 6}'


def test_columns_of_one_name_and_of_none_stay_apart(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,,x,row\n1,2,3,4\n", encoding="utf-8")
    rows, _ = load(tmp_path / "a.csv")
    assert rows.to_dict("records") == [
        {"x": "1", "column 2": "2", "x (2)": "3", "row (2)": "4", "file": "a.csv", "row": 1}
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"a,b\n\x81\x8d,1\n", "neither UTF-8 nor cp1252"),
        ("a.csv", b"\x89PNG\x00\x00\x00\x0d\x00\x00\x00", "neither UTF-8 nor cp1252"),
        ("a.xlsx", b"a,b\n1,2\n", "cannot be read as an Excel workbook"),
        ("a.xlsx", b"PK\x03\x04 cut", "cannot be read as an Excel workbook"),
        ("a.docx", b"PK\x03\x04 cut", "cannot be read as a Word document"),
        ("a.json", b'[{"a": 1},\n', "is not JSON: .*line 2"),
        ("a.eml", b"no headers at all", "is not a mail"),
        ("a.eml", b"From: a@b.example\nContent-Type: image/png\n\nx", "holds no text"),
        ("a.xls", b"", r"no kind that is read.*Save it as \.xlsx"),
        ("a.pdf", b"", "no kind that is read"),
    ],
)
def test_a_file_that_cannot_be_read_is_explained_alone_and_listed_among_others(
    name: str, content: bytes, said: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Explained, match=rf"(?s)a\.\w+.*{said}"):
        load(tmp_path / name)
    (tmp_path / "b.csv").write_text("x\n1\n", encoding="utf-8")
    (tmp_path / "c.eml").write_bytes(b"From: a@b.example\n\nHello\n")
    rows, unread = load(tmp_path)
    assert rows.file.tolist() == ["b.csv", "c.eml"]
    assert unread.file.tolist() == [name] and name in unread.why[0] and unread.row.isna().all()


def test_paths_and_encodings_are_explained(tmp_path: Path) -> None:
    (tmp_path / ".hidden.csv").write_text("x\n1\n", encoding="utf-8")
    for path, said in ((tmp_path / "none.csv", "is not there"), (tmp_path, "holds no files")):
        with pytest.raises(Explained, match=said):
            load(path)
    path = tmp_path / "a.csv"
    path.write_bytes("name\nŁódź\n".encode("cp1250"))
    assert load(path, encoding="cp1250").rows.name.tolist() == ["Łódź"]
    for encoding, said in (("utf-8", "is not utf-8 text"), ("cp99", "no encoding 'cp99'")):
        with pytest.raises(Explained, match=said):
            load(path, encoding=encoding)
    path.write_bytes(b"")
    assert load(path).rows.empty
    with pytest.raises(Explained, match="has no column 'x'; it is empty"):
        load(path, {"x": "x"})


def test_mails_have_their_headers_text_and_attachments(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["From"], mail["Subject"], mail["X-Tag"] = "Zoë <zoe@a.example>", "Où?", "late"
    mail.set_content("Where is it?")
    mail.add_alternative("<p>Where is it?</p>", subtype="html")
    mail.add_attachment(b"x", maintype="image", subtype="png", filename="box.png")
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "1.eml").write_bytes(mail.as_bytes())
    wrong = b"From: b@b.example\nContent-Type: text/plain; charset=%s\n\nIt\x92s caf\xe9\n"
    (tmp_path / "inbox" / "2.eml").write_bytes(wrong % b"utf-8")
    (tmp_path / "inbox" / "3.eml").write_bytes(wrong % b"no-such")
    rows, unread = load(
        tmp_path, {"who": "From", "text": "text", "tag": "X-Tag", "about": "Subject", "with": "attachments"}
    )
    assert rows.file.tolist() == ["inbox/1.eml", "inbox/2.eml", "inbox/3.eml"] and unread.empty
    assert rows.loc[0, ["who", "tag", "about", "with"]].tolist() == ["Zoë <zoe@a.example>", "late", "Où?", "box.png"]
    assert [text.strip() for text in rows.text] == ["Where is it?", "It\u2019s café", "It\u2019s café"]
    assert rows.tag.tolist()[1:] == [None, None]
    with pytest.raises(Explained, match="has no column 'Betreff'; its columns are 'From', 'Subject'"):
        load(tmp_path, {"about": "Betreff"})


def test_word_gives_paragraphs_and_rows_of_tables(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_heading("Requests", 1)
    added = document.add_paragraph("State your ")
    run = f"<w:ins {nsdecls('w')} w:id='1' w:author='A'><w:r><w:t>full name.</w:t></w:r></w:ins>"
    cut = f"<w:del {nsdecls('w')} w:id='2' w:author='A'><w:r><w:delText>age</w:delText></w:r></w:del>"
    added._p.append(parse_xml(run))
    added._p.append(parse_xml(cut))
    document.add_paragraph("")
    table = document.add_table(3, 2)
    for cell, text in zip(table._cells, ["Question", "Answer", "Who?", "Ann", "Both", ""], strict=True):
        cell.text = text
    table.cell(2, 0).merge(table.cell(2, 1))
    box = "<w:txbxContent><w:p><w:r><w:t> (all)</w:t></w:r></w:p></w:txbxContent>"  # Word writes it twice
    compatible = "http://schemas.openxmlformats.org/markup-compatibility/2006"
    twice = f"<mc:Choice Requires='wps'>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback>"
    added._p.append(
        parse_xml(
            f"<w:r {nsdecls('w')} xmlns:mc='{compatible}'><mc:AlternateContent>{twice}</mc:AlternateContent></w:r>"
        )
    )
    document.sections[0].header.paragraphs[0].text = "Privileged"
    notes = (
        f"<w:footnotes {nsdecls('w')}><w:footnote><w:p><w:r><w:t>See 7.</w:t></w:r></w:p></w:footnote></w:footnotes>"
    )
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    part = Part(PackURI("/word/footnotes.xml"), kind, notes.encode(), document.part.package)
    document.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)
    document.save(str(tmp_path / "a.docx"))
    rows, unread = load(tmp_path / "a.docx")
    assert rows.text.tolist() == ["Requests", "State your full name. (all)", "Who? | Ann", "Both"]
    assert rows.kind.tolist() == ["paragraph"] * 2 + ["table row"] * 2 and rows["style"][0] == "Heading 1"
    assert rows.row.tolist() == [1, 2, 5, 6]  # 3 is the empty paragraph, 4 the table's head
    assert sorted(unread.text) == ["Privileged", "See 7."]
    assert "header1.xml" in " ".join(unread.why) and "footnotes.xml" in " ".join(unread.why)
    rows, unread = load(tmp_path / "a.docx", {"prompt": "Question", "completion": "Answer"})
    assert rows.to_numpy().tolist() == [["Who?", "Ann", "a.docx", 5], ["Both", "Both", "a.docx", 6]]
    assert len(unread) == 4


def test_the_sample_is_read_whole() -> None:
    datasheet = (SAMPLE.parent / "DATASHEET.md").read_text(encoding="utf-8")
    said = {name: int(count) for name, count in re.findall(r"([\w.]+) (\d+)(?=[,)])", datasheet)}
    tickets, unread = load(SAMPLE / "tickets.csv", {"prompt": "message", "completion": "agent_reply", "csat": "csat"})
    assert len(tickets) == said["tickets.csv"] and unread.empty
    mails, unread = load(SAMPLE / "emails", {"text": "text", "from": "From"})
    assert len(mails) == len(list((SAMPLE / "emails").glob("*.eml"))) and unread.empty
    planted = json.loads((SAMPLE.parent / "defects.json").read_text(encoding="utf-8"))
    empty = {row["id"] for row in planted if "empty" in row["defects"]}
    blank = mails.file[mails.text.str.strip() == ""].str.removesuffix("-1.eml")
    assert 0 < len(blank) < 10 and set(blank) <= empty
    chats, unread = load(SAMPLE / "chats.jsonl", {"turns": "turns"})
    assert len(chats) == said["chats.jsonl"] and unread.empty and chats.turns.map(len).min() > 0


QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@QUIET
@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5))
def test_what_a_csv_says_comes_back(tmp_path: Path, pairs: list[tuple[str, str]]) -> None:
    path = tmp_path / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *pairs])
    rows, unread = load(path)
    assert list(zip(rows.a, rows.b, strict=True)) == [pair for pair in pairs if any(pair)] and unread.empty


@QUIET
@given(st.binary(max_size=300), st.sampled_from([".csv", ".json", ".jsonl", ".xlsx", ".docx", ".eml"]))
def test_any_bytes_are_read_or_explained(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    try:
        loaded = load(path)
    except Explained as error:
        assert str(path) in str(error)
    else:
        assert isinstance(loaded.rows, pd.DataFrame)


@QUIET
@given(
    st.lists(st.sampled_from(['{"a": "b"}', '{"a": ', "[]", "7", "", '{"a": 1, "a": 2}', "\u2028", "nan"]), min_size=1)
)
def test_no_line_is_lost(tmp_path: Path, lines: list[str]) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(['{"first": 1}', *lines]), encoding="utf-8", newline="")
    rows, unread = load(path)
    said = [number for number, line in enumerate(["x", *lines], start=1) if line.strip()]
    assert sorted([*rows.row, *unread.row]) == said
