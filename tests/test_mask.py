"""Masking: placeholders are consistent, the key leads back and stands apart, and anonymous data keep no link."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.__main__ import main
from helpers.errors import Explained
from helpers.mask import anonymise, pseudonymise, restore
from helpers.workspace import read_jsonl

Row = dict[str, Any]


def row(*texts: str) -> Row:
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[i % 2], "content": text} for i, text in enumerate(texts)]}


def texts(example: Row) -> list[str]:
    return [message["content"] for message in example["messages"]]


ROWS = [
    row("Hi, Bo Ek here: bo@x.example, 07700 900123.", "Dear Bo, is it +44 7700 900 123 or bo@x.example?"),
    row("From bo@x.example too. Thanks, Ann Oak", "Hello Ann Oak, BO@x.example is noted."),
]


def test_the_same_words_get_the_same_placeholder_everywhere(tmp_path: Path) -> None:
    masked = pseudonymise(ROWS, tmp_path / "key.json", names=["Bo Ek", ""])
    assert [texts(example) for example in masked.examples] == [
        ["Hi, <NAME_1> here: <EMAIL_1>, <PHONE_1>.", "Dear <NAME_2>, is it <PHONE_1_2> or <EMAIL_1>?"],
        ["From <EMAIL_1> too. Thanks, <NAME_3>", "Hello <NAME_3>, <EMAIL_1_2> is noted."],
    ]
    assert masked.found.groupby("kind")["places"].sum().to_dict() == {"EMAIL": 4, "NAME": 4, "PHONE": 2}
    assert "No offline tool finds all names" in str(masked)


def test_the_key_leads_back_and_is_its_owners_alone(tmp_path: Path) -> None:
    key = tmp_path / "keys" / "key.json"
    masked = pseudonymise(ROWS, key, names=["Bo Ek", ""])
    assert restore(masked.examples, key) == ROWS
    assert restore([row("Say hello to <NAME_3> and <NAME_99>.")], key) == [row("Say hello to Ann Oak and <NAME_99>.")]
    if os.name != "nt":
        assert key.stat().st_mode & 0o777 == 0o600
    more = pseudonymise([row("Cat Elm, cat@x.example, met Bo Ek", "Dear Cat Elm")], key, names=["Bo Ek"])
    assert texts(more.examples[0]) == ["<NAME_4>, <EMAIL_2>, met <NAME_1>", "Dear <NAME_4>"]
    assert restore(masked.examples + more.examples, key)[:2] == ROWS


def test_anonymous_examples_are_not_linked_and_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    masked = anonymise([ROWS[1], ROWS[0]], names=["", "Bo Ek"])
    assert texts(masked.examples[0])[0] == "From <EMAIL_1> too. Thanks, <NAME_1>"
    assert texts(masked.examples[1])[0] == "Hi, <NAME_1> here: <EMAIL_1>, <PHONE_1>."
    assert list(tmp_path.iterdir()) == []


def test_calls_speakers_and_parts_are_masked_and_what_machines_read_stays(tmp_path: Path) -> None:
    call = {"name": "look", "arguments": '{"mail": "bo@x.example", "who": "Bo \\u0045k", "n": 1}'}
    message: Row = {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": call}]}
    image = {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}
    user = {"role": "user", "name": "Bo", "content": [{"type": "text", "text": "I am Bo Ek."}, image]}
    masked = pseudonymise([{"messages": [user, message], "answer": "bo@x.example"}], tmp_path / "key.json", ["Bo Ek"])
    made = masked.examples[0]
    assert made["messages"][0]["content"] == [{"type": "text", "text": "I am <NAME_2>."}, image]
    assert made["messages"][0]["name"] == "NAME_1" and made["answer"] == "<EMAIL_1>"
    arguments = json.loads(made["messages"][1]["tool_calls"][0]["function"]["arguments"])
    assert arguments == {"mail": "<EMAIL_1>", "who": "<NAME_2>", "n": 1}
    assert made["messages"][1]["tool_calls"][0]["id"] == "c1"
    back = restore(masked.examples, tmp_path / "key.json")[0]["messages"]
    assert back[0] == user and json.loads(back[1]["tool_calls"][0]["function"]["arguments"])["who"] == "Bo Ek"


PIECES = [
    "bo@x.example",
    "a.b@y.example",
    "07700 900123",
    "+44 7700 900 123",
    "Dear Bo Ek, ",
    "Thanks,\nAnn",
    "<EMAIL_1>",
]
PIECES += ["<NAME_2", "<PHONE_1_2>", "192.0.2.1", "https://x.example/a", "account number 55779911", " ", ". ", "\n"]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=8).map(", ".join)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(TEXTS, min_size=1, max_size=3).map(lambda said: row(*said)), max_size=3))
def test_the_way_back_is_exact_and_what_is_masked_is_gone(rows: list[Row]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        masked = pseudonymise(rows, Path(folder) / "key.json")
        assert restore(masked.examples, Path(folder) / "key.json") == rows
    whole = json.dumps([masked.examples, anonymise(rows).examples])
    assert not [word for word in ("bo@x.example", "7700", "192.0.2.1", "55779911") if word in whole]


# The command ----------------------------------------------------------------------------------------------------------


def test_the_command_masks_and_brings_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new, key = tmp_path / "old.jsonl", tmp_path / "new.jsonl", tmp_path / "keys" / "key.json"
    old.write_text("".join(json.dumps(example) + "\n" for example in ROWS))
    (tmp_path / "names.txt").write_text("Bo Ek\n\n")
    names = ["--names", str(tmp_path / "names.txt")]
    assert main(["mask", str(old), "--out", str(new), "--key", str(key), *names]) == 0
    shown = capsys.readouterr().out
    assert "EMAIL 4, NAME 4, PHONE 2" in shown and "No offline tool finds all names" in shown
    assert "x.example" not in new.read_text() and "Ek" not in new.read_text()
    assert main(["mask", str(new), "--out", str(tmp_path / "back.jsonl"), "--restore", str(key)]) == 0
    assert [json.loads(line) for line in (tmp_path / "back.jsonl").read_text().splitlines()] == ROWS
    assert main(["mask", str(old), "--out", str(tmp_path / "anon.jsonl"), "--anonymise"]) == 0
    assert "x.example" not in (tmp_path / "anon.jsonl").read_text()


def test_halves_of_characters_and_deep_lists_are_no_crash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new, key = tmp_path / "old.jsonl", tmp_path / "new.jsonl", tmp_path / "keys" / "key.json"
    rows = [{"text": "\ud83d a@b.example", "name": "Dear \ud83dAnn"}]
    old.write_text(json.dumps(rows[0]) + "\n")
    assert main(["mask", str(old), "--out", str(new), "--key", str(key)]) == 0
    assert restore(read_jsonl(new), key) == rows
    old.write_text(json.dumps({"text": "a"})[:-1] + ', "more": ' + "[" * 900 + "]" * 900 + "}\n")
    assert main(["mask", str(old), "--out", str(new), "--anonymise", "--force"]) == 1
    assert "nested too deep" in capsys.readouterr().err


def test_the_command_refuses_what_would_do_harm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    old.write_text("".join(json.dumps(example) + "\n" for example in ROWS))
    (tmp_path / "names.txt").write_text("Bo Ek\n")
    (tmp_path / "other.json").write_text('{"a": 1}')
    for arguments, said in (
        (["--out", str(new), "--key", str(tmp_path / "key.json")], "another folder"),
        (["--out", str(old), "--anonymise"], "never written over"),
        (["--out", str(new), "--anonymise", "--names", str(tmp_path / "names.txt")], "1 names"),
        (["--out", str(new), "--anonymise", "--names", str(tmp_path / "none.txt")], "cannot be read"),
        (["--out", str(new), "--restore", str(tmp_path / "other.json")], "no key file"),
        (["--out", str(new), "--restore", str(tmp_path / "none.json")], "cannot be read"),
    ):
        assert main(["mask", str(old), *arguments]) == 1
        assert said in capsys.readouterr().err
        assert not new.exists()
    with pytest.raises(Explained, match="no key file"):
        pseudonymise(ROWS, tmp_path / "other.json")
    assert (tmp_path / "other.json").read_text() == '{"a": 1}'
