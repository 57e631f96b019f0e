"""Following what the prompt sets: examples to continue, and rules laid down in a system message."""

from collections.abc import Callable

from ..grammar import capital
from ..scenes import Situation
from ..values import word_lists
from .extracting import _template
from .task import Message, Pen, Task

Rule = Callable[[], tuple[str, str]]  # draws an input and the output that the hidden rule gives


def few_shot(pen: Pen) -> Task:
    """Continue a pattern from two to six examples, written in one message or as turns of the conversation."""
    rule = pen.rng.choice(
        (_template_rule, _template_rule, _field_rule, _field_rule, _words_rule, _label_rule, _wrap_rule)
    )(pen)
    pairs = [rule() for _ in range(pen.rng.randint(3, 6))]
    *shown, (last, answer) = pairs
    if pen.chance(0.6):
        messages: list[Message] = []
        for given, output in shown:
            messages += [{"role": "user", "content": given}, {"role": "assistant", "content": output}]
        if pen.chance(0.3):
            messages.insert(0, {"role": "system", "content": pen.say(GO_ON)})
        messages += [{"role": "user", "content": last}, {"role": "assistant", "content": answer}]
        return Task(tuple(messages), given=1)
    into, out = pen.rng.choice((("Input: ", "Output: "), ("Q: ", "A: "), ("", "-> "), ("In: ", "Out: "), ("> ", "= ")))
    text = "\n".join(f"{into}{given}\n{out}{output}" for given, output in shown) + f"\n{into}{last}\n{out.strip()}"
    if pen.chance(0.5):
        text = pen.say(GO_ON) + "\n\n" + text
    return pen.task([{"role": "user", "content": text}], answer)


GO_ON = (
    "[Continue|Go on with|Follow] the pattern.",
    "[Answer|Reply] as in the examples.",
    "[Here are|Look at] [some|a few] examples. [Do the same.|Go on in the same way.]",
    "[Learn|See] from the examples [what to do|and answer the last one].",
    "[Same|Do the same|Carry on|Keep going] [as|like] [above|before|in the examples].",
    "[The examples|These] show [the task|what is wanted|the form]. [Now the last one.|Do the last one.]",
    "[Apply|Use] the [same|] [rule|pattern|method] [to|for] [the last|the new] [input|line|one].",
    "[What comes next|How does it go on|What is the last answer]?",
    "[Complete|Finish|Fill in] the [last|missing] [answer|line|output].",
    "~Work out the trick from the samples and apply it once more.",
)


def _template_rule(pen: Pen) -> Rule:
    """Facts in a sentence or as notes, put into a made-up format that is never described."""
    scene = pen.situation().scene
    names = pen.rng.sample(list(scene.fields), min(len(scene.fields), pen.rng.choice((1, 2, 2, 3))))
    way = pen.rng.choice(("third", "first", "notes"))
    template = _template(pen, names)

    def draw() -> tuple[str, str]:
        situation = Situation(scene, pen.values, pen.new_phrasing)
        if way == "notes":
            given = ", ".join(situation.values[name] for name in names)
        else:
            given = " ".join(situation.say(name, way) for name in names)
        output = template
        for name in names:
            output = output.replace(f"[{name}]", situation.values[name])
        return given, output

    return draw


def _field_rule(pen: Pen) -> Rule:
    """One fact taken out of a sentence or two."""
    scene = pen.situation().scene
    names = pen.rng.sample(list(scene.fields), min(2, len(scene.fields)))
    way = pen.rng.choice(("third", "first"))

    def draw() -> tuple[str, str]:
        situation = Situation(scene, pen.values, pen.new_phrasing)
        return " ".join(situation.say(name, way) for name in names), situation.values[names[0]]

    return draw


def _words_rule(pen: Pen) -> Rule:
    """A list of words: its first, last, reversed, upper case, sorted by length, doubled."""
    change = pen.rng.choice(
        (
            lambda w: w[0],
            lambda w: w[-1],
            lambda w: " ".join(reversed(w)),
            lambda w: " ".join(w).upper(),
            lambda w: ", ".join(w),
            lambda w: "-".join(w),
            lambda w: f"{w[-1]} {w[0]}",
            lambda w: str(len(w)),
        )
    )
    size = pen.rng.randint(2, 4)

    def draw() -> tuple[str, str]:
        make = pen.rng.choice((pen.values.made_word, pen.values.first_name))
        words = [make() for _ in range(size if pen.chance(0.7) else pen.rng.randint(2, 5))]
        return " ".join(words), change(words)

    return draw


def _label_rule(pen: Pen) -> Rule:
    """Words of two or three kinds, each kind with a made-up label."""
    kinds = pen.rng.sample([name for name in word_lists() if name.startswith("kind ")], pen.rng.choice((2, 2, 3)))
    labels = [pen.rng.choice((pen.values.made_word(), kind.removeprefix("kind "), kind[5].upper())) for kind in kinds]

    def draw() -> tuple[str, str]:
        index = pen.rng.randrange(len(kinds))
        return pen.values.pick(kinds[index]), labels[index]

    return draw


