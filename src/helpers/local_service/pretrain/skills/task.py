"""What every skill is made with: one worked task as a conversation, and the pen that writes it."""

import dataclasses
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..grammar import capital, fill
from ..scenes import Scene, Situation, scenes
from ..values import Values
from .rewording import AFTER, BEFORE, reworded

Message = dict[str, str]
ROOM = 5_000  # characters of a prompt with examples: about 1,600 of the bases' 2,048 tokens


@dataclass(frozen=True)
class Task:
    """One worked task: a conversation whose assistant messages are the right answers.

    `must` holds what an answer has to contain where several answers are right; where it is empty, only the exact
    answer counts. The first `given` assistant messages cannot be known from what stands before them (the first
    examples of a pattern): nothing is learned from them.
    """

    messages: tuple[Message, ...]
    must: tuple[str, ...] = ()
    given: int = 0

    @property
    def answer(self) -> str:
        """The last assistant message."""
        return self.messages[-1]["content"]

    def is_right(self, reply: str) -> bool:
        """Return whether a reply is right: equal to the answer, or, with `must`, holding all that it has to."""
        if self.must:
            return all(part in reply for part in self.must)
        return reply.strip() == self.answer.strip()


def with_examples(task: Task, examples: Sequence[Task]) -> Task:
    """Return the task with solved examples as turns before it, as many as there is room for.

    Its own system message stays in front; examples with a system message are left out, since they follow another one.
    """
    own = 1 if task.messages[0]["role"] == "system" else 0
    messages = task.messages
    for example in examples:
        longer = (*messages[:own], *example.messages, *messages[own:])
        if example.messages[0]["role"] != "system" and sum(len(m["content"]) for m in longer) <= ROOM:
            messages = longer
    return dataclasses.replace(task, messages=messages)


class Pen:
    """Draws values, phrases and layouts for one task.

    `held_out` draws names, codes and numbers that pretraining never shows; `new_phrasing` draws instructions and
    sentences that it never shows; `silent` poses texts without saying what to do with them, `loose` asks
    in other words too, with a courtesy before or after.
    """

    def __init__(
        self,
        rng: random.Random,
        held_out: bool = False,
        new_phrasing: bool = False,
        silent: bool = False,
        loose: bool = False,
    ) -> None:
        self.rng = rng
        self.values = Values(rng, held_out)
        self.new_phrasing = new_phrasing
        self.silent = silent
        self.loose = loose

    def chance(self, probability: float) -> bool:
        """Return True with the given probability."""
        return self.rng.random() < probability

    def situation(self, wanted: Callable[[Scene], bool] = lambda scene: True) -> Situation:
        """Return a drawing of a random scene."""
        return Situation(self.rng.choice([s for s in scenes() if wanted(s)]), self.values, self.new_phrasing)

    def say(self, phrases: Sequence[str], slots: Mapping[str, str] | None = None) -> str:
        """Return one of the phrases, filled; those that begin with '~' only for new phrasings, and then always."""
        held_out = [phrase[1:] for phrase in phrases if phrase.startswith("~")]
        seen = [phrase for phrase in phrases if not phrase.startswith("~")]
        phrase = self.rng.choice(held_out if self.new_phrasing and held_out else seen)
        return fill(reworded(phrase, self.rng) if self.loose else phrase, self.rng, slots)

    def pose(self, instruction: str, text: str = "", name: str = "Text") -> list[Message]:
        """Return the messages that put an instruction and a text to the model, in one of many layouts."""
        if self.loose and self.chance(0.15):
            instruction = f"{self.say(BEFORE)} {instruction}"
        if self.loose and self.chance(0.1) and instruction[-1] in ".?!":
            instruction = f"{instruction} {self.say(AFTER)}"
        if not text:
            return self._with_system([{"role": "user", "content": instruction}])
        tag = name.lower()
        marked = (f"<{tag}>\n{text}\n</{tag}>", f"---\n{text}\n---", f"### {name}\n{text}", f"[{name}]\n{text}")
        plain = (text, text, text, f'"{text}"', f"{name}: {text}", f"{name}:\n{text}")
        quoted = self.rng.choice(marked if self.chance(0.12) else plain)
        if self.silent:
            return [{"role": "user", "content": quoted}]
        gap = self.rng.choice(("\n", "\n\n", "\n\n", " " if "\n" not in text else "\n"))
        kind = self.rng.random()
        if kind < 0.2:
            return [{"role": "system", "content": instruction}, {"role": "user", "content": text}]
        ordered = (instruction, quoted) if kind < 0.75 else (quoted, instruction)
        if kind < 0.75 and self.chance(0.3) and instruction.endswith("."):
            ordered = (instruction[:-1] + ":", quoted)
        return self._with_system([{"role": "user", "content": gap.join(ordered)}])

    def _with_system(self, messages: list[Message]) -> list[Message]:
        if self.chance(0.2):
            said = [self.say(PLAIN_SYSTEM) for _ in range(self.rng.choice((1, 1, 2, 3)))]
            return [{"role": "system", "content": " ".join(dict.fromkeys(said))}, *messages]
        return messages

    def conversation(self, text: str, turns: Sequence[tuple[str, str]], name: str = "Text") -> Task:
        """Return several questions about one text, with their answers, as turns; the last answer is judged."""
        (first, answer), *others = turns
        messages = [*self.pose(first, text, name), {"role": "assistant", "content": answer}]
        for question, following in others:
            messages += [{"role": "user", "content": question}, {"role": "assistant", "content": following}]
        return Task(tuple(messages))

    def task(self, messages: list[Message], answer: str, must: Sequence[str] = ()) -> Task:
        """Return the finished task."""
        return Task((*messages, {"role": "assistant", "content": answer}), tuple(must))


