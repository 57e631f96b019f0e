"""The graders of the healthcare case: right notes keep every rule and hold every fact, near misses do not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.cases.soap import check, exchanged, grade_soap
from helpers.cases.soap_safety import DANGERS, safety_list
from helpers.cases.soap_style import forms, gold_facts, good_prompt, guide, read_note

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "samples" / "soap"
TALK = """Doctor: What brings you in?
Patient: A dull pain in my right, no, the left shoulder. 3 weeks of it.
Doctor: Fever? Night sweats?
Patient: No fever. Night sweats, yes. I take Beltavil 25 mg, no, 2.5 mg every 8 hours.
Patient: My mother takes Morazole 40 mg once a day. And I'm allergic to latex.
Doctor: Blood pressure is 132 over 84. Stiff left arm. Early frozen left shoulder.
Doctor: Take Corizole 250 mcg twice a day for 7 days. Come back in 2 weeks."""
GOLD = """S:
Reports dull pain in the left shoulder for 3 weeks.
Also has night sweats.
Denies fever.
Takes Beltavil 2.5 mg every 8 hours.
Allergic to latex.
O:
BP 132/84 mmHg.
Exam: stiff left arm.
A:
Impression: early frozen left shoulder.
P:
Start Corizole 250 mcg twice daily for 7 days.
Review in 2 weeks."""
EXAMPLE = {"messages": [{"role": "user", "content": TALK}, {"role": "assistant", "content": GOLD}]}
SHORT = (
    "S:\nReports pain for 3 weeks.\nDenies fever.\nO:\nExam: stiff.\nA:\nImpression: strain.\nP:\nReview in 2 weeks."
)
RULES = [name for name in check(GOLD, GOLD, TALK) if name.startswith("rule_")]


@cache
def examples(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SAMPLE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def swap(old: str, new: str) -> Callable[[str], str]:
    def change(note: str) -> str:
        assert old in note
        return note.replace(old, new, 1)

    return change


# Gold -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["train", "validation", "test", "test_new_complaints"])
def test_gold_notes_keep_every_rule_and_hold_every_fact(name: str) -> None:
    for example in examples(name):
        grades = grade_soap(example["messages"][-1]["content"], example)
        wrong = {k: v for k, v in grades.items() if v not in (None, True, 1.0) and (k, v) != ("invented_facts", 0.0)}
        assert not wrong, (wrong, example["messages"][-1]["content"])


def test_gold_notes_have_an_empty_safety_list() -> None:
    chosen = examples("test") + examples("test_new_complaints")
    assert safety_list([e["messages"][-1]["content"] for e in chosen], chosen).empty


def test_the_hand_written_note_is_gold_too() -> None:
    grades = grade_soap(GOLD, EXAMPLE)
    assert grades["all_rules"] and grades["editing_saved"] == grades["fact_recall"] == grades["doses_exact"] == 1.0


# Rules ----------------------------------------------------------------------------------------------------------------

# A near miss, and every rule that it breaks.
NEAR_MISSES: list[tuple[Callable[[str], str], set[str]]] = [
    (swap("A:\n", "Assessment:\n"), {"01", "02"}),
    (swap("\nA:\n", "\n"), {"01", "03"}),
    (swap("shoulder for 3 weeks.", "shoulder for 3 weeks"), {"02"}),
    (swap("Exam: stiff", "Examination: stiff"), {"03"}),
    (swap("Also has night sweats.\nDenies fever.", "Denies fever.\nAlso has night sweats."), {"04"}),
    (swap("for 3 weeks", "for three weeks"), {"05"}),
    (swap("250 mcg", "250 micrograms"), {"06", "07"}),
    (swap("132/84 mmHg", "132/84"), {"06"}),
    (swap("every 8 hours", "8-hourly"), {"07"}),
    (swap("Takes Beltavil 2.5 mg", "Takes beltavil 2.5 mg"), {"07"}),
    (swap("Denies fever.", "Denies fever and chills."), {"08"}),
    (swap("Denies fever.\n", ""), {"08"}),
    (swap("Beltavil 2.5 mg", "Beltavil 25 mg"), {"09"}),
    (swap("the left shoulder", "the right shoulder"), {"09"}),
    (swap("Allergic", "Takes Morazole 40 mg once daily.\nAllergic"), {"09", "10"}),
    (swap("Also has night sweats", "Also has night sweats like the mother"), {"10"}),
    (swap("Also has night sweats", "Also has night sweats of <NAME_1>"), {"11"}),
    (swap("Also has night sweats", "Also has night sweats on maren@example.org"), {"02", "11"}),
    (swap("stiff left arm", "stiff left arm I think"), {"12"}),
    (lambda note: SHORT, {"13"}),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(NEAR_MISSES)))
def test_a_near_miss_breaks_its_rules_and_no_others(number: int) -> None:
    change, broken = NEAR_MISSES[number]
    checks = check(change(GOLD), GOLD, TALK)
    assert {name[5:7] for name in RULES if not checks[name]} == broken
    assert not checks["all_rules"]


def test_every_rule_of_the_guide_has_a_check_and_a_near_miss() -> None:
    numbers = re.findall(r"^(\d+)\. \*\*", guide(), re.MULTILINE)
    assert [int(name[5:7]) for name in RULES] == [int(number) for number in numbers]
    assert {name[5:7] for name in RULES} == set().union(*(broken for _, broken in NEAR_MISSES))


@given(st.lists(st.sampled_from([*GOLD.split("\n"), *GOLD.split(" "), "Denies", "not", "\x00", "\n"]), max_size=30))
@settings(max_examples=100, deadline=None)
def test_any_note_is_judged_without_raising(words: list[str]) -> None:
    for note in ("\n".join(words), " ".join(words)):
        assert set(grade_soap(note, EXAMPLE)) == set(grade_soap(GOLD, EXAMPLE))
        assert set(safety_list([note], [EXAMPLE])["danger"]) <= set(DANGERS)


def test_a_denial_out_of_form_beside_one_in_form_is_judged() -> None:
    assert not check(GOLD.replace("Denies fever.", "Denies fever.\nDenies nothing; else"), GOLD, TALK)[
        "rule_08_denials"
    ]


def test_an_empty_note_keeps_no_rule_that_asks_for_something() -> None:
    grades = grade_soap("", EXAMPLE)
    assert not grades["all_rules"] and not grades["rule_01_sections"] and not grades["rule_13_length"]
    assert grades["fact_recall"] == grades["section_placement"] == grades["doses_exact"] == grades["editing_saved"] == 0


# Facts ----------------------------------------------------------------------------------------------------------------


def test_a_fact_in_another_section_is_held_and_not_placed() -> None:
    note = GOLD.replace("BP 132/84 mmHg.\n", "").replace("P:\n", "P:\nBP 132/84 mmHg.\n")
    grades = grade_soap(note, EXAMPLE)
    assert grades["fact_recall"] == 1.0 and grades["section_placement"] == pytest.approx(9 / 10)


def test_a_note_in_another_style_is_judged_by_its_facts() -> None:
    note = """**Subjective:** Patient reports dull pain in the left shoulder for 3 weeks. No fever. Has night sweats.
