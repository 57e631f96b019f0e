"""The stream of worked tasks that the bases are pretrained on: which skill how often, how long, and in which batches.

`python -m helpers.local_service.pretrain sample` prints some of it.
"""

import dataclasses
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sentencepiece

from .skills import SKILLS, Pen, Task, with_examples

# How often each skill is drawn. Copying has to be learned first and by far the most: without it every later fine-tune
# invents names and numbers.
OPENING = {
    "copy": 3.0, "pairs": 2.0, "look_up": 5.0, "look_up_turns": 4.0, "list_item": 1.5, "replace": 2.5, "reorder_names": 0.6,
    "sort": 0.4, "reverse": 0.3, "count": 0.4, "compare": 0.5, "arithmetic": 0.3, "dates": 0.3,
    "number_words": 0.3, "durations": 0.4, "apply_rule": 2.0, "tidy_code": 1.0, "writer_name": 1.5,
    "group_word": 0.4, "related_word": 0.1, "letter_case": 0.6, "fix_spelling": 0.7, "choose_topic": 1.5, "choose_mood": 0.8,
    "answer_question": 4.0, "several_questions": 4.0, "answer_in_sentence": 1.0, "true_or_false": 0.7, "quote_sentence": 1.0,
    "label_sentence": 1.5,
    "to_json": 4.5, "fill_form": 5.0, "write_row": 1.5, "follow_template": 4.0, "several_orders": 5.0,
    "under_headings": 6.0, "from_json": 0.7, "mask": 0.7,
    "summarise_talk": 6.0, "summarise_text": 3.0, "third_person": 4.0, "notes_to_text": 3.5, "shorten": 0.7, "letter": 2.5,
    "reply": 1.0, "product_text": 0.6, "talk_to_note": 1.5, "fill_document": 1.5, "checklist": 1.5,
    "few_shot": 2.0, "system_rule": 1.5,
}  # fmt: skip
DRILL = OPENING | {"pairs": 60.0, "look_up_turns": 25.0}  # the same, while looking up is learned
# Afterwards half of the tokens are of long tasks, which a fine-tune needs most: notes of a talk, drafts, summaries,
# letters, several orders about one text (3 to 7% each). The short ones, such as a sum or a list to sort, get half a percent
# to one percent each; in the opening they make up a thousandth of what is read.
BALANCED = {
    "copy": 6.1, "pairs": 0.8, "look_up": 3.6, "look_up_turns": 2.2, "list_item": 2.4, "replace": 2.8, "reorder_names": 1.3,
    "sort": 3.0, "reverse": 1.6, "count": 3.0, "compare": 3.0, "arithmetic": 5.0, "dates": 3.0, "number_words": 2.7,
    "durations": 3.5, "apply_rule": 2.5, "tidy_code": 0.9, "writer_name": 1.1, "group_word": 3.0, "related_word": 3.2,
    "letter_case": 2.2, "fix_spelling": 2.0, "choose_topic": 0.8, "choose_mood": 0.9, "answer_question": 2.5,
    "several_questions": 1.7, "answer_in_sentence": 1.0, "true_or_false": 1.5, "quote_sentence": 2.0, "label_sentence": 2.0,
    "to_json": 2.3, "fill_form": 2.3, "write_row": 1.7, "follow_template": 3.1, "several_orders": 1.6, "under_headings": 4.3,
    "from_json": 1.2, "mask": 1.9, "summarise_talk": 3.9, "summarise_text": 3.0, "third_person": 3.6, "notes_to_text": 3.8,
    "shorten": 1.9, "letter": 3.1, "reply": 1.8, "product_text": 1.3, "talk_to_note": 2.7, "fill_document": 2.5, "checklist": 4.0,
    "few_shot": 2.2, "system_rule": 2.0,
}  # fmt: skip
EXAMPLES_SHARE = 0.12  # tasks that stand after solved ones of their own kind, so that examples in a prompt help
# Skills whose examples alone show what to do: with examples before them, half of these come without an instruction.
SHOWN = (
    "copy", "reverse", "tidy_code", "writer_name", "fix_spelling", "choose_mood", "summarise_talk", "summarise_text",
    "third_person", "notes_to_text", "shorten", "product_text",
)  # fmt: skip
LOOSE_SHARE = 0.5  # tasks that are asked for in other words than the skills' own, see skills/rewording.py
LONG_SHARE = 0.01  # conversations of many tasks in a row, so that all 2,048 positions are trained
PROMPT_SHARE = 0.1  # of the prompts' tokens are learned; of the answers' all
PROMPT_WEIGHT = 0.5  # of such a token, where one of an answer of 16 tokens weighs 1
CONTEXT = 2048


