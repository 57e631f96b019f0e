"""`python -m helpers run`: what it refuses, how it prepares three unlike kinds of data, and a whole run of it.

A base with random weights has the usual one's name: it trains in no time, and nothing here asks what it says.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import openai
import pandas as pd
import papermill
import pytest
from live_service import LiveService, examples, live_service
from planted_files import CALLING, example
from tiny_base import build_base

from helpers.__main__ import main
from helpers.connection import LOCAL_MODEL, Service, connect
from helpers.errors import Explained
from helpers.own_context import fit, lengths
from helpers.own_data import Given, read
from helpers.own_run import cost, graders
from helpers.own_splits import prepare
from helpers.split import leakage
from helpers.workspace import read_jsonl

COURSE = Path(__file__).resolve().parents[1]
REAL = COURSE.parent / "shared" / "real-data" / "clinical" / "mts-dialog-validation.csv"
BITEXT = COURSE.parent / "shared" / "real-data" / "support" / "bitext-intents-dev.csv"
CONTEXT = 2048
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveService]:
    """A service whose base has the course's name."""
    bases = tmp_path_factory.mktemp("bases")
    build_base(bases / LOCAL_MODEL, context=CONTEXT)
    with live_service(tmp_path_factory.mktemp("home"), bases) as running:
        yield running


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FINETUNE_BUILD", str(tmp_path / "build"))
    return tmp_path


@pytest.fixture
def local(stand_in: LiveService, monkeypatch: pytest.MonkeyPatch) -> LiveService:
    """The stand-in is the local service."""
    monkeypatch.setenv("FINETUNE_HOME", str(stand_in.home))
    monkeypatch.setenv("FINETUNE_BASES", stand_in.env["FINETUNE_BASES"])
    return stand_in


def rows(count: int) -> Rows:
    """Questions and answers that are unlike each other."""
    said = [[m["content"] for m in example(f"fruit{number}")["messages"]] for number in range(count)]
    return [{"question": asked, "reply": answer} for _, asked, answer in said]


