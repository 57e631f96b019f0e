"""Makes the general-skills sample: what a base can do before any fine-tuning, to see how much of it a fine-tune costs.

    python data/samples/general/make.py            writes beside this file
    python data/samples/general/make.py --out DIR  writes elsewhere, for comparison

train.jsonl holds worked tasks like those of pretraining, to be mixed into other training data; test.jsonl holds items of
the general-skills benchmark, with names, codes and numbers that pretraining never showed. Only tasks with one right
answer are taken, so that equality grades them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from helpers.local_service.pretrain import benchmark, corpus
from helpers.local_service.pretrain.skills import Task

SEED = 77
TRAIN = 300
EACH = 6  # items a skill
SKILLS = (
    "copy", "pairs", "look_up_turns", "writer_name", "several_questions", "answer_question",
    "choose_mood", "few_shot", "from_json", "system_rule", "tidy_code", "compare",
)  # fmt: skip
MOST_MESSAGES, MOST_CHARACTERS = 20, 700  # short ones, so that mixing them in costs little time


def short(task: Task) -> bool:
    """Whether the task is short, and graded by equality with its answer."""
    size = sum(len(message["content"]) for message in task.messages)
    return not task.must and len(task.messages) <= MOST_MESSAGES and size <= MOST_CHARACTERS


def write(path: Path, tasks: Iterable[Task]) -> None:
    """Writes one conversation a line."""
    lines = [json.dumps({"messages": list(task.messages)}, ensure_ascii=False) for task in tasks]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def make(folder: Path) -> None:
    """Writes both files into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "train.jsonl", islice(filter(short, corpus.tasks(SEED)), TRAIN))
    write(
        folder / "test.jsonl", (task for skill in SKILLS for task in benchmark.items(skill, EACH, new_phrasing=False))
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent)
    make(parser.parse_args().out)
