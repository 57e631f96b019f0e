"""Every exercise: its solution is right, its wrong answer is not, and the words shown help."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from helpers.errors import Explained
from helpers.exercises import Exercise, check, exercises, judge, solution

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("[0-9][0-9]_*.ipynb"))
ALL = sorted(exercises().values(), key=lambda exercise: exercise.name)


def bound(source: str) -> Any:
    names: dict[str, Any] = {}
    exec(compile(source, "<exercise>", "exec"), names)
    return names["answer"]


@pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.name)
def test_the_solution_is_right_and_the_wrong_answer_is_wrong(exercise: Exercise) -> None:
    assert judge(exercise, bound(exercise.solution)) is None
    wrong = judge(exercise, bound(exercise.wrong))
    assert wrong and len(wrong) > 10


@pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.name)
@pytest.mark.parametrize("odd", [None, 17, "", "no idea", [], {}, {"a": None}], ids=repr)
def test_odd_answers_are_wrong_and_never_break_the_check(exercise: Exercise, odd: Any) -> None:
    assert judge(exercise, odd)


@pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.name)
def test_check_and_solution_say_what_helps(exercise: Exercise, capsys: pytest.CaptureFixture[str]) -> None:
    check(exercise.name, ...)
    assert "not answered yet" in (said := capsys.readouterr().out) and exercise.hint in said
    check(exercise.name, bound(exercise.wrong))
    assert "Not yet." in (said := capsys.readouterr().out) and exercise.hint in said
    check(exercise.name, bound(exercise.solution))
    assert capsys.readouterr().out == "Right.\n"
    solution(exercise.name)
    assert capsys.readouterr().out.strip() == exercise.solution.strip()


def test_an_unknown_exercise_names_those_there_are() -> None:
    with pytest.raises(Explained, match=r"no exercise '99.9'. There is: 00.1"):
        check("99.9", 1)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_notebook_checks_its_own_exercises(path: Path) -> None:
    source = "\n".join("".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"])
    asked = set(re.findall(r'check\("(\d\d\.\d+)"', source))
    assert asked == {name for name in exercises() if name.startswith(path.name[:2])}
    assert len(asked) >= 2
