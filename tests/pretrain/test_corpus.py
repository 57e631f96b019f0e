"""The pretraining corpus: reproducible, varied, in right answers, and with its held-out half held out."""

from __future__ import annotations

import itertools
import random
import re

import pytest

from helpers.local_service.pretrain import benchmark, corpus, grammar
from helpers.local_service.pretrain.skills import SKILLS, Pen, rewording
from helpers.local_service.pretrain.values import Values, is_held_out


def test_the_same_seed_gives_the_same_tasks_and_another_seed_others() -> None:
    first, second, other = (list(itertools.islice(corpus.tasks(seed), 200)) for seed in (5, 5, 6))
    assert first == second
    assert first != other


def test_every_skill_is_drawn() -> None:
    assert set(corpus.OPENING) == set(corpus.BALANCED) == set(SKILLS)
    assert len(SKILLS) >= 24


@pytest.mark.parametrize("skill", SKILLS)
@pytest.mark.parametrize("new_phrasing", [False, True])
def test_a_skill_judges_its_own_answer_right_and_another_wrong(skill: str, new_phrasing: bool) -> None:
    tasks = benchmark.items(skill, 12, new_phrasing)
    for task in tasks:
        roles = [m["role"] for m in task.messages if m["role"] != "system"]
        assert roles == ["user", "assistant"] * (len(roles) // 2)
        assert task.is_right(task.answer)
        assert not task.is_right("")
        assert not task.is_right("I am not sure what you mean.")


def test_values_of_the_benchmark_are_never_drawn_in_training() -> None:
    for held_out in (False, True):
        values = Values(random.Random(3), held_out)
        assert all(is_held_out(values.code()) == held_out for _ in range(200))


def test_new_phrasings_are_other_phrasings() -> None:
    """Of each skill's instructions in new phrasings, hardly any words stand in the same order in the seen ones."""

    def openings(new_phrasing: bool) -> set[str]:
        found = set()
        for seed in range(400):
            task = SKILLS["copy"](Pen(random.Random(seed), new_phrasing=new_phrasing))
            text = " ".join(m["content"] for m in task.messages[:-1])
            found |= set(re.findall(r"[a-z]+ [a-z]+ [a-z]+", text.lower()))
        return found

    seen, new = openings(False), openings(True)
    assert len(new & seen) < 0.5 * len(new)


def test_the_corpus_is_diverse() -> None:
    tasks = list(itertools.islice(corpus.tasks(seed=8), 3000))
    texts = [" ".join(m["content"] for m in task.messages) for task in tasks]
    words = [word for text in texts for word in re.findall(r"\w+", text.lower())]
    runs = list(zip(words, words[1:], words[2:], words[3:], strict=False))
    assert len(set(texts)) > 0.99 * len(texts)
    assert len(set(runs)) > 0.5 * len(runs)
    assert len(set(words)) > 10_000


def test_batches_hold_examples_of_like_length_and_stay_in_their_budget(base_tokenizer) -> None:
    encoder = corpus.Encoder(base_tokenizer)
    for batch in itertools.islice(corpus.batches(encoder, seed=2, tokens=4096), 30):
        lengths = {corpus.padded(len(example.ids)) for example in batch}
        assert len(lengths) == 1
        assert len(batch) * lengths.pop() <= 4096


def test_answers_are_learned_whole_and_prompts_in_part(base_tokenizer) -> None:
    encoder = corpus.Encoder(base_tokenizer)
    rng = random.Random(1)
    examples = [encoder(task, rng) for task in itertools.islice(corpus.tasks(seed=2), 300)]
    for example in examples:
        assert len(example.ids) == len(example.weight) == len(example.answer) <= corpus.CONTEXT
        assert all(weight > 0 for weight, answer in zip(example.weight, example.answer, strict=True) if answer)
    prompt = [weight > 0 for e in examples for weight, answer in zip(e.weight, e.answer, strict=True) if not answer]
    assert 0.07 < sum(prompt) / len(prompt) < 0.12
    assert corpus.answer_weight(4) > corpus.answer_weight(16) == 1 > corpus.answer_weight(100)


def test_what_cannot_be_known_is_not_learned(base_tokenizer) -> None:
    """The first answer of a few-shot pattern follows a rule that nothing before it shows."""
    encoder, seen = corpus.Encoder(base_tokenizer), 0
    for seed in range(60):
        task = SKILLS["few_shot"](Pen(random.Random(seed)))
        answers = [m["content"] for m in task.messages if m["role"] == "assistant"]
        if len(answers) > 1:
            seen += 1
            example = encoder(task, random.Random(1))
            learned = [token for token, answer in zip(example.ids, example.answer, strict=True) if answer]
            expected = [token for a in answers[1:] for token in [*base_tokenizer.encode(" " + a), encoder.end]]
            assert learned == expected
    assert seen > 10


def test_the_drill_is_mostly_looking_up() -> None:
    def turns(shares: dict[str, float]) -> float:
        return sum(len(t.messages) for t in itertools.islice(corpus.tasks(3, shares), 300)) / 300

    assert turns(corpus.DRILL) > 1.5 * turns(corpus.OPENING)


def test_some_tasks_stand_after_solved_ones_of_their_kind() -> None:
    plain, varied = (list(itertools.islice(corpus.tasks(7, corpus.BALANCED, varied), 1500)) for varied in (False, True))
    assert sum(len(task.messages) for task in varied) > 1.1 * sum(len(task.messages) for task in plain)


@pytest.mark.parametrize("skill", corpus.SHOWN)
def test_examples_alone_can_say_what_to_do(skill: str) -> None:
    """Where the instruction is left out, the first answer cannot be known and is not learned; the last can."""
    silent = 0
    for seed in range(20):
        task = corpus.after_examples(skill, Pen(random.Random(seed)))
        silent += task.given
        if task.given:
            assert len(task.messages) >= 4
            assert task.messages[0]["role"] == "user"
    assert 4 < silent < 16
    (message,) = Pen(random.Random(1), silent=True).pose("Write this again.", "a blue bird")
    assert "a blue bird" in message["content"]
    assert "again" not in message["content"]


def test_rewording_changes_words_and_keeps_slots_and_choices() -> None:
    phrase = "[Write|Give] the {write} of {who}, please."
    reworded = {rewording.reworded(phrase, random.Random(seed)) for seed in range(200)}
    assert len(reworded) > 10
    for other in reworded:
        assert grammar.slots_of(other) == {"write", "who"}
        assert grammar.count(other) == 2


def test_tasks_asked_for_in_other_words_have_the_same_answers() -> None:
    """Only the instruction varies: what is asked about, and so the answer, stays whole in the prompt."""
    for seed in range(200):
        task = SKILLS["copy"](Pen(random.Random(seed), loose=True))
        assert task.answer in " ".join(m["content"] for m in task.messages[:-1])


def test_once_copying_is_learned_no_skill_is_starved(base_tokenizer) -> None:
    encoder, rng = corpus.Encoder(base_tokenizer), random.Random(4)
    read = {}
    for skill, drawn in corpus.BALANCED.items():
        read[skill] = drawn * sum(len(encoder(SKILLS[skill](Pen(rng)), rng).ids) for _ in range(60))
    least = min(read, key=lambda skill: read[skill])
    assert read[least] > 0.002 * sum(read.values()), least


def test_names_are_written_as_other_languages_write_them_too() -> None:
    values = Values(random.Random(6))
    names = [values.name() for _ in range(2000)]
    assert 0.1 < sum(not name.isascii() for name in names) / len(names) < 0.3
    assert all(values.email().isascii() and " " not in values.email() for _ in range(500))


@pytest.mark.parametrize("skill", ["talk_to_note", "fill_document", "summarise_talk", "summarise_text"])
def test_long_answers_hold_no_name_or_number_that_the_source_lacks(skill: str) -> None:
    for seed in range(300):
        task = SKILLS[skill](Pen(random.Random(seed)))
        source = " ".join(m["content"] for m in task.messages[:-1]).lower()
        for found in re.findall(r"\S*\d\S*|(?<=[a-z,] )[A-Z]\w+", task.answer):
            assert found.lower().strip(".,;:()'") in source, (found, task.messages)


def test_a_note_follows_the_corrections_of_a_talk() -> None:
    """What is said in the end stands in the note; what was said in its place before does not."""
    corrected = 0
    for seed in range(600):
        task = SKILLS["talk_to_note"](Pen(random.Random(seed)))
        source = " ".join(m["content"] for m in task.messages[:-1])
        if found := re.search(r"I (?:was wrong there|have to correct that|mixed it up): (.+)\.", source):
            wrong = re.search(r"(?:Is|Have I got|Really) (.+?)(?: right)?\?\n[^\n]*: I (?:was|have|mixed)", source)
            assert wrong
            if found[1] in task.answer:
                corrected += 1
                assert wrong[1] not in task.answer.replace(found[1], ""), task.messages
    assert corrected > 20