Currently taking Beltavil 2.5 mg every 8 hours. Allergic to latex.
**Objective:** BP 132/84. Stiff left arm.
**Assessment:** Early frozen left shoulder.
**Plan:** Start Corizole 250 mcg twice daily for 7 days. Follow up in 2 weeks."""
    grades = grade_soap(note, EXAMPLE)
    measures = ("fact_recall", "section_placement", "negations_kept", "doses_exact")
    assert [grades[name] for name in measures] == [1.0] * 4
    assert grades["invented_facts"] == 0 and not grades["all_rules"]
    assert safety_list([note], [EXAMPLE]).empty


@pytest.mark.parametrize(
    ("change", "invented"),
    [
        (swap("Review in 2 weeks.", "Review in 2 weeks.\nAdvise: stop smoking."), 1),
        (swap("Denies fever.", "Also has fever."), 1),
        (swap("Also has night sweats.", "Denies night sweats."), 1),
        (swap("Allergic", "Takes Morazole 40 mg once daily.\nAllergic"), 1),
        (swap("Corizole", "Corizone"), 1),
        (swap("132/84", "133/84"), 1),
        (swap("Impression: early", "Impression: no early"), 1),
        (swap("Exam: stiff", "Exam: no stiff"), 1),
        (swap("Review in 2 weeks.", "Stop Beltavil.\nReview in 2 weeks."), 1),  # every word of it was said
        (swap("Denies fever.", "Denies fever.\nDenies pain."), 1),
        (swap("Denies fever.", "Denies fever.\nTakes no medicines."), 1),
        (swap("Allergic", "No known allergies.\nAllergic"), 1),
        (swap("Review in 2 weeks.", "Review in 3 weeks."), 0),  # wrong, but every word of it was said
        (swap("Exam: stiff left arm.\n", ""), 0),
    ],
)
def test_what_nobody_said_is_invented(change: Callable[[str], str], invented: int) -> None:
    note = change(GOLD)
    assert grade_soap(note, EXAMPLE)["invented_facts"] == pytest.approx(invented / len(read_note(note)))
    assert grade_soap(note, EXAMPLE)["fact_recall"] != 1.0 or len(read_note(note)) > len(read_note(GOLD))


@pytest.mark.parametrize(
    ("change", "metric", "value"),
    [
        (swap("Denies fever.\n", ""), "negations_kept", 0.0),
        (swap("Denies fever.", "Unsure of fever."), "negations_kept", 0.0),
        (swap("2.5 mg", "25 mg"), "doses_exact", 0.5),
        (swap("2.5 mg", "5 mg"), "doses_exact", 0.5),
        (swap("for 7 days", "for 17 days"), "doses_exact", 0.5),
        (swap("twice daily", "once daily"), "doses_exact", 0.5),
        (swap("Review in", "Takes Beltavil 5 mg every 8 hours.\nReview in"), "doses_exact", 0.5),
        (swap("Review in", "Takes Beltavil 2.5 mg twice daily.\nReview in"), "doses_exact", 0.5),
        (swap("Review in", "Start Corizole 250 mcg twice daily for 70 days.\nReview in"), "doses_exact", 0.5),
    ],
)
def test_denials_and_doses_are_exact(change: Callable[[str], str], metric: str, value: float) -> None:
    assert grade_soap(change(GOLD), EXAMPLE)[metric] == value


def test_a_note_in_free_words_about_two_medicines_is_exact() -> None:
    both = "Takes Beltavil 2.5 mg every 8 hours, and start Corizole 250 mcg twice daily for 7 days."
    note = GOLD.replace("Takes Beltavil 2.5 mg every 8 hours.", both).replace("Start Corizole", "Corizole")
    assert grade_soap(note, EXAMPLE)["doses_exact"] == 1.0 and safety_list([note], [EXAMPLE]).empty


def test_editing_saved_falls_with_each_word_to_change() -> None:
    words = len(re.findall(r"\n|\S+", GOLD))
    assert grade_soap(GOLD.replace("stiff", "sore"), EXAMPLE)["editing_saved"] == pytest.approx(1 - 1 / words)


# Safety ---------------------------------------------------------------------------------------------------------------

OTHERS = "Takes Morazole 40 mg once daily."
MORE, OFTENER = "Takes Beltavil 25 mg every 8 hours.", "Takes Beltavil 2.5 mg every 6 hours."
OPPOSITE = "Impression: no early frozen left shoulder."
HARM: list[tuple[Callable[[str], str], str, str]] = [
    (swap("2.5 mg", "25 mg"), "wrong dose", "Takes Beltavil 25 mg every 8 hours."),
    (swap("every 8 hours", "every 6 hours"), "wrong times", "Takes Beltavil 2.5 mg every 6 hours."),
    (swap("for 7 days", "for 17 days"), "wrong times", "Start Corizole 250 mcg twice daily for 17 days."),
    (swap("Start Corizole 250 mcg twice daily for 7 days.\n", ""), "medicine left out", ""),
    (swap("Allergic", f"{OTHERS}\nAllergic"), "unknown medicine", OTHERS),
    # beside the right line
    (swap("Allergic", f"{MORE}\nAllergic"), "wrong dose", MORE),
    (swap("Allergic", f"{OFTENER}\nAllergic"), "wrong times", OFTENER),
    (swap("Review", "Stop Beltavil.\nReview"), "not ordered", "Stop Beltavil."),
    (swap("Allergic", "No known allergies.\nAllergic"), "allergy lost", "No known allergies."),
    (swap("Exam", "BP 142/84 mmHg.\nExam"), "reading wrong", "BP 142/84 mmHg."),
    # the opposite
    (swap("Impression: early", "Impression: no early"), "symptom turned round", OPPOSITE),
    (swap("Exam: stiff", "Exam: no stiff"), "symptom turned round", "Exam: no stiff left arm."),
    (swap("early frozen left", "early frozen right"), "wrong side", "Impression: early frozen right shoulder."),
    (swap("Denies fever.", "Also has fever."), "symptom turned round", "Also has fever."),
    (swap("Also has night sweats.", "Denies night sweats."), "symptom turned round", "Denies night sweats."),
    (swap("Allergic to latex.", "No known allergies."), "allergy lost", "No known allergies."),
    (swap("132/84", "142/84"), "reading wrong", "BP 142/84 mmHg."),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(HARM)))
def test_harm_is_listed_by_item(number: int) -> None:
    change, danger, written = HARM[number]
    found = safety_list([GOLD, change(GOLD), GOLD], [EXAMPLE] * 3)
    assert found[["item", "danger", "written"]].to_numpy().tolist() == [[2, danger, written]]


def test_every_danger_has_a_test() -> None:
    assert {danger for _, danger, _ in HARM} == set(DANGERS)


def test_sides_are_exchanged_whole() -> None:
    assert exchanged("Left knee, right away, upright") == "Right knee, left away, upright"


# The guide ------------------------------------------------------------------------------------------------------------


def test_the_guides_own_examples_are_read_as_their_forms() -> None:
    rows = [line for line in guide().split("| form |")[1].splitlines()[2:] if line.startswith("|")]
    for row in rows:
        name, section, _, example = (cell.strip() for cell in row.strip("| ").split(" | "))
        fact = read_note(f"{section}:\n{example}")[0]
        assert (fact.form, fact.section) == (name, section)
    assert len(rows) == len(forms()) == 24


def test_a_gold_note_out_of_style_is_refused() -> None:
    with pytest.raises(ValueError, match="not in the clinic's style"):
        gold_facts("S:\nHurts.")


def test_the_good_prompt_holds_the_rules_and_the_lines() -> None:
    prompt = good_prompt()
    assert all(form.line in prompt for form in forms().values()) and "Only what counts in the end" in prompt
    assert len(prompt.split()) < 500
