"""A table or a mailbox of your own, as chat examples; what cannot become a model is refused, with the way out.

    given = read("replies.csv", "question", "reply")
    given.examples, given.places, given.findings

helpers.load reads the file and helpers.convert makes the examples; helpers.own_splits goes on from here. Shown in
notebook 11.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from helpers.alike import plain
from helpers.convert import convert
from helpers.errors import Explained
from helpers.load import PLACE, load
from helpers.own_mails import mail_conversations
from helpers.readers import read_csv
from helpers.split import question
from helpers.workspace import build, course_folder, sample, write_whole

SYSTEM = "You answer in the way that our own answers do."
FEWEST = 30  # examples that differ: 10 to train on, which a job needs, and enough beside them to see a large effect
FINDING = [*PLACE, "code", "severity", "why", "fix", "done"]
FORMS = ({"messages"}, {"conversations"}, {"prompt", "completion"}, {"instruction", "output"})
DEMO_ROWS = 170  # of the support desk's tickets: about 100,000 trained tokens
LEFT, KEPT = "left out", "kept: look at it"
WAY = "Name the columns: --prompt-column and --answer-column (in the notebook prompt_column and answer_column)."


class Given(NamedTuple):
    """Chat examples, the file and row of each, and a finding (FINDING) for every row that became none."""

    name: str
    examples: list[dict[str, Any]]
    places: pd.DataFrame
    findings: pd.DataFrame


def demo() -> tuple[Path, str, str]:
    """Return a small CSV to try with, and its two columns: the first tickets of the support sample's raw export."""
    [table] = read_csv(sample("support") / "raw" / "tickets.csv", "tickets.csv")
    rows = pd.DataFrame([values for _, _, values in table.rows[:DEMO_ROWS]])
    path = build("own", "first_tickets.csv")
    return write_whole(path, rows.to_csv(index=False)), "message", "agent_reply"


def read(data: Path | str, prompt_column: str = "", answer_column: str = "", system: str = SYSTEM) -> Given:
    """Return the chat examples that a file or folder makes.

    The columns are needed for tables whose form is not known. A folder of mails (.eml) needs none: who wrote first
    asks, the others answer. Every example gets the system message unless it has its own. A path that is not absolute is
    looked for from here and from the course's folder.

    Raises Explained for what cannot be read, for missing columns, for answers that are not texts, and where fewer than
    FEWEST examples differ, or all questions or all answers are the same.
    """
    path = located(data)
    with redirect_stdout(StringIO()):  # what load prints of unread rows stands in the findings
        rows, unread = load(path)
    if rows.empty:
        first = f" The first: {unread['why'].iloc[0]}" if len(unread) else ""
        raise Explained(
            f"{path} holds no rows that can be read.{first} The first line must hold the columns' names, and every "
            "line after it a question and its answer. Export it again as CSV, Excel or JSON Lines."
        )
    if not prompt_column and not answer_column and {"From", "Message-Id", "text"} <= set(rows.columns):
        rows, unanswered = mail_conversations(rows)
    else:
        rows, unanswered = _chosen(rows, path, prompt_column, answer_column)
    _refuse_other_than_text(rows, answer_column or "the answers", path)
    made = convert(rows, system or None)
    names = {"prompt": prompt_column or "prompt", "completion": answer_column or "completion"}
    made.left["why"] = made.left["why"].str.replace(r"\b(prompt|completion)\b", lambda m: repr(names[m[1]]), regex=True)
    listed = [_findings(unread, "unread", "Mend that row in the program it came from, and export it again.")]
    listed += [_findings(left, "left_out", "Fill it in, or delete the row.") for left in (unanswered, made.left)]
    refuse(made.examples, path.name, len(rows) + len(unanswered) + len(unread))
    return Given(path.stem, made.examples, made.places, pd.concat(listed, ignore_index=True))


