"""`python -m helpers run FILE`: from a table or a mailbox of your own to a tuned, evaluated model and a report.

Reads (own_data), checks and splits (own_splits), tunes, puts the base and the tuned model to the same held-out
questions, and writes all of it into build/own/<name>. Notebook 11 takes the same steps, one by one.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from helpers import spending
from helpers.asking import requests
from helpers.compare import compare, verdict
from helpers.connection import Service, connect
from helpers.evaluate import Evaluation, evaluate, prompts
from helpers.frontend import StatusLine
from helpers.grader_sets import ANSWER, REFERENCE, accuracy, coherence, relevance
from helpers.graders import Graders, GraderSet
from helpers.own_data import SYSTEM, demo, located, read
from helpers.own_splits import Prepared, prepare
from helpers.report import write_report
from helpers.tokens import base_of, cost_table, price_table, training_cost
from helpers.workspace import read_jsonl, tuned_model, write_whole

NOTEBOOK = "notebooks/11_your_own_data.ipynb"
# Nine epochs, because a file of one's own seldom holds as many examples as the course's do.
SETTINGS = {"n_epochs": 9, "batch_size": 4, "learning_rate_multiplier": 1.0, "seed": 1}
SAME = GraderSet(
    {"type": "string_check", "name": "same_answer", "operation": "eq", "input": ANSWER, "reference": REFERENCE},
    "yes where the answer is the right one letter by letter, because the answers of this file are a few kinds.",
    "that one wrong kind may do more harm than another.",
)


def cost(service: Service, prepared: Prepared, n_epochs: int) -> str:
    """Write cost.csv, what the same would cost at OpenAI, and return what training costs here."""
    examples = [row["messages"] for row in read_jsonl(prepared.files["train"])]
    table = cost_table(examples, requests=1000, epochs=n_epochs)
    write_whole(prepared.folder / "cost.csv", table.to_csv(index=False))
    if service.is_local:
        return "$0.00: training runs on this machine"
    if service.base_model in price_table()["models"]:
        return str(training_cost(examples, service.base_model, n_epochs))
    return "not known here: ask whoever runs the service"


def agree(service: Service, prepared: Prepared, n_epochs: int) -> Service:
    """Return the service with a ceiling that covers training and both evaluations, which its owner agreed to.

    Raises OverBudget where nobody did, see spending.agree; then nothing has been sent.
    """
    examples = [row["messages"] for row in read_jsonl(prepared.files["train"])]
    asked = prompts(read_jsonl(prepared.files["test"]))
    models = (service.base_model, f"ft:{base_of(service.base_model)}")  # a tuned model has a price of its own
    bodies = [requests(model, asked, prepared.answer_tokens, temperature=0, seed=1) for model in models]
    return spending.agree(service, examples, n_epochs, [spending.at_most(service.client, body) for body in bodies])


def tune(service: Service, prepared: Prepared, **settings: Any) -> str:
    """Return the model tuned with these settings, see workspace.tuned_model, and write its job into job.json.

    Raises OverBudget where nobody agreed to what it costs, and Explained where the job fails.
    """
    train, validation = prepared.files["train"], prepared.files["validation"]
    suffix = "".join(letter for letter in prepared.name if letter.isalnum() or letter in "-_")[:18] or "own"
    model = tuned_model(service, train, validation, suffix=suffix, **settings)
    job = next(job for job in service.client.fine_tuning.jobs.list(limit=100) if job.fine_tuned_model == model)
    write_whole(prepared.folder / "job.json", job.to_json() + "\n")
    return model


def graders(prepared: Prepared) -> list[GraderSet]:
    """Return the graders that fit the answers, the one that decides first."""
    return [SAME] if prepared.is_labels else [accuracy(), relevance(), coherence()]


def score(service: Service, prepared: Prepared, models: Mapping[str, str], seed: int) -> dict[str, Evaluation]:
    """Return the graded answers of each model, by system, to the held-out questions; write scores.csv."""
    sets, test = graders(prepared), read_jsonl(prepared.files["test"])
    grade = Graders(*sets)
    try:
        made = {
            system: evaluate(
                service.client,
                model,
                test,
                grade,
                task=prepared.name,
                system=system,
                max_tokens=prepared.answer_tokens,
                seed=seed,
                ceiling=service.ceiling or 0.0,
            )
            for system, model in models.items()
        }
    finally:
        grade.close()
    write_whole(prepared.folder / "scores.csv", scores(made).to_csv(index=False))
    return made


def scores(made: Mapping[str, Evaluation]) -> pd.DataFrame:
    """Return every grade of every system with its interval: system, metric, value, low, high, n, failed."""
    tables = [evaluation.rates().assign(system=system) for system, evaluation in made.items()]
    table = pd.concat(tables, ignore_index=True)
    return table[["system", *(name for name in table if name != "system")]]


def report(service: Service, prepared: Prepared, made: Mapping[str, Evaluation]) -> Path:
    """Write report.html for whoever decides, and return its path."""
    sets, warnings = graders(prepared), prepared.findings
    looked_at = int(warnings["done"].str.startswith("kept").sum())
    return write_report(
        prepared.folder / "report.html",
        title=prepared.name.replace("_", " "),
        tuned=made["tuned"],
        rivals=[made["base"]],
        metric=sets[0].grader["name"],
        client=service.client,
        train=prepared.files["train"],
        validation=prepared.files["validation"],
        measures={given.grader["name"]: f"{given.how} It cannot see: {given.blind}" for given in sets},
        limits=[f"{looked_at} findings in the data were left for a person to look at (findings.csv)."],
    )


def repeat(prepared: Prepared, parameters: Mapping[str, Any]) -> str:
    """Write repeat.md and return it: the commands that do all this again."""
    given = {
        name: value for name, value in parameters.items() if value is not None and (value != "" or name == "system")
    }
    data, options = str(given.pop("data")), []
    for name, value in given.items():
        option = name.replace("_", "-")
        options.append(f"--{'' if value else 'no-'}{option}" if isinstance(value, bool) else f"--{option}={value}")
    pairs = [("data", data), *given.items()]
    papermill = ["papermill", NOTEBOOK, str(prepared.folder / "out.ipynb")]
    commands = {
        "The same run, in a terminal": ["python", "-m", "helpers", "run", data, *options],
        "The same run, as a notebook to read": [*papermill, *(str(part) for pair in pairs for part in ("-p", *pair))],
        "The checks of the training file": [
            *("python", "-m", "helpers", "check", str(prepared.files["train"])),
            *("--against", str(prepared.files["test"])),
        ],
    }
    blocks = [f"{what}, from the course's folder:\n\n    {shlex.join(words)}" for what, words in commands.items()]
    return write_whole(prepared.folder / "repeat.md", "\n\n".join(blocks) + "\n").read_text(encoding="utf-8")


def run(parameters: Mapping[str, Any], *, only_prepare: bool = False) -> Path:
    """Take every step with the notebook's parameters, telling the progress, and return the folder of the results.

    Raises Explained where the data, the service or the ceiling stand in the way.
    """
    given, line = dict(parameters), StatusLine(only_end=True)
    if not given["data"]:
        given["data"], given["prompt_column"], given["answer_column"] = demo()
    given["data"] = str(located(given["data"]))
    line.show("Reading the data …")
    data = read(given["data"], given["prompt_column"], given["answer_column"], given["system"])
    line.end(f"Read {len(data.examples):,} examples; {len(data.findings):,} findings on the way.")
    service = connect(given["service"] or None, ceiling=given["ceiling"])
    line.show("Checking, mending and splitting …")
    options = {name: given[name] for name in ("name", "n_train", "n_test", "seed", "mask")}
    prepared = prepare(data, service, **options)
    line.end(str(prepared))
    print(f"Cost: {cost(service, prepared, given['n_epochs'])}")
    repeat(prepared, given)
    if only_prepare:
        return prepared.folder
    service = agree(service, prepared, given["n_epochs"])
    model = tune(service, prepared, **{name: given[name] for name in SETTINGS})
    models = {"base": service.base_model, "tuned": model}
    made = score(service, prepared, models, given["seed"])
    decides = graders(prepared)[0].grader["name"]
    change = compare(made["base"].frame, made["tuned"].frame, decides)
    print(f"Tuned against base, {change}\nVerdict: {verdict(change)}.")
    print(f"Report: {report(service, prepared, made)}")
    return prepared.folder


def main(argv: Sequence[str] | None = None) -> int:
    """python -m helpers run FILE: see run; return 0. Raises Explained."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers run", description="From your own data to a tuned, evaluated model and a report."
    )
    parser.add_argument(
        "data",
        metavar="FILE",
        nargs="?",
        default="",
        help="CSV, Excel, JSON (Lines), Word, or a folder of mails; none: a sample",
    )
    parser.add_argument("--prompt-column", metavar="NAME", default="", help="the column that holds what is asked")
    parser.add_argument("--answer-column", metavar="NAME", default="", help="the column that holds the right answer")
    parser.add_argument(
        "--system", metavar="TEXT", default=SYSTEM, help="the system message of every example (%(default)r)"
    )
    parser.add_argument("--service", metavar="NAME", default="", help="local (usual), openai, azure, or an address")
    parser.add_argument("--name", metavar="NAME", default="", help="of the folder in build/own; else the file's")
    parser.add_argument(
        "--n-epochs",
        type=int,
        metavar="N",
        help="times through the file (%(default)s; a large hosted model does with 2 or 3)",
    )
    parser.add_argument("--batch-size", type=int, metavar="N", help="examples a step (%(default)s)")
    parser.add_argument("--learning-rate-multiplier", type=float, metavar="X", help="of the base's rate (%(default)s)")
    parser.add_argument("--n-train", type=int, metavar="N", help="train on so many at most, to try quickly")
    parser.add_argument("--n-test", type=int, default=60, metavar="N", help="test on so many at most (%(default)s)")
    parser.add_argument("--seed", type=int, metavar="N", help="of split, training and answers (%(default)s)")
    parser.add_argument("--ceiling", type=float, metavar="DOLLARS", help="what training and evaluation may cost")
    parser.add_argument(
        "--mask",
        action=argparse.BooleanOptionalAction,
        help="put placeholders for personal data, or send them as they are",
    )
    parser.add_argument("--only-prepare", action="store_true", help="check, mend, split and price; train nothing")
    parser.set_defaults(**SETTINGS)
    given = vars(parser.parse_args(argv))
    folder = run(given, only_prepare=given.pop("only_prepare"))
    print(f"Everything is in {folder}; repeat.md has the commands to do it again.")
    return 0
