"""`python -m helpers study`: the notebooks again with other seeds and other sizes of data, and their figures then.

One run is one draw: another seed gives other figures. Each seed runs the chosen notebooks whole, with its own results,
and the tables hold mean and range over the seeds, and of each trap how often it did what its notebook says. Notebooks
that say on how many examples they train (n_train) run with fewer and with all of them too: their learning curves.
Fewer examples are gone over more often, so that the training takes as many steps. The page is written after every run,
so a study that is stopped leaves what it has measured.
`--traps` runs the cells tagged `trap` alone, which is far quicker. Written to studies/DATE.md or DATE-traps.md; nothing
in a course's build folder changes but build/study.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import papermill

from . import course, results
from .errors import Explained
from .workspace import build, course_folder, write_whole

# What each trap does, as the notebooks record it: task, metric, the system that comes out lower, and the one higher.
TRAPS = {
    "few examples, many epochs: worse than before": ("trap_overfitting", "token_probability", "last", "lowest"),
    "few clean beat many noisy": ("trap_noisy", "rules_kept", "noisy", "clean"),
    "more data help": ("trap_little_data", "rules_kept", "25", "100"),
    "leaked test items flatter": ("trap_contamination", "rules_kept", "clean", "leaked"),
    "another system prompt harms": ("trap_system_prompt", "rules_kept", "other", "same"),
    "fine-tuning forgets": ("trap_forgetting", "right", "tuned", "base"),
    "mixing keeps more": ("trap_forgetting", "right", "tuned", "mixed"),
}
LUCK = "trap_lucky_seed"  # its systems are seeds


# How much of the course's training data the learning curves stand on. A notebook takes no more than there is.
SIZES = {"a quarter": 0.25, "half": 0.5, "as in the course": 1.0, "all there is": 1000.0}
EQUAL = "Less is gone over more often, for as many steps; all there is, in as many epochs as in the course."


def run_study(names: list[str] | None, seeds: Sequence[int], curves: bool = True, traps_only: bool = False) -> int:
    """Run the notebooks once a seed, and once a size; write the tables and print where. Return 0, or 1 if one failed.

    Without `curves` only the seeds are run, with `traps_only` the cells that traps need, a seed each. Raises Explained
    where none of the notebooks has a seed.
    """
    paths = course.notebooks(names)
    if traps_only:
        paths, curves = [cut for path in paths if (cut := trap_cells(path))], False
    parameters = {path: papermill.inspect_notebook(path) for path in paths}
    chosen = [path for path, known in parameters.items() if "seed" in known]
    if not chosen:
        raise Explained("None of these notebooks has a parameter called seed, so another seed would change nothing.")
    runs = {f"seed {seed}": {path: {"seed": seed} for path in chosen} for seed in seeds}
    sized = {path: known for path, known in parameters.items() if path in chosen and "n_train" in known}
    if curves and sized:
        for name, share in SIZES.items():
            if share != 1:
                runs[name] = {path: _of_size(known, share) | {"seed": seeds[0]} for path, known in sized.items()}

    about, errors = _about(chosen, seeds), []
    page = course_folder() / "studies" / f"{date.today()}{'-traps' if traps_only else ''}.md"
    page.parent.mkdir(exist_ok=True)
    for done, (name, given) in enumerate(runs.items(), start=1):
        errors += _run(name, given)
        so_far = f" So far: {done} of {len(runs)} runs." if done < len(runs) else ""
        if told := _page([*runs][:done], about + so_far, errors):
            print(write_whole(page, told))
    print(*errors, sep="\n")
    return 1 if errors else 0


def _of_size(known: Mapping[str, Any], share: float) -> dict[str, int]:
    """The parameters for a share of the training data: less of it is gone over more often, so that steps are alike."""
    changed = {"n_train": round(int(known["n_train"]["default"]) * share)}
    if "n_epochs" in known and share < 1:
        changed["n_epochs"] = round(int(known["n_epochs"]["default"]) / share)
    return changed


def trap_cells(path: Path) -> Path | None:
    """Write a notebook's parameters and the cells tagged `trap` as a notebook in build/study; None where none is."""
    notebook = nbformat.read(path, as_version=4)
    tags = [cell.metadata.get("tags", []) for cell in notebook.cells]
    notebook.cells = [c for c, tagged in zip(notebook.cells, tags, strict=True) if {"parameters", "trap"} & {*tagged}]
    if not any("trap" in tagged for tagged in tags):
        return None
    cut = build("study", "traps", path.name)
    nbformat.write(notebook, cut)
    return cut


