"""repair: planted faults are mended so that check no longer finds them, all else stays, and no line is lost."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.__main__ import main
from helpers.check import check_file
from helpers.errors import Explained
from helpers.mender import CODES, western
from helpers.remnants import mend_text
from helpers.repair import Repair, repair

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "support"
WORDS = ["apple", "banana", "cherry", "damson", "elder", "fig", "grape", "hazel", "iris", "juniper", "kiwi", "lemon"]
COST = "What does a cherry cost {}, and is cherry in season?"
Row = dict[str, Any]


def example(word: str, asked: str = "", answer: str = "", **more: Any) -> Row:
    messages: list[Row] = [
        {"role": "system", "content": "You are a grocer."},
        {"role": "user", "content": asked or f"What does a {word} cost, and is {word} in season?"},
        {"role": "assistant", "content": answer or f"Ask again on {word} day; the {word[::-1]} stall knows.", **more},
    ]
    return {"messages": messages}


def as_lines(rows: list[Row]) -> list[bytes]:
    return [json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows]


def valid() -> list[bytes]:
    return as_lines([example(word) for word in WORDS])


def repaired(content: bytes, folder: Path, **options: Any) -> Repair:
    old, new = folder / "old.jsonl", folder / "new.jsonl"
    old.write_bytes(content)
    result = repair(old, new, force=True, **options)
    assert old.read_bytes() == content
    return result


def codes(path: Path, method: str = "supervised") -> set[str]:
    return {found.code for found in check_file(path, method=method).findings}


# Planted faults: one in line 3 ----------------------------------------------------------------------------------------

TEXT_FAULTS: dict[str, tuple[str, str, str]] = {  # name: the code, the text, what it should become
    "mojibake": ("mojibake", "Itâ€™s ripe, the cafÃ© says?", "It\u2019s ripe, the café says?"),
    "a bell": ("control_character", "Is it\x07 ripe?", "Is it ripe?"),
    "a line separator": ("control_character", "Is it\u2028ripe?", "Is it\nripe?"),
    "tags": ("html", "<p>Is <b>it</b> ripe?</p><p>When&nbsp;then?</p>", "Is it ripe?\n\nWhen then?"),
    "a block": ("html", "Is it ripe?<div>Or not?</div>", "Is it ripe?\n\nOr not?"),
    "a link": ("html", 'See <a href="https://x.example/y">here</a>.', "See here (https://x.example/y)."),
    "tags beside code": ("html", "Write `<b>` so.<br>```\n<p>\n``` is one.", "Write `<b>` so.\n```\n<p>\n``` is one."),
    "an entity": ("html", "Pears &amp; plums?", "Pears & plums?"),
    "a signature": ("email_residue", "Is it ripe?\n-- \nBo Ek\nHead of Odds", "Is it ripe?"),
    "sent from": ("email_residue", "Is it ripe?\n\nSent from my phone", "Is it ripe?"),
    "a notice": ("email_residue", "Is it ripe?\n\nThis e-mail and any attachments are yours alone.", "Is it ripe?"),
    "a quoted mail": ("email_residue", "Is it ripe?\n\nOn 3 May 2025 Ann wrote:\n> Buy figs.\n> Now.", "Is it ripe?"),
    "all of it": ("html", "<p>Itâ€™s\x07 ripe?</p>\n-- \nBo", "It\u2019s ripe?"),
}
CHERRY = as_lines([example("cherry")])[0]
LINE_FAULTS: dict[str, tuple[str, bytes, Row]] = {  # name: the code, the line, the row that it should become
    "weight 1.0": ("bad_weight", as_lines([example("cherry", weight=1.0)])[0], example("cherry", weight=1)),
    "weight true": ("bad_weight", as_lines([example("cherry", weight=True)])[0], example("cherry", weight=1)),
    "weight as text": ("bad_weight", as_lines([example("cherry", weight="1")])[0], example("cherry", weight=1)),
    "Content": ("unknown_key", CHERRY.replace(b'"content"', b'"Content"', 1), example("cherry")),
    "ROLE": ("no_role", CHERRY.replace(b'"role"', b'"ROLE"', 1), example("cherry")),
    "Messages": ("no_messages", CHERRY.replace(b'"messages"', b'" Messages"'), example("cherry")),
    "User": ("unknown_role", CHERRY.replace(b'"user"', b'"User"'), example("cherry")),
    "bom": ("bom", b"\xef\xbb\xbf" + CHERRY, example("cherry")),
    "cp1252": ("not_utf8", CHERRY.replace(b"cost", b"cost \x96 oh"), example("cherry", COST.format("\u2013 oh"))),
    "latin-1": ("not_utf8", CHERRY.replace(b"cost", b"cost p\xeache"), example("cherry", COST.format("pêche"))),
}
PLANTED = LINE_FAULTS | {
    name: (code, as_lines([example("cherry", before)])[0], example("cherry", after))
    for name, (code, before, after) in TEXT_FAULTS.items()
}
MENDED = {*CODES, "no_messages", "no_role"}


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_mended_and_nothing_else(name: str, tmp_path: Path) -> None:
    code, line, wanted = PLANTED[name]
    lines = [*valid()[:2], line, *valid()[3:]]
    result = repaired(b"".join(lines), tmp_path)
    assert code in codes(tmp_path / "old.jsonl")
    assert not codes(result.out) & MENDED
    after = result.out.read_bytes().splitlines(keepends=True)
    assert json.loads(after[2]) == wanted and [*after[:2], *after[3:]] == [*lines[:2], *lines[3:]]
    assert set(result.changes["line"]) == {3}
    assert result.lines["what"].tolist() == ["kept", "kept", "mended"] + ["kept"] * 9
    assert result.diff().startswith("line 3")


def test_the_diff_shows_every_kind_of_change_in_one_file(tmp_path: Path) -> None:
    """A mark before the first line, a mended text, a blank line and a repeated row leave different gaps."""
    lines = valid()
    bent = as_lines([example("kiwi", asked="<p>Itâ€™s a kiwi?</p>")])
    result = repaired(b"\xef\xbb\xbf" + b"".join([lines[0], *bent, b"\n", lines[0]]), tmp_path)
    blocks = result.diff().split("\n\n")
    assert [block.partition(":")[0] for block in blocks] == [
        "line 1", "line 2, message 2, content", "line 2, message 2, content", "line 3", "line 4",
    ]  # fmt: skip
    assert max(len(line) for line in result.diff().splitlines()) < 130


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_a_file_in_another_encoding_becomes_utf8(encoding: str, tmp_path: Path) -> None:
    rows = [example(word, f"Is {word} “ripe” é 日本?") for word in WORDS]
    content = b"".join(as_lines(rows))
    result = repaired(content.decode().encode(encoding), tmp_path)
    assert result.out.read_bytes() == content
    assert result.changes["code"].tolist() == ["bom" if encoding == "utf-8-sig" else "utf16"]


def test_blank_and_double_lines_go_and_are_accounted_for(tmp_path: Path) -> None:
    lines = valid()
    again = json.dumps(dict(reversed(json.loads(lines[1]).items())), indent=None).encode() + b"\n"
    content = b"".join([lines[0], b"\n", *lines[1:], b" \r\n", again, lines[0].rstrip(b"\n")])
    result = repaired(content, tmp_path)
    assert result.out.read_bytes() == b"".join(lines)
    frame = result.lines.set_index("line")
    assert frame.loc[[2, 14], "what"].tolist() == ["blank", "blank"]
    assert frame.loc[[15, 16], "same_as"].tolist() == [3, 1]
    assert frame["new_line"].dropna().tolist() == list(range(1, 13))
    assert not codes(result.out) & set(CODES)


def test_preference_rows_are_mended_too(tmp_path: Path) -> None:
    rows = [
        {
            "Input": {"messages": [{"role": "user", "content": f"Is the {word} &amp; its kin ripe?"}]},
            "preferred_output": [{"role": "assistant", "content": f"Itâ€™s {word[::-1]} time."}],
            "non_preferred_output": [{"role": "Assistant", "content": f"No {word * 2} today."}],
        }
        for word in WORDS
    ]
    result = repaired(b"".join(as_lines(rows)), tmp_path, method="dpo")
    assert set(result.changes["code"]) == {"unknown_key", "html", "mojibake", "unknown_role"}
    assert "preferred_output.content" in set(result.changes["key"])
    assert not codes(result.out, "dpo") & set(CODES) and result.left.ok


# What is not safe stays and is said -----------------------------------------------------------------------------------

UNSAFE = {
    "a table": ("html", "<table><tr><td>1</td><td>2</td></tr></table>"),
    "a script": ("html", "So: <script>alert(1)</script><br>"),
    "a type": ("html", "A Map<K, V> and a<br>line"),
    "a tag spoken of": ("html", "Write &lt;br&gt; for a new line."),
    "nothing but remnants": ("email_residue", "-- \nBo Ek"),
    "two dashes and much text": ("email_residue", "One.\n--\n" + "\n".join(f"Point {i}." for i in range(20))),
    "a header block": ("email_residue", "From: Bo\nTo: Ann\n\nIs it ripe?"),
    "code in a signature": ("email_residue", "Look.\n-- \n`run(1)`"),
    "a lost letter": ("replacement_character", "It\ufffds ripe."),
    "a template": ("template", "Dear {{name}}, is it ripe?"),
}


@pytest.mark.parametrize("name", UNSAFE)
def test_texts_that_a_mend_would_harm_stay(name: str, tmp_path: Path) -> None:
    code, text = UNSAFE[name]
    lines = [*valid()[:2], as_lines([example("cherry", text)])[0], *valid()[3:]]
    result = repaired(b"\n" + b"".join(lines), tmp_path)
    assert result.out.read_bytes() == b"".join(lines)
    assert (4, 2, code) in {(found.line, found.message, found.code) for found in result.left.findings}


@pytest.mark.parametrize(
    "line",
    [
        b'{"messages": [{"role": "user", "content": "<p>a</p>", "content": "b"}]}',
        b'{"messages": [{"Role": "user", "content": "a", "weight": NaN}]}',
        b'{"messages": [{"Role": "user", "content": "a", "weight": 1e999}]}',
        b'{"messages": [{"role": "user", "content": "a"},]}',
        "{'messages': [{'role': 'user', 'content': 'naïve'}]}".encode(),
        "Это письмо по-русски".encode("cp1251"),
        b'{"messages": "\x81\x8d"}',
        b"[" * 5000,
    ],
)
def test_lines_that_cannot_be_written_again_without_loss_stay(line: bytes, tmp_path: Path) -> None:
    result = repaired(b"".join([*valid(), line, b"\r\n", line]), tmp_path)
    assert result.out.read_bytes() == b"".join([*valid(), line, b"\r\n", line])
    assert {13, 14} <= {found.line for found in result.left.findings}


def test_cyrillic_bytes_are_not_taken_for_western_ones() -> None:
    assert western("Привет".encode("cp1251")) is None and western("日本語で書きました".encode("shift-jis")) is None
    assert western(b"\xabC\x92est l\x92\xe9t\xe9\xbb") == "«C\u2019est l\u2019été»"


def test_the_numbers_of_lines_in_what_is_left_are_the_old_ones(tmp_path: Path) -> None:
    lines = valid()
    near = as_lines([example("banana", "What does a banana cost, and is BANANA in season?")])[0]
    result = repaired(b"".join([b"\n", *lines, near]), tmp_path)
    found = next(found for found in result.left.findings if found.code == "duplicate")
    assert found.line == 14 and "line 3 " in found.why


def test_codes_can_be_left_alone(tmp_path: Path) -> None:
    content = b"".join([*as_lines([example("cherry", "<p>Itâ€™s ripe</p>")]), b"\n"])
    result = repaired(content, tmp_path, leave=["html", "blank_line"])
    assert json.loads(result.out.read_bytes().splitlines()[0])["messages"][1]["content"] == "<p>It\u2019s ripe</p>"
    assert result.lines["what"].tolist() == ["mended", "kept"]


# Files ----------------------------------------------------------------------------------------------------------------


def test_nothing_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, other = tmp_path / "old.jsonl", tmp_path / "other.jsonl"
    old.write_bytes(b"".join(valid()))
    other.write_text("mine")
    (tmp_path / "link.jsonl").symlink_to(old)
    for out, options in (
        ("old.jsonl", []),
        ("old.jsonl", ["--force"]),
        ("link.jsonl", ["--force"]),
        ("other.jsonl", []),
    ):
        assert main(["repair", str(old), "--out", str(tmp_path / out), *options]) == 1
        assert "Name another" in capsys.readouterr().err
    assert old.read_bytes() == b"".join(valid()) and other.read_text() == "mine"
    assert main(["repair", str(old), "--out", str(other), "--force"]) == 0
    assert other.read_bytes() == old.read_bytes()
    assert main(["repair", str(tmp_path / "none.jsonl"), "--out", str(tmp_path / "new.jsonl")]) == 1
    assert "cannot be read" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.jsonl", "old.jsonl", "other.jsonl"]
    with pytest.raises(Explained, match="nothing that repair mends"):
        repair(old, tmp_path / "new.jsonl", leave=["colour"])


def test_the_command_shows_what_it_did_and_what_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = tmp_path / "old.jsonl"
    old.write_bytes(b"".join([*valid(), as_lines([example("melon", "<p>Is it, {{name}}, ripe?</p>")])[0]]))
    assert main(["repair", str(old), "--out", str(tmp_path / "new.jsonl"), "--diff"]) == 0
    shown = capsys.readouterr().out
    assert "line 13, message 2, content: html\n- <p>Is it, {{name}}, ripe?</p>\n+ Is it, {{name}}, ripe?" in shown
    assert "13 lines, 12 kept, 1 mended" in shown and "Mended: html 1" in shown
    assert "warning template: line 13, message 2 (content)" in shown


def test_broken_utf16_is_explained(tmp_path: Path) -> None:
    with pytest.raises(Explained, match="broken UTF-16"):
        repaired("{}\n".encode("utf-16")[:-1], tmp_path)


# Properties -----------------------------------------------------------------------------------------------------------

PIECES = [
    "<p>",
    "</p>",
    "<br>",
    "&amp;",
    "&lt;",
    "&",
    "<",
    "b>",
    "â€™",
    "Ã©",
    "é",
    "\x07",
    "\u200b",
    "\u2028",
    "\n",
    "\r\n",
]
PIECES += [
    "-- \n",
    "Sent from my phone",
    "On 3 May Ann wrote:\n",
    "> so\n",
    "```",
    "`",
    "word ",
    "Confidential: no",
    "\ud800",
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=8).map("".join)
ROLES = st.sampled_from(["user", "assistant", "system", "Assistant", "human"])
KEYS = st.sampled_from(["content", "Content", "weight", "Role", "name"])
MESSAGES = st.fixed_dictionaries({"role": ROLES, "content": TEXTS}) | st.dictionaries(
    KEYS, TEXTS | st.sampled_from([1, 1.0, True, "1", None, 0.5])
)
ROWS = st.fixed_dictionaries({"messages": st.lists(MESSAGES, max_size=4)}).map(lambda row: json.dumps(row).encode())
LINES = ROWS | st.binary(max_size=20) | st.sampled_from([b"", b" ", b"\xef\xbb\xbf", b"{}", *valid()])


@settings(max_examples=60, deadline=None)
@given(st.lists(LINES, max_size=6), st.sampled_from([b"\n", b"\r\n"]))
def test_repair_is_idempotent_loses_no_line_and_leaves_what_is_right(lines: list[bytes], end: bytes) -> None:
    content = end.join(lines)
    with tempfile.TemporaryDirectory() as name:
        try:
            result = repaired(content, Path(name))
        except Explained:  # bytes that look like UTF-16 and are not
            return
        made = result.out.read_bytes()
        assert result.lines["line"].tolist() == list(range(1, len(result.lines) + 1))
        assert made.count(b"\n") in (len(result.lines["new_line"].dropna()) - 1, len(result.lines["new_line"].dropna()))
        dropped = result.lines[result.lines["what"].isin(["blank", "duplicate"])]
        assert dropped["new_line"].isna().all() and result.lines["new_line"].isna().sum() == len(dropped)
        if not codes(Path(name) / "old.jsonl") & {*MENDED, "extra_key"}:
            assert made == content
        again = repaired(made, Path(name))
        assert again.out.read_bytes() == made and again.changes.empty


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_mended_texts_are_at_rest(text: str) -> None:
    mended, steps = mend_text(text)
    assert mend_text(mended) == (mended, [])
    assert not steps or (mended.strip() and mended != text)


@pytest.mark.parametrize("name", ["train", "validation", "test"])
def test_the_curated_sample_comes_back_byte_for_byte(name: str, tmp_path: Path) -> None:
    result = repair(SAMPLE / f"{name}.jsonl", tmp_path / "new.jsonl")
    assert result.out.read_bytes() == (SAMPLE / f"{name}.jsonl").read_bytes()
    assert result.changes.empty and isinstance(result.changes, pd.DataFrame)
