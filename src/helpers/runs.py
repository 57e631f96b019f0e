"""Step 5: every run so far in one table and one picture, and when to stop making more.

The log is what there is already: the service's own jobs, and the evaluations in build/evaluations. Nothing else is
written down, so nothing can disagree. Shown in notebook 05.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import openai
import pandas as pd
from openai.types.fine_tuning import FineTuningJob

from helpers.compare import BETTER, Comparison, verdict
from helpers.evaluate import evaluations
from helpers.stats import detectable

COLUMNS = [
    "at",
    "system",
    "model",
    "value",
    "low",
    "high",
    "n",
    "failed",
    "job",
    "status",
    "method",
    "base",
    "training_file",
    "n_epochs",
    "batch_size",
    "learning_rate_multiplier",
    "seed",
    "trained_tokens",
    "seconds",
]
HYPERPARAMETERS = ("n_epochs", "batch_size", "learning_rate_multiplier")


def runs(client: openai.OpenAI, task: str, metric: str) -> pd.DataFrame:
    """Return one row a run, oldest first: each evaluation of the task with the job that made its model.

    A job whose model was not evaluated on the task has a row without a value; an evaluation of a model that no job of
    this service made (a base, a deleted job) has one without a job. `seconds` is from a job's creation to its end.
    """
    jobs = {job.id: job for job in client.fine_tuning.jobs.list(limit=100)}
    by_model = {job.fine_tuned_model: job.id for job in jobs.values() if job.fine_tuned_model}
    rows, seen = [], set()
    for made in evaluations(task):
        if metric not in made.metrics:
            continue
        job = by_model.get(made.model.split(":ckpt-step-")[0])
        seen.add(job)
        [figures] = made.rates([metric]).to_dict("records")
        about = {"at": made.at, "system": made.system, "model": made.model, **figures}
        rows.append({**(_about(client, jobs[job]) if job else {}), **about})
    rows += [_about(client, job) for name, job in jobs.items() if name not in seen]
    return pd.DataFrame(rows, columns=COLUMNS).sort_values("at", kind="stable", ignore_index=True)


def _about(client: openai.OpenAI, job: FineTuningJob) -> dict[str, Any]:
    """What a job says of itself."""
    try:
        name = client.files.retrieve(job.training_file).filename
    except openai.NotFoundError:
        name = f"{job.training_file} (deleted)"
    chosen = job.hyperparameters
    return {
        "at": pd.Timestamp(job.created_at, unit="s", tz="UTC").isoformat(),
        "system": "",
        "model": job.fine_tuned_model or "",
        "job": job.id,
        "status": job.status,
        "method": job.method.type if job.method else "supervised",
        "base": job.model,
        "training_file": name,
        **{key: getattr(chosen, key, None) for key in HYPERPARAMETERS},
        "seed": job.seed,
        "trained_tokens": job.trained_tokens,
        "seconds": job.finished_at - job.created_at if job.finished_at else None,
    }


def labelled(table: pd.DataFrame) -> pd.DataFrame:
    """Return the runs that have a value, with a label each, for plots.intervals."""
    known = table.dropna(subset=["value"])
    files = known["training_file"].fillna("").astype(str)
    epochs = known["n_epochs"].map(lambda epochs: f", {epochs} epochs" if pd.notna(epochs) else "")
    return known.assign(label=known["system"] + files.map(lambda name: f": {name}" if name else "") + epochs)


def when_to_stop(
    value: float, n: int, target: float, changes: Sequence[Comparison], *, low: float, gain: float = 0.05
) -> str:
    """Return what to do next, with its reason. It begins with Stop, Measure or Go on.

    `value` and `low` are the best run's score and the lower end of its interval, on `n` items; `changes` are the
    comparisons of each change with the run before, oldest first; `gain` is the smallest one worth having. The rules, in
    order: the target is reached beyond doubt; the set cannot show a gain worth having; the last two changes were no
    gain; else go on.
    """
    if low >= target:
        return f"Stop: the target of {target:.0%} is reached, even at the lower end of the interval ({low:.0%})."
    differ = (changes[-1].only_a + changes[-1].only_b) / changes[-1].n if changes else 2 * gain
    least = detectable(n, differ)
    if not least <= gain:
        shown = "no difference" if math.isnan(least) else f"a difference of {least * 100:.0f} points or more"
        return (
            f"Measure: {n} items show {shown}, and you look for {gain * 100:.0f}. Collect about "
            f"{items_needed(gain, differ):,} items before the next change."
        )
    if len(changes) >= 2 and all(verdict(change) != BETTER for change in changes[-2:]):
        return (
            f"Stop turning this knob: the last two changes were no gain that could be told. At {value:.0%} of "
            f"{target:.0%}, read the failures and mend or collect data instead, or settle for what there is."
        )
    return f"Go on: {value:.0%} of {target:.0%}. Change one thing, and compare on the same items."


def items_needed(gain: float, differ: float) -> int:
    """Return how many test items show a gain 4 times in 5 by McNemar's test, to the next 10; at most 20,000.

    `differ` is the share of items on which one of the two systems is right and the other wrong.
    """
    low, high = 0, 2_000  # in tens
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if detectable(10 * middle, differ) <= gain else (middle, high)
    return 10 * high
