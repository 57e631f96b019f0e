"""Exercises that check themselves: `check("00.1", answer)` says what is wrong, `solution("00.1")` shows one way.

Each notebook's exercises are in a module of this package, as a list called EXERCISES. A test runs every solution and
every wrong answer through its judge, so that none can drift.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..errors import Explained
from ..frontend import in_notebook


@dataclass(frozen=True)
class Exercise:
    """One exercise. `solution` and `wrong` are source text that binds the name `answer`."""

    name: str  # the notebook's number and the exercise's, as in "00.1"
    question: str
    judge: Callable[[Any], str | None]  # None when the answer is right, else what is wrong with it
    hint: str
    solution: str
    wrong: str


@cache
def exercises() -> dict[str, Exercise]:
    """Return every exercise by name."""
    found: dict[str, Exercise] = {}
    for module in pkgutil.iter_modules(__path__):
        for exercise in importlib.import_module(f"{__name__}.{module.name}").EXERCISES:
            if exercise.name in found:
                raise ValueError(f"Two exercises are called {exercise.name}; the second is in {module.name}.")
            found[exercise.name] = exercise
    return found


def __getattr__(name: str) -> Any:
    if name == "EXERCISES":
        return exercises()
    raise AttributeError(name)


def judge(exercise: Exercise, answer: Any) -> str | None:
    """Return None for a right answer, else what is wrong with it."""
    try:
        return exercise.judge(answer)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        return f"The answer has another shape than the question asks for ({type(error).__name__}: {error})."


def check(name: str, answer: Any) -> None:
    """Print whether the answer is right; where it is not, what is wrong and a hint. `...` counts as no answer yet."""
    exercise = _find(name)
    if answer is ...:
        print(f"Exercise {name} is not answered yet: replace the three dots and run the cell again.")
        print(f"Hint: {exercise.hint}")
        return
    wrong = judge(exercise, answer)
    if wrong is None:
        print("Right.")
        return
    print(f"Not yet. {wrong}")
    print(f'Hint: {exercise.hint} solution("{name}") shows one way.')


def solution(name: str) -> None:
    """Show a solution."""
    source = _find(name).solution.strip()
    if in_notebook():
        from IPython.display import Markdown, display

        display(Markdown(f"```python\n{source}\n```"))
    else:
        print(source)


def _find(name: str) -> Exercise:
    known = exercises()
    if name not in known:
        raise Explained(f"There is no exercise '{name}'. There is: {', '.join(sorted(known)) or 'none yet'}.")
    return known[name]