def _wrap_rule(pen: Pen) -> Rule:
    """A value with something fixed put before or after it."""
    kind = pen.rng.choice(("name", "code", "town", "amount", "date"))
    before = pen.rng.choice(("", "<", "The ", capital(pen.values.made_word()) + " ", pen.values.code() + ": "))
    after = pen.rng.choice(("", ">", "!", " " + pen.values.made_word(), ".", " (done)"))

    def draw() -> tuple[str, str]:
        value = pen.values.draw(kind)
        return value, f"{before}{value}{after}"

    return draw


RULES: tuple[tuple[str, Callable[[str, str], str]], ...] = (
    ("[Answer|Reply] [only |]in capital letters.", lambda answer, word: answer.upper()),
    ("[Begin|Start] [every|each] [answer|reply] with {word}.", lambda answer, word: f"{word} {answer}"),
    ("[End|Finish] [every|each] [answer|reply] with {word}.", lambda answer, word: f"{answer} {word}"),
    ("[Sign|Sign off] [every|each] [answer|reply] with a line {word}.", lambda answer, word: f"{answer}\n{word}"),
    ('[Put|Set] [every|each] [answer|reply] in quotation marks[.|, like "this".]', lambda answer, word: f'"{answer}"'),
    ('[Answer|Reply] as JSON[ with the key answer|: {"answer": …}].', lambda answer, word: f'{{"answer": "{answer}"}}'),
    ("[Put|Set] [every|each] answer between stars.", lambda answer, word: f"*{answer}*"),
    ("[Call|Address] the user {word} [first|at the start], then answer.", lambda answer, word: f"{word}, {answer}"),
    ("[Answer|Reply] after the word Answer and a colon.", lambda answer, word: f"Answer: {answer}"),
    ("[Use|Write] [capital letters|capitals|upper case] [only|in every answer].", lambda answer, word: answer.upper()),
    ("[Use|Write] [small letters|lower case] [only|in every answer].", lambda answer, word: answer.lower()),
    (
        "[Place|Put|Write] {word} [before|in front of] [the|every|each] [answer|reply].",
        lambda answer, word: f"{word} {answer}",
    ),
    (
        "[Place|Put|Write|Add] {word} [after|behind] [the|every|each] [answer|reply].",
        lambda answer, word: f"{answer} {word}",
    ),
    (
        "[The first|Your first] word is [always|every time] {word}[, then comes the answer|].",
        lambda answer, word: f"{word} {answer}",
    ),
    ("[The last|Your last] word is [always|every time] {word}.", lambda answer, word: f"{answer} {word}"),
    ("[Enclose|Set|Put] [the|every] [answer|reply] in (round brackets).", lambda answer, word: f"({answer})"),
    (
        "[Enclose|Set|Put] [the|every] [answer|reply] [in square brackets|between square brackets].",
        lambda answer, word: f"<{answer}>".replace("<", "[").replace(">", "]"),
    ),
    ("[Quote|Use quotation marks around] [the|every|each] [answer|reply].", lambda answer, word: f'"{answer}"'),
    (
        "[Begin|Start] with a line {word}, [then the answer|and give the answer below it].",
        lambda answer, word: f"{word}\n{answer}",
    ),
    ("[Give|Write] [the|each] answer as {word} = answer.", lambda answer, word: f"{word} = {answer}"),
    ("[Give|Write] [the|each] answer as a point of a list, with a dash.", lambda answer, word: f"- {answer}"),
    (
        "[Say|Give|Write] [the|every|each] answer twice, with a comma between.",
        lambda answer, word: f"{answer}, {answer}",
    ),
    (
        "[End|Close] [the|every|each] answer with [an exclamation mark|a loud mark: !].",
        lambda answer, word: f"{answer}!",
    ),
    ("[No rule|There is no special form]: [answer|reply] [plainly|with the bare fact].", lambda answer, word: answer),
)
RULES_NEW: tuple[tuple[str, Callable[[str, str], str]], ...] = (
    ("Shout: big letters throughout.", lambda answer, word: answer.upper()),
    ("Let {word} be the very first thing in whatever you say.", lambda answer, word: f"{word} {answer}"),
    ("The closing word of anything you say is {word}.", lambda answer, word: f"{answer} {word}"),
    ("Wrap what you say in double quotes.", lambda answer, word: f'"{answer}"'),
)


def system_rule(pen: Pen) -> Task:
    """Answer a question under a rule that the system message lays down."""
    situation = pen.situation()
    names = situation.some_fields(2, 4)
    way = pen.rng.choice(("third", "first"))
    text = " ".join(situation.say(name, way) for name in names)
    rule, change = pen.rng.choice(RULES_NEW if pen.new_phrasing else RULES)
    word = pen.rng.choice((pen.values.first_name(), capital(pen.values.made_word()), pen.values.code()))
    system = pen.say((rule.replace('{"answer": …}', "<json>"),), {"word": word}).replace("<json>", '{"answer": …}')
    messages: list[Message] = [{"role": "system", "content": system}]
    asked = pen.rng.sample(names, min(len(names), pen.rng.choice((1, 1, 2))))
    for index, name in enumerate(asked):
        question = situation.say(name, "ask")
        messages.append({"role": "user", "content": f"{text}\n\n{question}" if index == 0 else question})
        messages.append({"role": "assistant", "content": change(situation.values[name], word)})
    return Task(tuple(messages))


SKILLS = {"few_shot": few_shot, "system_rule": system_rule}