PLAIN_SYSTEM = (
    "You are a [helpful|careful|friendly|plain-spoken] [assistant|helper].",
    "You [help people with|answer questions about] [texts|letters|notes|small tasks].",
    "[Answer|Reply] [briefly|plainly|in plain words].",
    "You work in [an office|a shop|a clinic|a law office|a library].",
    "Do what the user asks, [nothing more|exactly].",
    "Be [brief|exact|careful] and [kind|honest|plain].",
    "[Your|The] [users|readers] [are|may be] [busy|in a hurry|new here|old and young], so [be clear|keep it simple|do not waste words].",
    "[Today|This week] you [look after|are in charge of] [the desk|the inbox|the files|the letters].",
    "[You are|Act as] [the assistant|a clerk|a secretary|a writer|an editor] [of|at|in] [a small firm|a company|a school|a hospital|a shop|a bank].",
    "[Never|Do not] [make anything up|guess|add anything of your own].",
    "[Keep to|Follow|Stick to] [the instructions|what is asked|the form that is asked for].",
    "[If|When] [in doubt|unsure], [stay with|keep to] the text.",
    "[Use|Write] [plain|simple|British] English.",
    "[Your|The] [tone|manner] is [calm|friendly|matter-of-fact|warm].",
)


def sentence_list(items: Sequence[str], rng: random.Random) -> str:
    """Return the items as a running list, in one of several notations."""
    kind = rng.randrange(6)
    if kind == 0:
        return "\n".join(f"- {item}" for item in items)
    if kind == 1:
        return "\n".join(items)
    if kind == 2 and len(items) > 1:
        return ", ".join(items[:-1]) + " and " + items[-1]
    if kind == 3:
        return "; ".join(items)
    return ", ".join(items)


def typos(text: str, rng: random.Random, rate: float) -> str:
    """Return the text with careless slips: swapped, dropped or doubled letters in a share `rate` of longer words."""
    words = text.split(" ")
    for index, word in enumerate(words):
        if len(word) > 3 and word.isalpha() and word.islower() and rng.random() < rate:
            at = rng.randrange(1, len(word) - 1)
            words[index] = rng.choice(
                (
                    word[:at] + word[at + 1] + word[at] + word[at + 2 :],
                    word[:at] + word[at + 1 :],
                    word[:at] + word[at] + word[at:],
                )
            )
    return " ".join(words)


def passage(situation: Situation, names: Sequence[str], way: str, noise: int, rng: random.Random) -> str:
    """Return a paragraph that states the named fields ('third' or 'first' person), with beside-the-point sentences."""
    sentences = [situation.say(name, way) for name in names]
    for _ in range(noise):
        sentences.insert(rng.randrange(len(sentences) + 1), situation.noise(way))
    if rng.random() < 0.15:
        return "\n".join(sentences)
    return " ".join(sentences)


def dialogue(situation: Situation, names: Sequence[str], noise: int, rng: random.Random) -> str:
    """Return a conversation in which the named fields come up, one line a turn."""
    asker, answerer = rng.choice(situation.scene.speakers)
    turns = [situation.turn(name) for name in names]
    for _ in range(noise):
        turns.insert(rng.randrange(len(turns) + 1), situation.noise_turn())
    return "\n".join(f"{asker}: {question}\n{answerer}: {answer}" for question, answer in turns)


__all__ = ["Message", "Pen", "Task", "capital", "dialogue", "passage", "sentence_list", "typos"]
