"""Retrieval: what BM25 finds in the sample, and what the check of citations lets pass."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from helpers.cases.knowledge import TASKS, grade, house_style, in_house_style, questions, score
from helpers.errors import Explained
from helpers.retrieval import Passage, Retriever, check_citations, hit_rate, read_passages, with_passages
from helpers.workspace import sample, write_jsonl

PASSAGES = [
    Passage("K10", "Heron Row Theatre, opening hour. From 1 April 2026 the opening hour is set at 11.25 am."),
    Passage("K11", "Heron Row Theatre, vehicle bay tariff. The vehicle bay tariff is £8.20 a day."),
    Passage("K12", "Anvil Mill Library, vehicle bay tariff. The vehicle bay tariff is £3.35 a day."),
]
QUESTION = {
    "task": "both",
    "name": "Pablo",
    "question": "Pablo: How much is parking at Heron Row Theatre?",
    "value": "£8.20",
    "before": "£2.00",
    "passage": "K11",
}
RIGHT = "Good day, Pablo. Vehicle bay tariff at Heron Row Theatre: £8.20 [K11]. Until soon, the front desk."


@pytest.fixture(scope="module")
def autumn() -> list[Passage]:
    return read_passages(sample("knowledge") / "passages_autumn.jsonl")


def test_the_passage_with_the_words_of_the_query_comes_first() -> None:
    found = Retriever(PASSAGES).search("vehicle bay tariff Anvil Mill Library", k=2)
    assert [passage.id for passage in found] == ["K12", "K11"]


def test_what_shares_no_word_is_not_found() -> None:
    assert Retriever(PASSAGES).search("submarine", k=3) == []
    assert Retriever(PASSAGES).search("", k=3) == []
    assert len(Retriever(PASSAGES).search("Heron", k=9)) == 2


def test_nothing_to_search_is_explained() -> None:
    with pytest.raises(Explained, match="no passages"):
        Retriever([])


def test_the_sample_s_right_queries_find_and_its_visitors_words_often_do_not(autumn: list[Passage]) -> None:
    """With the documents' words the passage is first, with a visitor's often not: so a query is worth writing."""
    asked, retriever = questions("test", "facts_that_change"), Retriever(autumn)

    def share(key: str, k: int) -> float:
        return hit_rate(retriever, [row[key] for row in asked], [row["passage"] for row in asked], k)

    assert share("query", 1) == 1
    assert share("question", 1) < share("question", 3) < 0.7


def test_a_prompt_has_each_passage_behind_its_id_and_the_question_last() -> None:
    lines = with_passages("How much?", PASSAGES[:2]).split("\n")
    assert lines == [f"[K10] {PASSAGES[0].text}", f"[K11] {PASSAGES[1].text}", "How much?"]


@pytest.mark.parametrize(
    ("answer", "cited", "unknown", "unsupported", "holds"),
    [
        ("It is £8.20 [K11].", ["K11"], [], [], True),
        ("It is £8.20.", [], [], ["8.20"], False),
        ("It is £8.20 [K12].", ["K12"], [], ["8.20"], False),
        ("It is £8.20 [K11] [K99].", ["K11", "K99"], ["K99"], [], False),
        ("It is £8.25 [K11].", ["K11"], [], ["8.25"], False),
        ("£8.20, or £3.35 [K11][K12].", ["K11", "K12"], [], [], True),
    ],
)
def test_citations_are_checked(
    answer: str, cited: list[str], unknown: list[str], unsupported: list[str], holds: bool
) -> None:
    found = check_citations(answer, PASSAGES)
    assert (found.cited, found.unknown, found.unsupported, found.hold) == (cited, unknown, unsupported, holds)


@pytest.mark.parametrize(
    ("row", "said"),
    [({"id": "K1"}, 'passage 1, needs an "id" and a "text"'), ({"id": "", "text": "a"}, "not empty")],
)
def test_a_row_that_is_no_passage_is_explained(row: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(Explained, match=said):
        read_passages(write_jsonl(tmp_path / "passages.jsonl", [row]))


def test_two_passages_of_one_id_are_explained(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "passages.jsonl", [{"id": "K1", "text": "a"}, {"id": "K1", "text": "b"}])
    with pytest.raises(Explained, match="two passages of one id"):
        read_passages(path)


def test_the_right_answer_passes_and_each_fault_is_seen() -> None:
    assert grade(RIGHT, QUESTION, PASSAGES) == {
        "facts_correct": True,
        "citation_correct": True,
        "style_kept": True,
        "all_right": True,
        "outdated": False,
        "invented": False,
    }
    faults = {
        "facts_correct": [RIGHT.replace("8.20", "8.25"), RIGHT.replace("£8.20", "£8.20 or £3.35"), ""],
        "citation_correct": [RIGHT.replace("K11", "K12"), RIGHT.replace(" [K11]", "")],
        "style_kept": [RIGHT.replace("Pablo", "Paul"), RIGHT.replace("day", "day!"), RIGHT + " Bye.", RIGHT * 2],
    }
    for name, answers in faults.items():
        for answer in answers:
            graded = grade(answer, QUESTION, PASSAGES)
            assert not graded[name] and not graded["all_right"], (name, answer)
    assert grade(RIGHT.replace("8.20", "2.00"), QUESTION, PASSAGES)["outdated"]
    assert grade(RIGHT.replace("8.20", "9.95"), QUESTION, PASSAGES)["invented"]
    unread = grade(RIGHT, QUESTION)  # right by luck: nothing was given
    assert unread["facts_correct"] and unread["invented"] and not unread["citation_correct"]


@pytest.mark.parametrize("task", TASKS)
def test_the_sample_s_own_answers_are_right_and_another_question_s_are_not(task: str, autumn: list[Passage]) -> None:
    asked = questions("test", task)
    spring = read_passages(sample("knowledge") / "passages_spring.jsonl")
    given = [spring if task == "raw_documents" else autumn] * len(asked)
    answers = [question["answer"] for question in asked]
    assert score(answers, asked, given)["all_right"].all()
    swapped = score(answers[1:] + answers[:1], asked, given)["all_right"]
    assert swapped.mean() < 0.1


def test_style_is_what_the_house_style_says() -> None:
    assert in_house_style("Good day. It is open. Until soon, the front desk.", "")
    assert not in_house_style("Good day, Ida. It is open. Until soon, the front desk.", "")
    for words in ("Good day", "Until soon, the front desk.", "40 words", "exclamation"):
        assert words in house_style()


def test_notebook_09_chooses_prompt_and_passages_on_validation_questions_alone() -> None:
    path = Path(__file__).resolve().parents[1] / "notebooks" / "09_choosing_an_approach.ipynb"
    cells = nbformat.read(path, as_version=4).cells
    [begin] = [n for n, cell in enumerate(cells) if cell.source.startswith("## Chosen on validation")]
    [end] = [n for n, cell in enumerate(cells) if cell.source.startswith("## Facts that change")]
    choosing = "\n".join(cell.source for cell in cells[begin:end] if cell.cell_type == "code")
    assert "best_prompt = " in choosing and "best_k[" in choosing and "test" not in choosing
    assert any('some = validation["facts_that_change"] + validation["both"]' in cell.source for cell in cells[:begin])
    judging = "\n".join(cell.source for cell in cells[end:] if cell.cell_type == "code")
    assert not re.search(r"best_prompt =|best_k\[[^]]*\] =|\bsome =", judging)
