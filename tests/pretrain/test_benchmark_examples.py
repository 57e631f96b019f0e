"""Solved examples before the benchmark's items: what few-shot prompting brings."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.local_service.pretrain import benchmark
from helpers.local_service.pretrain.skills import Task, with_examples
from helpers.local_service.pretrain.skills.task import ROOM


def conversation(*contents: str) -> Task:
    roles = ("system", "user", "assistant")[-len(contents) :]
    return Task(tuple({"role": role, "content": text} for role, text in zip(roles, contents, strict=True)))


def test_examples_stand_before_the_task_and_fit() -> None:
    task, first, second = conversation("2 + 2", "4"), conversation("1 + 2", "3"), conversation("3 + 3", "6")
    long = conversation("x" * ROOM, "y")
    shown = with_examples(task, [first, long, second])
    assert [m["content"] for m in shown.messages] == ["3 + 3", "6", "1 + 2", "3", "2 + 2", "4"]
    assert shown.answer == "4"


def test_a_system_message_stays_in_front_and_examples_with_another_are_left_out() -> None:
    task, plain, other = (
        conversation("Add.", "2 + 2", "4"),
        conversation("1 + 2", "3"),
        conversation("Shout.", "a", "A"),
    )
    shown = with_examples(task, [other, plain])
    assert [m["content"] for m in shown.messages] == ["Add.", "1 + 2", "3", "2 + 2", "4"]


def test_the_same_items_are_scored_with_and_without_examples() -> None:
    asked: list[Sequence[Task]] = []

    def answer(tasks: Sequence[Task]) -> list[str]:
        asked.append(tasks)
        return [task.answer for task in tasks]

    for shots in (0, 3):
        assert benchmark.score(answer, 5, ["copy"], shots=shots) == {"copy": (1.0, 1.0)}
    for without, with_three in zip(asked[:2], asked[2:], strict=True):
        assert [t.messages[-2:] for t in without] == [t.messages[-2:] for t in with_three]
        assert all(len(b.messages) > len(a.messages) for a, b in zip(without, with_three, strict=True))
