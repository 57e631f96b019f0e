"""Every notebook that takes parameters runs with others than its own.

On a base of the course's name with random weights: it trains and answers in no time and says nothing of sense, so this
shows that notebooks hold no figure of the usual run. `make test` runs them with their own parameters on the real base.
The longer ones take minutes here: FINETUNE_LONG_TESTS=1 (as `make soak` sets) runs them too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import papermill
import pytest
from live_service import LiveService, live_service
from tiny_base import build_base

from helpers.connection import LOCAL_MODEL

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("[0-9][0-9]_*.ipynb"))
OTHERS: dict[str, dict[str, Any]] = {
    "00": {"n_examples": 30, "n_epochs": 1, "batch_size": 4},
    "01": {"good_score": 3, "few": 30, "n_clean": 12, "noisy_epochs": 1, "n_asked": 3, "seed": 2},
    "02": {"sizes": {"train": 200, "validation": 30, "test": 40}, "model_for_cost": "gpt-4o-mini-2024-07-18"},
    "03": {"n_epochs": 1, "batch_size": 16, "overfit_examples": 20, "overfit_epochs": 3, "seed": 2},
    "04": {
        "n_epochs": 1,
        "batch_size": 16,
        "learning_rate_multiplier": 0.5,
        "n_test": 6,
        "n_rivals": 3,
        "n_traps": 5,
        "sizes": [10, 14, 18, 24],
        "small_epochs": 1,
        "n_swapped": 3,
        "seed": 2,
    },
    "05": {
        "n_epochs": 1,
        "batch_size": 16,
        "learning_rate_multiplier": 0.5,
        "n_test": 6,
        "n_old": 12,
        "n_retold": 2,
        "more_epochs": 1,
        "n_small": 12,
        "small_epochs": 1,
        "n_lucky": 10,
        "sweep_epochs": [1],
        "seeds": [2, 3],
        "seed": 2,
    },
    "06": {
        "n_train": 24,
        "n_epochs": 1,
        "batch_size": 16,
        "n_more": 18,
        "more_epochs": 1,
        "n_tune": 2,
        "n_read": 4,
        "n_decide": 4,
        "n_test": 4,
        "n_test_new": 3,
        "n_rivals": 2,
        "n_sizes": 3,
        "n_sized": 16,
        "sized_epochs": 1,
        "n_swapped": 2,
        "seed": 2,
    },
    "07": {
        "n_train": 24,
        "n_epochs": 1,
        "batch_size": 16,
        "n_more": 12,
        "more_epochs": 1,
        "n_tune": 2,
        "n_read": 4,
        "n_decide": 4,
        "n_test": 4,
        "n_test_new": 3,
        "n_rivals": 3,
        "n_sizes": 3,
        "n_sized": 16,
        "sized_epochs": 1,
        "n_swapped": 2,
        "visits_a_year": 1000,
        "seed": 2,
    },
    "08": {
        "n_train": 16,
        "n_epochs": 1,
        "n_trials": 2,
        "n_rivals": 3,
        "n_test": 4,
        "n_sizes": 2,
        "n_sized": 16,
        "sized_epochs": 1,
        "n_swapped": 1,
        "seed": 2,
    },
    "09": {
        "n_epochs": 1,
        "document_epochs": 1,
        "batch_size": 16,
        "n_validation": 1,
        "n_test": 4,
        "model_for_cost": "gpt-4o-mini-2024-07-18",
        "seed": 2,
    },
    "10": {
        "n_epochs": 2,
        "batch_size": 16,
        "n_users": 6,
        "share": 0.3,
        "n_day": 4,
        "n_graded": 2,
        "n_load": 3,
        "seed": 2,
    },
    "11": {"n_train": 20, "n_test": 10, "n_epochs": 1, "batch_size": 4, "seed": 2},
    "12": {
        "n_epochs": 1,
        "small_epochs": 1,
        "batch_size": 16,
        "n_pool": 16,
        "n_pairs": 12,
        "dpo_epochs": 1,
        "beta": 0.2,
        "n_test": 4,
        "n_small": 3,
        "n_true": 10,
        "n_taught": 3,
        "n_quantised": 2,
        "n_pretrained": 12,
        "seed": 2,
    },
}


LONG = {"06", "07", "08", "09", "10", "12"}


def parameters(path: Path) -> str | None:
    """The source of the cell tagged `parameters`, where there is one."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    tagged = ["".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    return tagged[0] if tagged else None


TAKING = [path for path in NOTEBOOKS if parameters(path) is not None]


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveService]:
    """A service whose base has the course's name, and context enough for a tokenizer with very short pieces."""
    bases = tmp_path_factory.mktemp("stand_in")
    build_base(bases / LOCAL_MODEL, context=8192)
    with live_service(tmp_path_factory.mktemp("papermill"), bases) as running:
        yield running


def test_every_notebook_that_takes_parameters_is_run_with_others() -> None:
    assert {path.name[:2] for path in TAKING} == set(OTHERS)


@pytest.mark.parametrize("path", TAKING, ids=lambda path: path.stem)
def test_a_notebook_runs_with_other_parameters(
    path: Path, stand_in: LiveService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if path.name[:2] in LONG and os.environ.get("FINETUNE_LONG_TESTS") != "1":
        pytest.skip("takes long; FINETUNE_LONG_TESTS=1 runs it")
    others = OTHERS[path.name[:2]]
    source = parameters(path) or ""
    assert all(f"{name} =" in source for name in others), "a parameter that the notebook does not take"
    settings = {
        "FINETUNE_HOME": stand_in.home,
        "FINETUNE_BASES": stand_in.env["FINETUNE_BASES"],
        "FINETUNE_BUILD": tmp_path,
        "FINETUNE_HEADLESS": "1",
        "JUPYTER_PREFER_ENV_PATH": "1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, str(value))
    out = tmp_path / path.name
    papermill.execute_notebook(path, out, parameters=others, kernel_name="python3", cwd=path.parent, progress_bar=False)
    assert out.stat().st_size > 0