def refuse(examples: list[dict[str, Any]], name: str, rows: int) -> None:
    """Raise Explained where no model can be made of these examples, which are what `rows` rows came to."""
    asked, said = [plain(question(example)) for example in examples], [plain(answer(example)) for example in examples]
    differ = len(set(zip(asked, said, strict=True)))
    if len(examples) < FEWEST:
        raise Explained(
            f"{name} gives {len(examples)} examples with a question and an answer, from {rows} rows; {FEWEST} are the "
            "least to train on some and to test on others. Collect more, each of its own kind: OpenAI's guide starts "
            "at 50."
        )
    if differ < FEWEST:
        raise Explained(
            f"{name} gives {len(examples)} examples, and only {differ} of them differ. Copies do not make a data set: "
            "export the rows themselves, not a join that repeats them, or collect more."
        )
    if 2 * said.count("") > len(said):
        raise Explained(
            f"{said.count('')} of {len(said)} examples of {name} end without a text: with a call of a tool, or with "
            "nothing. This run judges written answers. Give it the rows that end with one; for calls of tools train as "
            "notebook 03 does, and judge as notebook 04 does."
        )
    if len(set(said)) == 1:
        raise Explained(
            f"All {len(examples)} answers of {name} are the same, {answer(examples[0])[:60]!r}. A model that always "
            "says this needs no training. Add the rows with other answers: an export is often filtered by one state."
        )
    if len(set(asked)) == 1:
        raise Explained(
            f"All {len(examples)} questions of {name} are the same, so nothing tells which answer is right. Name the "
            "column that differs from row to row as the question."
        )


def answer(example: dict[str, Any]) -> str:
    """Return the text of an example's last message where it is the assistant's, else nothing."""
    last = example["messages"][-1]
    text = last.get("content") if last.get("role") == "assistant" else ""
    return text if isinstance(text, str) else ""


def located(data: Path | str) -> Path:
    """Return the whole path of a file or folder: from here or, where there is none, from the course's folder."""
    path = Path(data).expanduser()
    elsewhere = course_folder() / path
    return (elsewhere if not path.exists() and elsewhere.exists() else path).absolute()


def _chosen(
    rows: pd.DataFrame, path: Path, prompt_column: str, answer_column: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows with their two columns called prompt and completion, and the sheets or files that have neither."""
    columns = [str(name) for name in rows.columns if name not in PLACE]
    none_left = pd.DataFrame(columns=[*PLACE, "why"])
    known = any(form <= set(columns) for form in FORMS)
    if known and not prompt_column and not answer_column:
        return rows, none_left
    named = [name for name in (prompt_column, answer_column) if name]
    missing = [name for name in named if name not in columns]
    if missing or len(named) < 2:
        what = f"no column {_listed(missing)}" if missing else "no form that tells question from answer by itself"
        near = [match for name in missing for match in difflib.get_close_matches(name, columns, 1)]
        meant = f" Did you mean {_listed(near)}?" if near else ""
        one = " With one column it is perhaps no table." if len(columns) == 1 else ""
        way = "They are of a known form: name no columns." if known else f"{meant}{one} {WAY}".strip()
        raise Explained(f"{path} has {what}. Its columns are {_listed(columns)}. {way}")
    if prompt_column == answer_column:
        raise Explained(f"{prompt_column!r} cannot be both question and answer. {WAY} {path} has {_listed(columns)}.")
    chosen = rows[[prompt_column, answer_column, *PLACE]].set_axis(["prompt", "completion", *PLACE], axis=1)
    has = chosen[["prompt", "completion"]].notna().any(axis=1).groupby(chosen["file"]).transform("any")
    whys = [
        (file, None, f"It has neither {prompt_column!r} nor {answer_column!r}.") for file in chosen.file[~has].unique()
    ]
    return chosen[has], pd.DataFrame(whys, columns=none_left.columns)


def _refuse_other_than_text(rows: pd.DataFrame, column: str, path: Path) -> None:
    """Raise Explained where most answers hold no word."""
    key = next((name for name in ("completion", "output") if name in rows), None)
    values = [value for value in rows[key] if _holds(value)] if key else []
    wordless = [value for value in values if not (isinstance(value, str) and any(map(str.isalpha, value)))]
    if values and 2 * len(wordless) > len(values):
        shown = ", ".join(str(value)[:30] for value in wordless[:3])
        raise Explained(
            f"{len(wordless)} of {len(values)} answers in {path.name}, column {column!r}, are not texts: {shown} … A "
            "language model learns to write. Name the column that holds the written answer; where a number stands for "
            "a kind, write the kind in words ('satisfied' for 5); for sums and forecasts use regression, not a "
            "language model."
        )


def _holds(value: Any) -> bool:
    return bool(value.strip()) if isinstance(value, str) else not (pd.api.types.is_scalar(value) and pd.isna(value))


def _findings(table: pd.DataFrame, code: str, fix: str) -> pd.DataFrame:
    """Rows of file, row and why, as findings of rows that were left out."""
    return table[[*PLACE, "why"]].assign(code=code, severity="error", fix=fix, done=LEFT)[FINDING].astype(object)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
