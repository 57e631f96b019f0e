"""`python -m helpers study`: the notebooks again with other seeds, and what their figures are then.

One run is one draw: another seed gives other figures. Each seed runs the chosen notebooks whole, with its own results,
and the tables hold mean and range over the seeds, and of each trap how often it did what its notebook says. Written to
studies/DATE.md; nothing in a course's build folder changes but build/study.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pandas as pd
import papermill

from . import course, results
from .errors import Explained
from .workspace import build, course_folder, write_whole

# What each trap does, as the notebooks record it: task, metric, the system that comes out lower, and the one higher.
TRAPS = {
    "few clean beat many noisy": ("trap_noisy", "rules_kept", "noisy", "clean"),
    "more data help": ("trap_little_data", "rules_kept", "25", "100"),
    "leaked test items flatter": ("trap_contamination", "rules_kept", "clean", "leaked"),
    "another system prompt harms": ("trap_system_prompt", "rules_kept", "other", "same"),
    "fine-tuning forgets": ("trap_forgetting", "right", "tuned", "base"),
    "mixing keeps more": ("trap_forgetting", "right", "tuned", "mixed"),
}


def run_study(names: list[str] | None, seeds: Sequence[int]) -> int:
    """Run the notebooks once a seed, write the tables and print where. Return 0, or 1 where a notebook failed.

    Raises Explained where none of the notebooks has a seed.
    """
    chosen = [path for path in course.notebooks(names) if "seed" in papermill.inspect_notebook(path)]
    if not chosen:
        raise Explained("None of these notebooks has a parameter called seed, so another seed would change nothing.")
    errors = [error for seed in seeds for error in _run(chosen, seed)]
    frames = [pd.read_json(path) for path in (_results(seed) for seed in seeds) if path.is_file()]
    if frames:
        page = course_folder() / "studies" / f"{date.today()}.md"
        page.parent.mkdir(exist_ok=True)
        print(write_whole(page, _page(pd.concat(frames), [path.stem for path in chosen], seeds, errors)))
    print(*errors, sep="\n")
    return 1 if errors else 0


def _results(seed: int) -> Path:
    return build("study", f"seed-{seed}", "results.json")


def _run(chosen: list[Path], seed: int) -> list[str]:
    """Run the notebooks with a seed in a build folder of its own. Return the messages of those that failed."""
    folder = _results(seed).parent
    print(f"Seed {seed}:")
    with course.settings(FINETUNE_BUILD=str(folder)):
        runs = [course.run_notebook(path, folder / path.name, {"seed": seed}) for path in chosen]
    return [f"Seed {seed}: {run.error}" for run in runs if run.error]


def spread(frame: pd.DataFrame) -> pd.DataFrame:
    """Return mean and range over the seeds: a row for each notebook, task, metric and system."""
    figure = ["notebook", "task", "metric", "system"]
    grouped = frame.groupby(figure, sort=False)["value"]
    summed = grouped.agg(["mean", "min", "max", "count"]).reset_index()
    summed["value"] = [f"{r['mean']:.2f} ({r['min']:.2f}-{r['max']:.2f}) x{r['count']}" for _, r in summed.iterrows()]
    return summed[[*figure, "value"]]


def traps(frame: pd.DataFrame) -> pd.DataFrame:
    """Return for each trap that was measured on how many seeds it did what its notebook says, and by how much."""
    rows = []
    for name, (task, metric, lower, higher) in TRAPS.items():
        part = frame[(frame["task"] == task) & (frame["metric"] == metric)]
        wide = part.pivot_table(index="seed", columns="system", values="value", aggfunc="last")
        if lower not in wide or higher not in wide:
            continue
        by = (wide[higher] - wide[lower]).dropna()
        rows.append({"trap": name, "seeds": len(by), "happened": int((by > 0).sum()), "points": by.mean() * 100})
    return pd.DataFrame(rows, columns=["trap", "seeds", "happened", "points"])


def _page(frame: pd.DataFrame, names: list[str], seeds: Sequence[int], errors: list[str]) -> str:
    """The page in Markdown."""
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}"
    told = [
        f"# Study of {date.today()}",
        f"Notebooks {', '.join(names)}; seeds {', '.join(map(str, seeds))}; {machine}.",
        "A value: mean over the seeds (lowest-highest) x how many seeds.",
        results.markdown(spread(frame)),
        "## Traps",
        "On how many seeds each happened, and the mean difference in points.",
        results.markdown(traps(frame).round(1)),
        *(["## Failed", *errors] if errors else []),
    ]
    return "\n\n".join(told) + "\n"
