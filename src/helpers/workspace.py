"""Where the course keeps things: samples, what notebooks build from them, and models that are already tuned.

Each notebook can be opened first: what an earlier one would have made is found if it is there and made if it is not.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import openai

from .connection import Service
from .errors import Explained, cannot_write
from .service_errors import in_words
from .spending import agree_to_train
from .watch import watch
from .whole_file import whole_file

SPLITS = ("train", "validation", "test", "test_new_phrasings")


def course_folder() -> Path:
    """Return the course's folder: the nearest one, upwards from here, that holds data/samples.

    Looks upwards from the working folder, then from this file. Raises Explained where neither leads to it.
    """
    for start in (Path.cwd(), Path(__file__).resolve()):
        for folder in (start, *start.parents):
            if (folder / "data" / "samples").is_dir():
                return folder
    raise Explained(
        f"The course's folder was not found: no folder above {Path.cwd()} holds data/samples. Open the notebook from "
        "inside the course's folder, or start Jupyter there with `make lab`."
    )


def build(*parts: str) -> Path:
    """Return the path build/<parts> in the course's folder, where notebooks write; its parent folders are made.

    FINETUNE_BUILD names another folder: with it tests leave a learner's own files alone.
    """
    named = os.environ.get("FINETUNE_BUILD", "").strip()
    path = (Path(named).absolute() if named else course_folder() / "build").joinpath(*parts)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path.parent, error) from error
    return path


def sample(name: str) -> Path:
    """Return the folder of a sample data set, for example sample("support"). Raises Explained with the names known."""
    samples = course_folder() / "data" / "samples"
    if not (samples / name).is_dir():
        known = ", ".join(sorted(p.name for p in samples.iterdir() if p.is_dir()))
        raise Explained(f"There is no sample called '{name}' in {samples}. There is: {known}.")
    return samples / name


def read_jsonl(path: Path | str) -> list[dict[str, Any]]:
    """Return the objects in a JSON Lines file, one a line; empty lines are passed over.

    Raises Explained, with the line's number, for a line that is not a JSON object, and for a file that is not there or
    is not UTF-8 text.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Explained(f"{path} could not be read ({error.strerror or error}). Check its name and folder.") from error
    except UnicodeDecodeError as error:
        raise Explained(f"{path} is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error
    return [_parse(line, path, number) for number, line in enumerate(text.split("\n"), 1) if line.strip()]


def _parse(line: str, path: Path, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        row, reason = None, str(error)
    else:
        reason = f"it holds a {type(row).__name__}"
    if isinstance(row, dict):
        return row
    begin = line.strip()[:60]
    raise Explained(
        f"{path}, line {number}, is not a JSON object ({reason}): {begin} … JSON Lines has one whole object on every "
        'line, for example {"messages": [...]}, and no commas or brackets around the lines.'
    )


def write_jsonl(path: Path | str, rows: Iterable[dict[str, Any]]) -> Path:
    """Write one JSON object a line and return the path. The file is there whole or not at all.

    Raises Explained where it cannot be written, for example on a full disk.
    """
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return write_whole(Path(path), "".join(lines))


def write_whole(path: Path, text: str) -> Path:
    """Write a text file whole or not at all, see helpers.whole_file, and return its path. Raises Explained."""
    with whole_file(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))  # half a character is written \ud83d, as JSON has it
    return path


def support_splits() -> dict[str, Path]:
    """Return the support case's files by split: those that notebook 02 wrote, else the curated ones of the sample.

    Prints which. The keys are train, validation, test and test_new_phrasings.
    """
    own = {name: build("support", f"{name}.jsonl") for name in SPLITS}
    if all(path.is_file() for path in own.values()):
        print("Using the splits that notebook 02 wrote, in build/support of the course.")
        return own
    print("Using the curated splits in data/samples/support; notebook 02 would make its own from the raw exports.")
    return {name: sample("support") / f"{name}.jsonl" for name in SPLITS}


@in_words("No model was tuned.")
def tuned_model(
    service: Service,
    train: Path,
    validation: Path | None = None,
    *,
    suffix: str,
    n_epochs: int,
    seed: int = 1,
    learning_rate_multiplier: float | str = "auto",
    batch_size: int | str = "auto",
) -> str:
    """Return the name of a model tuned from the service's base on these files with these settings.

    A model that this service made from the same bytes and settings is used again, and a job that is still at it is
    waited for; otherwise the files are uploaded and a job is created and watched. Prints which. Raises Explained when
    the service refuses or the job fails, and OverBudget for a job that costs more than somebody agreed to, see
    spending.agree_to_train.
    """
    client = service.client
    settings: dict[str, Any] = {
        "n_epochs": n_epochs,
        "batch_size": batch_size,
        "learning_rate_multiplier": learning_rate_multiplier,
    }
    made_from = fingerprint(service, train, validation, seed=seed, **settings)
    for job in client.fine_tuning.jobs.list(metadata=made_from):
        if job.status == "succeeded" and job.fine_tuned_model and _exists(client, job.fine_tuned_model):
            print(f"Using {job.fine_tuned_model}, tuned before from the same data and settings (job {job.id}).")
            return job.fine_tuned_model
        if job.status in ("validating_files", "queued", "running"):
            print(f"Job {job.id} is already training on the same data and settings: waiting for it.")
            return _finished_model(client, job.id)
    print(f"No model is tuned on {train.name} with these settings yet: training one now.")
    agree_to_train(service, _conversations(train), n_epochs)
    files = [client.files.create(file=path, purpose="fine-tune").id for path in (train, validation) if path]
    method: Any = {"type": "supervised", "supervised": {"hyperparameters": settings}}
    job = client.fine_tuning.jobs.create(
        model=service.base_model,
        training_file=files[0],
        validation_file=files[1] if validation else None,
        suffix=suffix,
        seed=seed,
        metadata=made_from,
        method=method,
    )
    return _finished_model(client, job.id)


def fingerprint(
    service: Service,
    train: Path,
    validation: Path | None = None,
    *,
    seed: int,
    n_epochs: int | str = "auto",
    batch_size: int | str = "auto",
    learning_rate_multiplier: float | str = "auto",
) -> dict[str, str]:
    """Return what a job is made from, to be kept as its metadata, so that `tuned_model` finds its model again."""
    return {
        "train_sha256": _sha256(train),
        "validation_sha256": _sha256(validation) if validation else "none",
        # the date tells a base from another one of the same name
        "base": f"{service.base_model} {service.client.models.retrieve(service.base_model).created}",
        "seed": str(seed),
        "n_epochs": str(n_epochs),
        "batch_size": str(batch_size),
        "learning_rate_multiplier": str(learning_rate_multiplier),
    }


def _conversations(path: Path) -> Iterator[list[dict[str, Any]]]:
    for row in read_jsonl(path):
        yield row.get("messages") or []


def _finished_model(client: openai.OpenAI, job_id: str) -> str:
    job = watch(client, job_id)
    if job.fine_tuned_model is None:
        raise Explained(f"Job {job_id} was {job.status}, so there is no model. Run this cell again to start a new one.")
    return job.fine_tuned_model


def _exists(client: openai.OpenAI, model: str) -> bool:
    try:
        client.models.retrieve(model)
    except openai.NotFoundError:
        return False
    return True


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise Explained(f"{path} could not be read ({error.strerror or error}). Check its name and folder.") from error