def _run(name: str, chosen: Mapping[Path, dict[str, int]]) -> list[str]:
    """Run the notebooks with their parameters and results of their own. Return the messages of those that failed."""
    _results(name).unlink(missing_ok=True)
    folder = _results(name).parent
    print(f"{name}:")
    with course.settings(FINETUNE_BUILD=str(folder)):
        runs = [course.run_notebook(path, folder / path.name, given) for path, given in chosen.items()]
    return [f"{name}: {run.error}" for run in runs if run.error]


def _results(name: str) -> Path:
    return build("study", name.replace(" ", "-"), "results.json")


def _figures(names: Sequence[str]) -> pd.DataFrame:
    """All figures that the runs of these names have recorded."""
    frames = [pd.read_json(path) for path in map(_results, names) if path.is_file()]
    return pd.concat(frames) if frames else pd.DataFrame(columns=list(results.COLUMNS))


def spread(frame: pd.DataFrame) -> pd.DataFrame:
    """Return mean and range over the seeds: a row for each notebook, task, metric and system."""
    figure = ["notebook", "task", "metric", "system"]
    grouped = frame.groupby(figure, sort=False)["value"]
    summed = grouped.agg(["mean", "min", "max", "count"]).reset_index()
    summed["value"] = [f"{r['mean']:.2f} ({r['min']:.2f}-{r['max']:.2f}) x{r['count']}" for _, r in summed.iterrows()]
    return summed[[*figure, "value"]]


def traps(frame: pd.DataFrame) -> pd.DataFrame:
    """Return for each trap that was measured on how many seeds it did what its notebook says, and by how much.

    The lucky seed happens or not over all of them: its row has the points between the luckiest and the unluckiest.
    """
    rows = []
    for name, (task, metric, lower, higher) in TRAPS.items():
        part = frame[(frame["task"] == task) & (frame["metric"] == metric)]
        wide = part.pivot_table(index="seed", columns="system", values="value", aggfunc="last")
        if lower not in wide or higher not in wide:
            continue
        by = (wide[higher] - wide[lower]).dropna()
        rows.append({"trap": name, "seeds": len(by), "happened": int((by > 0).sum()), "points": by.mean() * 100})
    luck = frame[frame["task"] == LUCK].drop_duplicates("system")["value"]
    if len(luck):
        points = (luck.max() - luck.min()) * 100
        rows.append({"trap": "seeds alone differ", "seeds": len(luck), "happened": "", "points": points})
    return pd.DataFrame(rows, columns=["trap", "seeds", "happened", "points"]).round(1)


def learning_curves(by_size: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the tuned model's figures, one column a size, for the notebooks that were run with several sizes."""
    parts = [frame.assign(size=size) for size, frame in by_size.items()]
    frame = pd.concat(parts)
    frame = frame[frame["system"] == "tuned"]
    wide = frame.pivot_table(index=["notebook", "task", "metric"], columns="size", values="value", aggfunc="last")
    wide = wide.reindex(columns=list(SIZES)).dropna(thresh=2)
    return wide.map(lambda value: "" if pd.isna(value) else f"{value:.2f}").reset_index()


def _page(names: Sequence[str], about: str, errors: Sequence[str]) -> str:
    """The page in Markdown about the runs of these names; "" where none has left a figure of a seed."""
    of_seeds = _figures([name for name in names if name not in SIZES])
    by_size = {name: _figures([name]) for name in names if name in SIZES}
    if of_seeds.empty:
        return ""
    told = [f"# Study of {date.today()}", about, results.markdown(spread(of_seeds))]
    told += ["## Traps", "On how many seeds each happened, and the mean difference in points."]
    told.append(results.markdown(traps(of_seeds)))
    if by_size:
        first = of_seeds["seed"].iloc[0]
        usual = of_seeds[of_seeds["seed"] == first]
        told += [
            "## Learning curves",
            f"The tuned model's figures by how much it was trained on; seed {first}. {EQUAL}",
        ]
        told.append(results.markdown(learning_curves({**by_size, "as in the course": usual})))
    return "\n\n".join([*told, *(["## Failed", *errors] if errors else [])]) + "\n"


def _about(chosen: Sequence[Path], seeds: Sequence[int]) -> str:
    return (
        f"Notebooks {', '.join(path.stem for path in chosen)}; seeds {', '.join(map(str, seeds))}; {os.cpu_count()} "
        f"cores, {platform.machine()}, {platform.system()}. A value: mean over the seeds (lowest-highest) x how many."
    )
