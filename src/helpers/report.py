"""Step 5: one call that writes what was done and measured as a page to send round: HTML in one file, ready to print.

    write_report("report.html", title="Support desk", tuned=tuned, rivals=[base, prompt], metric="accuracy",
                 client=client, train=train, validation=validation)

Everything in it is computed from the files, the job and the evaluations; the words around the figures are in
data/report.html.j2. Shown in notebook 05.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openai
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib.figure import Figure
from openai.types.fine_tuning import FineTuningJob

from helpers.check import check_file
from helpers.compare import BETTER, UNKNOWN, WORSE, compare, rates_by, verdicts
from helpers.errors import Explained
from helpers.evaluate import Evaluation, gold, prompts
from helpers.plots import bars, describe_bars, describe_curves, loss_curves, png
from helpers.spending import spent
from helpers.split import leakage
from helpers.tokens import price_table, training_cost
from helpers.watch import training_metrics
from helpers.workspace import read_jsonl, write_whole

LEAKED = 0.02  # of the test questions in the training file: more, and the score says nothing about new ones
SHOWN = 3  # examples won, and as many lost
PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "data"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def write_report(
    path: Path | str,
    *,
    title: str,
    tuned: Evaluation,
    rivals: Sequence[Evaluation],
    metric: str,
    client: openai.OpenAI,
    train: Path | str,
    validation: Path | str | None = None,
    forgetting: tuple[Evaluation, Evaluation] | None = None,
    measures: Mapping[str, str] | None = None,
    limits: Sequence[str] = (),
) -> Path:
    """Write the report and return its path.

    `metric` decides: a share from 0 to 1, of which more is better. The other grades are told as well. `rivals` answered
    the same examples as `tuned`; examples won and lost are against the first. `forgetting` is the base and the tuned
    model on general skills, both graded with `metric` too. `measures` says in a sentence how a grade is computed and
    what it cannot see; `limits` adds what only you know. Raises Explained for files that cannot be read, for
    evaluations of other examples, for two systems of one name, and for a metric that is no share.
    """
    job = _job(client, tuned.model)
    systems = [*rivals, tuned]
    if metric in tuned.metrics and not _is_share(tuned.frame[metric]):
        raise Explained(f"'{metric}' cannot decide: that takes a grade from 0 to 1, of which more is better.")
    names = [made.system for made in systems]
    if len(set(names)) < len(names):
        raise Explained(f"Two evaluations have the same `system` ({', '.join(names)}): give each a name of its own.")
    figures = rates_by({made.system: made.frame for made in systems}, tuned.metrics)
    drawn = [name for name in tuned.metrics if name == metric or name in (measures or {})]
    shares = figures[figures["metric"].isin([name for name in drawn if _is_share(tuned.frame[name])])]
    compared = verdicts({made.system: compare(made.frame, tuned.frame, metric) for made in rivals})
    lost_skill = _forgetting(forgetting, metric)
    metrics = training_metrics(client, job.id) if job else pd.DataFrame()
    files = _files(train, validation, tuned)
    page = PAGES.get_template("report.html.j2").render(
        title=title,
        made_at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        metric=_words(metric),
        decision=_decision(compared, lost_skill, files[0]["same"]),
        best=figures.set_index(["system", "metric"]).loc[(tuned.system, metric)],
        tuned=tuned,
        compared=compared.to_dict("records"),
        lost_skill=lost_skill,
        about=_about(job, tuned),
        files=files,
        findings=_findings(train, validation),
        curves=_picture(loss_curves(metrics, "Loss at each step"), describe_curves(metrics)) if len(metrics) else None,
        scores=_picture(bars(shares, f"{len(tuned.frame)} held-out examples", ylabel="score"), describe_bars(shares)),
        systems=names,
        figures={_words(name): rows.to_dict("records") for name, rows in figures.groupby("metric", sort=False)},
        measures={_words(name): said for name, said in (measures or {}).items()},
        won=_examples(rivals[0], tuned, metric, won=True) if rivals else [],
        lost=_examples(rivals[0], tuned, metric, won=False) if rivals else [],
        rival=rivals[0].system if rivals else "",
        costs=_costs(client, job, train, systems),
        limits=[*limits, *_limits(tuned, compared, systems)],
    )
    return write_whole(Path(path), page.strip() + "\n")


def _job(client: openai.OpenAI, model: str) -> FineTuningJob | None:
    """The job that made the model, where this service still has it."""
    name = model.split(":ckpt-step-")[0]
    return next((job for job in client.fine_tuning.jobs.list(limit=100) if job.fine_tuned_model == name), None)


def _decision(compared: pd.DataFrame, lost_skill: dict[str, Any] | None, leaked: float) -> str:
    """The verdict over all rivals, in a sentence. `leaked` is the share of the test that was trained on."""
    names = {kind: ", ".join(compared.loc[compared["verdict"] == kind, "name"]) for kind in (BETTER, WORSE, UNKNOWN)}
    if leaked > LEAKED:
        return f"Do not ship on these figures: {leaked:.0%} of the test questions stand in the training file."
    if compared.empty:
        return "Nothing was compared, so nothing can be decided."
    if names[WORSE]:
        return f"Do not ship: the tuned model is worse than {names[WORSE]}."
    if names[UNKNOWN]:
        return f"Not enough data to tell it from {names[UNKNOWN]}: do not ship."
    if lost_skill and lost_skill["verdict"] == WORSE:
        return f"Better than {names[BETTER]}, but it has lost general skills: weigh the two before you ship."
    return f"Better than {names[BETTER]}, by more than chance explains."


def _about(job: FineTuningJob | None, tuned: Evaluation) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = [("Model", tuned.model), ("Service", tuned.service)]
    if job is None:
        return [*rows, ("Job", "not on this service any more")]
    chosen = job.hyperparameters
    created = datetime.fromtimestamp(job.created_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return [
        *rows,
        ("Base model", job.model),
        ("Method", job.method.type if job.method else "supervised"),
        ("Job", f"{job.id}, created {created}"),
        ("Epochs", chosen.n_epochs),
        ("Batch size", chosen.batch_size),
        ("Learning rate multiplier", chosen.learning_rate_multiplier),
        ("Seed", job.seed),
        ("Trained tokens", f"{job.trained_tokens:,}" if job.trained_tokens else "not reported"),
    ]


def _files(train: Path | str, validation: Path | str | None, tuned: Evaluation) -> list[dict[str, Any]]:
    """Use, name and number of examples of each file, and which share of the test questions stands in it."""
    rows = []
    for use, path in (("training", train), ("validation", validation)):
        if path is not None:
            examples = read_jsonl(path)
            share = leakage(examples, tuned.examples).set_index("measure")["share"]
            shared = {"same": share["same question"], "near": share["nearly the same"]}
            rows.append({"use": use, "name": Path(path).name, "n": len(examples), **shared})
    return rows


def _findings(train: Path | str, validation: Path | str | None) -> list[dict[str, Any]]:
    """What check says of the training file: a row a kind of finding."""
    frame = check_file(train, against=validation).frame()
    groups = frame.groupby(["severity", "code"], sort=True)
    return [
        {
            "severity": severity,
            "code": _words(code),
            "n": len(rows),
            "why": rows["why"].iloc[0],
            "fix": rows["fix"].iloc[0],
        }
        for (severity, code), rows in groups
    ]


def _forgetting(pair: tuple[Evaluation, Evaluation] | None, metric: str) -> dict[str, Any] | None:
    if pair is None:
        return None
    [row] = verdicts({pair[0].task: compare(pair[0].frame, pair[1].frame, metric)}).to_dict("records")
    before, after = (made.rates([metric]).iloc[0]["value"] for made in pair)
    return {**row, "before": before, "after": after}


def _examples(rival: Evaluation, tuned: Evaluation, metric: str, won: bool) -> list[dict[str, str]]:
    """The first examples on which only the tuned model is right, or only the rival; by a number: is higher."""
    pairs = zip(rival.frame[metric].fillna(0).astype(float), tuned.frame[metric].fillna(0).astype(float), strict=True)
    places = [place for place, (a, b) in enumerate(pairs) if (b > a if won else a > b)][:SHOWN]
    asked, right = prompts(tuned.examples), gold(tuned.examples)
    return [
        {
            "question": str(asked[place][-1]["content"]),
            "rival": _said(rival, place),
            "tuned": _said(tuned, place),
            "right": right[place],
        }
        for place in places
    ]


def _said(made: Evaluation, place: int) -> str:
    row = made.frame.iloc[place]
    return str(row["answer"] or f"(no answer: {row['error']})")


def _costs(
    client: openai.OpenAI, job: FineTuningJob | None, train: Path | str, systems: Sequence[Evaluation]
) -> list[tuple[str, str]]:
    """What training and each evaluation took."""
    rows = []
    if job is not None:
        took = f"{job.finished_at - job.created_at:,} seconds" if job.finished_at else "not finished"
        local = spent(client, job.model, []).dollars == 0 and job.model not in price_table()["models"]
        epochs = job.hyperparameters.n_epochs
        examples = [example["messages"] for example in read_jsonl(train)]
        cost = "what it charged is not known here"
        if job.model in price_table()["models"] and isinstance(epochs, int):
            cost = str(training_cost(examples, job.model, epochs))
        rows.append(("Training", f"{took}; " + ("on this machine: $0.00" if local else cost)))
    for made in systems:
        used = (int(made.frame[column].sum()) for column in ("prompt_tokens", "completion_tokens"))
        dollars = "price not known here" if made.dollars is None else f"${made.dollars:,.2f}"
        rows.append((f"Evaluating {made.system}", "{:,} tokens in, {:,} out; {}".format(*used, dollars)))
    return rows


def _limits(tuned: Evaluation, compared: pd.DataFrame, systems: Sequence[Evaluation]) -> list[str]:
    """What these figures do not show, as far as code can know it."""
    said = [
        f"The test has {len(tuned.frame)} examples of one kind, {tuned.task}. What other users would ask is not in "
        "these figures.",
        "One training run was measured. Another seed gives another model, and another score.",
        "A grade is a rule. What no rule looks at, such as tone or harm, is not judged unless it is listed above.",
    ]
    if compared["detectable"].notna().any():
        nearest = compared.loc[compared["difference"].abs().idxmin()]
        said.insert(
            1,
            f"Against {nearest['name']}, a true difference below about {nearest['detectable'] * 100:.0f} points would "
            "mostly not show on a test of this size.",
        )
    failed = {made.system: made.failed for made in systems if made.failed}
    if failed:
        listed = ", ".join(f"{system} {count}" for system, count in failed.items())
        said.append(f"Some requests failed ({listed}); in yes-or-no grades they count as no.")
    if len({made.settings.get("seed") for made in systems}) > 1:
        said.append("The systems were not asked with the same seed.")
    return said


def _picture(figure: Figure, alt: str) -> dict[str, str]:
    return {"png": base64.b64encode(png(figure)).decode(), "alt": alt}


def _is_share(values: pd.Series) -> bool:
    return bool(values.dropna().astype(float).between(0, 1).all())


def _words(name: str) -> str:
    return name.replace("_", " ")