def table(given: Rows, delimiter: str = ",") -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(given[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(given)
    return out.getvalue()


def lines(given: list[Any]) -> str:
    return "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in given)


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def columns(path: Path, asked: str = "question", answer: str = "reply") -> list[str]:
    return ["run", str(path), "--prompt-column", asked, "--answer-column", answer]


def changed(count: int, **values: Any) -> Rows:
    return [{**row, **values} for row in rows(count)]


REFUSED: dict[str, tuple[str, str | bytes, str]] = {
    "few": ("f.csv", table(rows(12)), r"gives 12 examples .*30 are the least.*Collect more"),
    "one answer": (
        "f.csv",
        table(changed(60, reply="Closed.")),
        r"All 60 answers .* the same, 'Closed.'.*Add the rows",
    ),
    "one question": (
        "f.csv",
        table(changed(60, question="(none)")),
        r"All 60 questions .*Name the column that differs",
    ),
    "copies": ("f.csv", table(rows(3) * 20), r"60 examples, and only 3 of them differ.*Copies"),
    "numbers": ("f.csv", table([{**r, "reply": n % 5} for n, r in enumerate(rows(60))]), r"60 of 60 answers .*words"),
    "lists": ("f.jsonl", lines(changed(60, reply=["a", 1])), r"60 of 60 answers .*'reply'.*are not texts: \['a', 1\]"),
    "chat with columns": ("f.jsonl", lines(examples(40)), r"no column 'question'.*known form: name no columns"),
    "no answers": ("f.csv", table(changed(60, reply="")), r"gives 0 examples .*from 60 rows"),
    "other column": (
        "f.csv",
        table([{"question": "a?", "replies": "b"}]),
        r"no column 'reply'.*'question', 'replies'.*Did you mean 'replies'.*--answer-column",
    ),
    "empty": ("f.csv", b"", r"holds no rows.*first line must hold the columns' names"),
    "only a header": ("f.csv", "question,reply\n", r"holds no rows"),
    "prose": ("f.csv", "Dear all\nthis is a letter\n", r"no column .*'Dear all'.*perhaps no table"),
    "a picture": ("f.csv", b"\x89PNG\r\n\x1a\n" + bytes(500), r"neither UTF-8 nor cp1252.*Save it"),
    "a broken workbook": ("f.xlsx", b"PK\x03\x04nonsense", r"cannot be read as an Excel workbook.*save it again"),
    "another kind": ("f.pdf", b"%PDF-1.7", r"of no kind that is read \(.csv.*Convert it"),
    "broken lines": ("f.jsonl", "{'a': 1}\n" * 40, r"holds no rows that can be read. The first: It is not JSON"),
}


@pytest.mark.parametrize(("name", "content", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_work_is_refused_with_the_way_out(
    name: str, content: str | bytes, said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(columns(write(folder / name, content))) == 1
    told = capsys.readouterr().err
    assert re.search(said, told, re.S), told
    assert name in told and "Traceback" not in told and len(told) < 700


def test_a_path_or_a_column_that_is_not_named_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(folder / "own.csv", table(rows(40)))
    turns = [[{"role": "user", "content": row["question"]}, CALLING] for row in rows(40)]
    calls = write(folder / "calls.jsonl", lines([{"messages": messages} for messages in turns]))
    for arguments, said in [
        (["run", str(path)], "no form that tells question from answer.*'question', 'reply'.*--prompt-column"),
        (columns(path, "reply"), "cannot be both question and answer"),
        (["run", str(folder / "none.csv")], "none.csv is not there"),
        (
            ["run", str(calls)],
            "40 of 40 examples of calls.jsonl end without a text: with a call of a tool.*rows that end",
        ),
    ]:
        assert main(arguments) == 1
        assert re.search(said, capsys.readouterr().err)


def twenty(number: int) -> str:
    """A question and an answer of twenty words and more."""
    return " ".join(example(f"{word}{number}")["messages"][1]["content"] for word in ("one", "two", "three"))


PLANTED: dict[str, tuple[str, Callable[[dict[str, Any], Rows], Any]]] = {  # code: what is done, and how it is planted
    "unread: not JSON": ("left out", lambda row, _: '{"question": "Where is it?", "reply": "Here"'),
    "unread: a list": ("left out", lambda row, _: ["Where is it?", "Here"]),
    "unread: twice": ("left out", lambda row, _: '{"question": "Where?", "reply": "Here.", "reply": "There."}'),
    "left_out: no answer": ("left out", lambda row, _: {**row, "reply": None}),
    "left_out: no question": ("left out", lambda row, _: {**row, "question": "  "}),
    "left_out: no text": ("left out", lambda row, _: {**row, "reply": {"status": "sent"}}),
    "duplicate": ("left out", lambda row, others: others[0]),
    "duplicate: other case": (
        "left out",
        lambda row, others: {"question": others[1]["question"].upper(), "reply": others[1]["reply"]},
    ),
    "near_duplicate": (
        "kept",
        lambda row, others: {"question": f"{others[2]['question']} Please.", "reply": others[2]["reply"]},
    ),
    "contradiction": ("kept", lambda row, others: {**row, "question": others[3]["question"]}),
    "null_text": ("left out", lambda row, _: {**row, "reply": "null"}),
    "special_token": ("left out", lambda row, _: {**row, "reply": f"{row['reply']}<|end|>"}),
    "mojibake": ("mended", lambda row, _: {**row, "reply": f"{row['reply']} It isn\u00e2\u20ac\u2122t late."}),
    "replacement_character": ("kept", lambda row, _: {**row, "reply": f"{row['reply']} Caf\ufffd."}),
    "control_character": ("mended", lambda row, _: {**row, "question": f"{row['question']}\x07"}),
    "html": ("mended", lambda row, _: {**row, "question": f"<p>{row['question']}</p>"}),
    "template": ("kept", lambda row, _: {**row, "reply": f"Dear {{{{name}}}}, {row['reply']}"}),
    "email_residue": ("mended", lambda row, _: {**row, "question": f"{row['question']}\n-- \nAnn, Accounts"}),
    "personal_data: mail": ("kept", lambda row, _: {**row, "question": f"{row['question']} ann@example.org"}),
    "personal_data: card": ("kept", lambda row, _: {**row, "question": f"{row['question']} 4111 1111 1111 1111"}),
    "personal_data: phone": ("kept", lambda row, _: {**row, "question": f"{row['question']} +44 7700 900123"}),
    "speakers_swapped": ("kept", lambda row, _: {**row, "question": f"How can I help you? {row['question']}"}),
    "too_long": ("cut", lambda row, _: {**row, "question": " ".join([row["question"]] * 200)}),
}


def test_each_of_twenty_and_more_planted_problems_is_one_finding(local: LiveService, folder: Path) -> None:
    good = rows(60)
    planted = [plant(good[30 + place], good) for place, (_, plant) in enumerate(PLANTED.values())]
    path = write(folder / "export.jsonl", lines([*good[:30], *planted, *rows(90)[60:]]))
    assert len(planted) >= 20
    assert main([*columns(path), "--only-prepare"]) == 0
    found = pd.read_csv(folder / "build" / "own" / "export" / "findings.csv")
    told = [(r.row, r.code, r.done.split(":")[0]) for r in found.itertuples()]
    wanted = [(31 + n, code.split(":")[0], done) for n, (code, (done, _)) in enumerate(PLANTED.items())]
    assert told == wanted
    assert set(found.file) == {"export.jsonl"}
    assert found.why.str.len().min() >= 20 and found.fix.str.len().min() > 8
    for row, other in ((37, 1), (39, 3), (40, 4)):  # copies name the row that they repeat, by the export's own numbers
        assert f"row {other}" in found.why[found.row == row].item().lower()
    written = "".join((folder / "build" / "own" / "export" / f"{n}.jsonl").read_text() for n in ("train", "test"))
    assert "<|end|>" not in written and "<p>" not in written and '"null"' not in written


def mails(folder: Path, count: int) -> Path:
    """A mailbox: questions with replies that quote them, one nobody answered, one that says thank you at the end."""
    folder.mkdir()
    for number, row in enumerate(rows(count)):
        turns = [("Ann <ann@home.example>", row["question"], "")]
        if number:
            quoted = f"{row['reply']}\n\nOn Monday Ann wrote:\n> {row['question']}"
            turns.append(("Desk <desk@shop.example>", quoted, f"<{number}.0@x>"))
        if number == 1:
            turns.append(("ANN@home.example", "Thank you!", "<1.1@x>"))
        for turn, (sender, text, parent) in enumerate(turns):
            mail = EmailMessage()
            mail["From"], mail["Message-ID"] = sender, f"<{number}.{turn}@x>"
            mail["Date"] = f"Mon, 05 Jan 2026 10:{turn:02}:00 +0000"
            if parent:
                mail["In-Reply-To"] = parent
            mail.set_content(text)
            (folder / f"{9 - turn}-{number}.eml").write_bytes(bytes(mail))  # replies come first by name
    return folder


def test_a_mailbox_becomes_conversations(folder: Path) -> None:
    given = read(mails(folder / "mailbox", 41))
    assert len(given.examples) == 40
    assert [found.why for found in given.findings.itertuples()] == ["Nobody answered this mail."]
    said = {tuple(m["role"] for m in e["messages"]) for e in given.examples}
    assert said == {("system", "user", "assistant")}
    answers = {e["messages"][2]["content"] for e in given.examples}
    assert answers == {row["reply"] for row in rows(41)[1:]}


def workbook(path: Path) -> Path:
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"Note": ["Exported in March"]}).to_excel(book, sheet_name="About", index=False)
        pd.DataFrame(rows(50)).to_excel(book, sheet_name="Tickets", index=False)
    return path


def test_unlike_files_need_nothing_but_parameters(local: LiveService, folder: Path) -> None:
    windows = write(folder / "windows.csv", table(changed(40, café="é"), ";").encode("cp1252"))
    for arguments, count in [
        (columns(windows), 40),
        (columns(workbook(folder / "book.xlsx")), 50),
        (["run", str(mails(folder / "mailbox", 46))], 45),
        (["run", str(write(folder / "chat.jsonl", lines(examples(60))))], 60),
    ]:
        assert main([*arguments, "--only-prepare", "--n-test", "10", "--name", "own"]) == 0
        made = {
            name: read_jsonl(folder / "build" / "own" / "own" / f"{name}.jsonl")
            for name in ("train", "validation", "test")
        }
        assert sum(map(len, made.values())) == count and len(made["test"]) == 10
    assert "neither 'question' nor 'reply'" in read(folder / "book.xlsx", "question", "reply").findings.why.item()


@pytest.mark.skipif(not REAL.is_file(), reason="the real MTS-Dialog files are not here: ../shared/real-data/clinical")
def test_a_real_file_is_prepared(local: LiveService, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*columns(REAL, "dialogue", "section_text"), "--only-prepare"]) == 0
    made = folder / "build" / "own" / REAL.stem
    train, test = read_jsonl(made / "train.jsonl"), read_jsonl(made / "test.jsonl")
    assert len(test) == 20 and len(train) + len(test) <= 90 and leakage(train, test)["n"].max() == 0
    assert "Cost: $0.00" in capsys.readouterr().out and "gpt-4o" in (made / "cost.csv").read_text()


@pytest.mark.skipif(not BITEXT.is_file(), reason="the real Bitext files are not here: ../shared/real-data/support")
def test_a_real_file_of_kinds_is_read_by_the_columns_that_notebook_11_names() -> None:
    notebook = (COURSE / "notebooks" / "11_your_own_data.ipynb").read_text(encoding="utf-8")
    assert all(f"`{column}`" in notebook for column in ("utterance", "intent", "dialogue", "section_text"))
    given = read(BITEXT, "utterance", "intent")
    kinds = {row["messages"][-1]["content"] for row in given.examples}
    assert len(given.examples) == 810 and len(kinds) == 27 and given.findings.empty


def test_a_whole_run_measures_reports_and_can_be_repeated(
    local: LiveService, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(folder / "shop letters.csv", table(rows(50)))
    assert main([*columns(path), "--n-epochs", "1", "--n-train", "20", "--n-test", "10", "--system", ""]) == 0
    told = capsys.readouterr().out
    made = folder / "build" / "own" / "shop letters"
    assert len(read_jsonl(made / "train.jsonl")) == 20
    assert re.search(r"accuracy: [+-]\d\.\d\d \(.*of 10; p = ", told) and "Verdict: " in told
    scores = pd.read_csv(made / "scores.csv").set_index(["system", "metric"])
    assert scores.loc[["base", "tuned"], "n"].eq(10).all() and {"accuracy", "relevance", "coherence"} <= {
        *scores.index.levels[1]
    }
    assert scores["low"].le(scores["value"]).all() and scores["value"].le(scores["high"]).all()
    job = json.loads((made / "job.json").read_text())
    page = (made / "report.html").read_text()
    assert job["status"] == "succeeded" and job["fine_tuned_model"] in page and "letter by letter" in page
    assert "OPEN" in (made / "datasheet.md").read_text()
    command = shlex.split((made / "repeat.md").read_text().split("\n")[2])
    assert command[:4] == ["python", "-m", "helpers", "run"]
    assert main(command[3:]) == 0
    assert f"Using {job['fine_tuned_model']}, tuned before from the same data" in capsys.readouterr().out


def test_a_mailbox_and_a_workbook_go_all_the_way(local: LiveService, folder: Path) -> None:
    small = ["--n-epochs", "1", "--n-train", "12", "--n-test", "10"]
    for given in (["run", str(mails(folder / "mailbox", 41))], columns(workbook(folder / "book.xlsx"))):
        assert main([*given, *small]) == 0
        made = folder / "build" / "own" / Path(given[1]).stem
        assert set(pd.read_csv(made / "scores.csv").system) == {"base", "tuned"}
        assert json.loads((made / "job.json").read_text())["fine_tuned_model"] in (made / "report.html").read_text()


def test_answers_that_are_kinds_are_judged_letter_by_letter_and_spread(folder: Path) -> None:
    kinds = ["refund"] * 10 + ["repair"] * 30 + ["thanks"] * 60
    path = write(
        folder / "kinds.csv", table([{**row, "reply": kind} for row, kind in zip(rows(100), kinds, strict=True)])
    )
    prepared = prepare(read(path, "question", "reply"), None)
    assert [given.grader["name"] for given in graders(prepared)] == ["same_answer"]
    said = [row["messages"][-1]["content"] for row in read_jsonl(prepared.files["test"])]
    assert [said.count(kind) for kind in ("refund", "repair", "thanks")] == [2, 6, 12]


def test_questions_that_differ_by_a_number_alone_are_split_all_the_same_and_it_is_said(folder: Path) -> None:
    prepared = prepare(read(write(folder / "numbers.jsonl", lines(examples(60)))), None)
    assert len(read_jsonl(prepared.files["test"])) == 12
    assert "near_split" in set(prepared.findings.code)


def test_a_question_is_cut_so_that_its_answer_fits(local: LiveService) -> None:
    service = connect("local", quiet=True)
    limit, short = lengths(service, [{"role": "user", "content": "hello"}]) or (0, 0)
    assert limit == CONTEXT and 0 < short < 30
    fitting, long, hopeless = examples(3)
    long["messages"][1]["content"] = " ".join(["order"] * 3000)
    hopeless["messages"][2]["content"] = " ".join(["answer"] * 3000)
    made, cuts = fit(service, [fitting, long, hopeless], answer_tokens=40)
    assert [cut.place for cut in cuts] == [1, 2] and 0.1 < cuts[0].left < 1 and cuts[1].left == 0
    assert made[0] == fitting and made[2] == hopeless and made[1]["messages"][2] == long["messages"][2]
    assert long["messages"][1]["content"].startswith(made[1]["messages"][1]["content"])
    asked = (lengths(service, made[1]["messages"][:-1]) or (0, 0))[1]
    assert limit - 60 < asked + 40 <= limit


@pytest.mark.parametrize(
    ("sizes", "said"), [({"n_train": 5}, "n_train is 5, and no job.*10"), ({"n_test": 0}, "n_test is 0.*Ask for more")]
)
def test_too_little_to_train_or_test_on_is_refused_before_anything_is_made(
    folder: Path, sizes: dict[str, int], said: str
) -> None:
    given = read(write(folder / "own.csv", table(rows(40))), "question", "reply")
    with pytest.raises(Explained, match=said):
        prepare(given, None, **sizes)
    assert not (folder / "build" / "own" / "own").exists()


def hosted() -> Service:
    """OpenAI, at an address where nothing answers: whatever is sent fails."""
    return Service(
        "openai", openai.OpenAI(api_key="none", base_url="http://127.0.0.1:9/v1"), "gpt-4o-2024-08-06", False
    )


def private(folder: Path) -> Given:
    given = rows(40)
    given[7]["question"] += " I am at ann@example.org"
    return read(write(folder / "private.csv", table(given)), "question", "reply")


def test_personal_data_leave_this_machine_on_purpose_only(folder: Path) -> None:
    with pytest.raises(Explained, match=r"1 rows hold personal data .* not on this machine; nothing was sent.*--mask"):
        prepare(private(folder), hosted())
    assert "kept" in prepare(private(folder), hosted(), mask=False).findings.done.item()
    prepared = prepare(private(folder), hosted(), mask=True)
    assert prepared.findings.done.item() == "mended"
    assert "ann@example.org" not in "".join(path.read_text() for path in prepared.files.values())


def test_what_training_costs_is_told_before_it_starts(folder: Path) -> None:
    prepared = prepare(private(folder), hosted(), mask=True)
    once, thrice = (re.search(r"on gpt-4o-2024-08-06: \$(\d+\.\d\d)", cost(hosted(), prepared, n)) for n in (10, 30))
    assert once and thrice and 0 < float(once[1]) < float(thrice[1])
    assert {"gpt-4o-2024-08-06", "gpt-4.1-mini-2025-04-14"} <= {*pd.read_csv(prepared.folder / "cost.csv")["model"]}
    stranger = Service("http://elsewhere/v1", openai.OpenAI(api_key="x", base_url="http://elsewhere/v1"), "big", False)
    assert "not known here" in cost(stranger, prepared, 3)


def test_the_notebook_refuses_as_politely(folder: Path) -> None:
    notebook, out = COURSE / "notebooks" / "11_your_own_data.ipynb", folder / "out.ipynb"
    given = {
        "data": str(write(folder / "few.csv", table(rows(12)))),
        "prompt_column": "question",
        "answer_column": "reply",
    }
    with pytest.raises(papermill.PapermillExecutionError, match="30 are the least"):
        papermill.execute_notebook(notebook, out, given, kernel_name="python3", progress_bar=False)
    [error] = [
        o for c in json.loads(out.read_text())["cells"] for o in c.get("outputs", []) if o["output_type"] == "error"
    ]
    assert (
        error["ename"] == "Explained" and len(error["traceback"]) == 1 and "few.csv gives 12" in error["traceback"][0]
    )