@dataclass(frozen=True)
class Example:
    """One conversation as token ids; how much each weighs in the loss, and which are learned as part of an answer."""

    ids: list[int]
    weight: list[float]
    answer: list[bool]


def tasks(seed: int, shares: Mapping[str, float] = OPENING, varied: bool = False) -> Iterator[Task]:
    """Yield worked tasks without end, the same ones for the same seed.

    With `varied`, which is for a model that copies already, half are asked for in other words than the skills' own, and
    some stand after solved ones of their kind.
    """
    rng = random.Random(seed)
    names, weights = list(shares), list(shares.values())
    while True:
        pen = Pen(rng, loose=varied and rng.random() < LOOSE_SHARE)
        kind, skill = rng.random(), rng.choices(names, weights)[0]
        if kind < LONG_SHARE:
            turns = [SKILLS[rng.choices(names, weights)[0]](pen) for _ in range(rng.randint(3, 14))]
            yield Task(tuple(m for turn in turns for m in turn.messages if m["role"] != "system"))
        elif varied and kind < LONG_SHARE + EXAMPLES_SHARE and skill != "few_shot":  # which has examples of its own
            yield after_examples(skill, pen)
        else:
            yield SKILLS[skill](pen)


def after_examples(skill: str, pen: Pen) -> Task:
    """Return a task of a skill after one to four solved ones; some say by these alone what is to be done."""
    pen.silent = skill in SHOWN and pen.chance(0.5)
    task = with_examples(SKILLS[skill](pen), [SKILLS[skill](pen) for _ in range(pen.rng.randint(1, 4))])
    return dataclasses.replace(task, given=1) if pen.silent else task


class Encoder:
    """Turns a conversation into token ids in the bases' chat format."""

    def __init__(self, tokenizer: sentencepiece.SentencePieceProcessor) -> None:
        self.tokenizer = tokenizer
        self.role = {role: tokenizer.piece_to_id(f"<|{role}|>") for role in ("system", "user", "assistant")}
        self.end = tokenizer.piece_to_id("<|end|>")

    def __call__(self, task: Task, rng: random.Random) -> Example:
        """Return the task as an Example of at most 2,048 tokens."""
        ids, weight, answer = [self.tokenizer.bos_id()], [0.0], [False]
        given = task.given
        for message in task.messages:
            content = [*self.tokenizer.encode(" " + message["content"]), self.end]
            ids += [self.role[message["role"]], *content]
            is_answer = message["role"] == "assistant"
            learned = is_answer and given == 0
            given -= is_answer and given > 0
            answer += [False, *[learned] * len(content)]
            if is_answer:
                weight += [0.0, *[answer_weight(len(content)) * learned] * len(content)]
            else:
                weight += [0.0, *(PROMPT_WEIGHT * (rng.random() < PROMPT_SHARE) for _ in content)]
        return Example(ids[:CONTEXT], weight[:CONTEXT], answer[:CONTEXT])


def answer_weight(tokens: int) -> float:
    """Return what each token of an answer of this length weighs: more in short answers, which have few to learn from."""
    return min(2.0, max(0.5, (16 / tokens) ** 0.5))


def padded(length: int) -> int:
    """Return the length, in tokens, that an example of this length is padded to."""
    return -(-length // 16) * 16


def batches(
    encoder: Encoder, seed: int, tokens: int, shares: Mapping[str, float] = OPENING, varied: bool = False
) -> Iterator[list[Example]]:
    """Yield batches of examples of like length that fill about `tokens` tokens once padded.

    Examples wait in queues by length, in steps of 16 tokens; a batch comes out when its queue is full, so little of it
    is padding.
    """
    rng = random.Random(seed + 1)
    stream = tasks(seed, shares, varied)
    waiting: dict[int, list[Example]] = defaultdict(list)
    while True:
        example = encoder(next(stream), rng)
        length = padded(len(example.ids))
        waiting[length].append(example)
        if len(waiting[length]) >= tokens // length:
            yield waiting[length]
            waiting[length] = []
