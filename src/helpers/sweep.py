"""Step 5: a small sweep: every combination of a few settings trained on the same data, its cost stated first.

    tries = plan(service, train, n_epochs=[2, 4], learning_rate_multiplier=[0.5, 1, 2])
    found = sweep(service, train, validation, tries)

Choose by validation, never by the test set; and the more you try, the luckier the best one looks. Shown in notebook 05.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from helpers.connection import Service
from helpers.tokens import OverBudget, count_example, price_table, training_cost
from helpers.watch import training_metrics
from helpers.workspace import read_jsonl, tuned_model

SETTINGS = ["n_epochs", "learning_rate_multiplier", "batch_size"]


def plan(
    service: Service,
    train: Path,
    *,
    n_epochs: Sequence[int],
    learning_rate_multiplier: Sequence[float] = (1.0,),
    batch_size: Sequence[int] = (8,),
) -> pd.DataFrame:
    """Return one row a combination: its settings, steps, tokens (o200k_base, all epochs) and dollars.

    Dollars are 0 on the local service, and NaN where the price is not known.
    """
    examples = [example["messages"] for example in read_jsonl(train)]
    tokens, known = sum(map(count_example, examples)), service.base_model in price_table()["models"]
    rows = []
    for epochs, multiplier, batch in itertools.product(n_epochs, learning_rate_multiplier, batch_size):
        dollars = training_cost(examples, service.base_model, epochs).dollars if known else None
        rows.append(
            {
                **dict(zip(SETTINGS, (epochs, multiplier, batch), strict=True)),
                "steps": math.ceil(len(examples) / batch) * epochs,
                "tokens": tokens * epochs,
                "dollars": 0.0 if service.is_local else math.nan if dollars is None else dollars,
            }
        )
    return pd.DataFrame(rows)


def sweep(
    service: Service, train: Path, validation: Path, tries: pd.DataFrame, *, ceiling: float = 0.0, seed: int = 1
) -> pd.DataFrame:
    """Train every row of a plan and return it with its model and validation loss, the lowest first.

    What all of it costs is printed first; where that is over `ceiling` dollars, or not known and the ceiling is not
    float("inf"), OverBudget is raised and nothing trained. What was trained before with the same data and settings is
    used again, so an interrupted sweep goes on. Columns: those of the plan, model, lowest_valid_loss and
    last_valid_loss (over the whole file, where the service reports them). A lowest that lies below the last says: fewer
    epochs.
    """
    dollars = float(tries["dollars"].sum(skipna=False))
    cost = "a price that is not known here" if math.isnan(dollars) else f"${dollars:,.2f}"
    said = f"{len(tries)} runs, {tries['steps'].sum():,} steps, {tries['tokens'].sum():,} tokens: {cost}"
    print(said)
    if not (dollars <= ceiling or ceiling == math.inf):
        raise OverBudget(
            f"{said}. That is over your ceiling of ${ceiling:,.2f}, so nothing was trained. Try fewer combinations, or "
            "say ceiling=… in dollars."
        )
    rows, started = [], time.monotonic()
    for done, row in enumerate(tries.to_dict("records"), start=1):
        settings = {"n_epochs": int(row["n_epochs"]), "batch_size": int(row["batch_size"])}
        multiplier = float(row["learning_rate_multiplier"])
        model = tuned_model(
            service, train, validation, suffix="sweep", seed=seed, learning_rate_multiplier=multiplier, **settings
        )
        rows.append({**row, "model": model, **_losses(service, model)})
        if done < len(tries):
            left = (time.monotonic() - started) / done * (len(tries) - done)
            minutes = math.ceil(left / 60)
            print(f"{done} of {len(tries)} runs done; the others take about {minutes} minute{'s' * (minutes > 1)}.")
    return pd.DataFrame(rows).sort_values("lowest_valid_loss", kind="stable", ignore_index=True)


def _losses(service: Service, model: str) -> dict[str, float]:
    """The lowest and the last validation loss of the job that made the model."""
    job = next(job for job in service.client.fine_tuning.jobs.list(limit=100) if job.fine_tuned_model == model)
    metrics = training_metrics(service.client, job.id)
    losses = metrics["full_valid_loss"].dropna() if "full_valid_loss" in metrics else pd.Series(dtype=float)
    lowest, last = (float(losses.min()), float(losses.iloc[-1])) if len(losses) else (math.nan, math.nan)
    return {"lowest_valid_loss": lowest, "last_valid_loss": last}
