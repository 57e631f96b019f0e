"""The general skills that the bases learn in pretraining, by name: each makes one worked task with a given pen."""

from collections.abc import Callable

from . import checklist, copying, documents, extracting, ordering, patterns, reading, reasoning, wording, writing
from .task import Pen, Task, with_examples

SKILLS: dict[str, Callable[[Pen], Task]] = {
    **copying.SKILLS,
    **ordering.SKILLS,
    **reasoning.SKILLS,
    **wording.SKILLS,
    **reading.SKILLS,
    **extracting.SKILLS,
    **writing.SKILLS,
    **documents.SKILLS,
    **checklist.SKILLS,
    **patterns.SKILLS,
}

__all__ = ["SKILLS", "Pen", "Task", "with_examples"]
