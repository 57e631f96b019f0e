"""Answering from a text: questions with an answer in it and without one, true or false, quoting, several turns."""

from collections.abc import Sequence

from ..scenes import Situation
from .task import Pen, Task, dialogue, passage

ASK_BRIEF = (
    "{question}", "{question}", "[Answer|Reply] [briefly|in a few words]: {question}", "From the text: {question}",
    "[Read this and answer.|Here is a text.] {question}", "{question} [Only the answer.|Just the fact, please.]",
    "[Use only the text.|Look in the text.] {question}",
    "[Question|Q|My question]: {question}", "[Please answer|Can you tell me|Tell me]: {question}", "{question} [Keep it short.|Short answer.|No sentence, just the answer.]",
    "[I have read this|I did not read it all|Help me with this]. {question}", "[Find|Look for|Search for] the answer: {question}",
    "[One thing|Only this]: {question}", "{question} [Thanks.|Please.|Thank you.]", "[According to|Based on|Judging by] [the text|this|what is written], [answer this|tell me]: {question}",
    "~With nothing but the words above or below to go on: {question}",
)  # fmt: skip
ASK_UNKNOWN = (
    'If the text does not say, [answer|write|reply] "{unknown}". {question}',
    '{question} [Say|Write] "{unknown}" [if it is not there|where the text does not tell].',
    '{question} (If not given: "{unknown}")',
    '{question} [Unknown|Nothing there|Not found]? [Then|In that case] [write|say|answer] "{unknown}".',
    '[Answer|Reply] "{unknown}" [unless|if not|except where] the text [tells|answers|says it]. {question}',
    '[Do not guess|No guessing|Never invent]: "{unknown}" is [an|a good] answer too. {question}',
    '{question} [When|If] [it is missing|nothing is said], [put|use] "{unknown}".',
    'Question: {question}\nAnswer from the text or "{unknown}".',
    '~{question} Should the words not tell you, put "{unknown}".',
)
UNKNOWN = (
    "not given",
    "unknown",
    "not stated",
    "The text does not say.",
    "n/a",
    "no answer",
    "not mentioned",
    "I cannot tell.",
)


def _text(pen: Pen, situation: Situation, names: Sequence[str], noise: int) -> str:
    kind = pen.rng.random()
    if kind < 0.35:
        return dialogue(situation, names, noise, pen.rng)
    return passage(situation, names, "third" if kind < 0.7 else "first", noise, pen.rng)


def _shuffled(pen: Pen, names: list[str]) -> list[str]:
    if pen.chance(0.4):
        pen.rng.shuffle(names)
    return names


def answer_question(pen: Pen) -> Task:
    """Answer a question from a text with the bare fact, or say that it is not there."""
    situation = pen.situation()
    names = _shuffled(pen, situation.some_fields(2, 6))
    text = _text(pen, situation, names, pen.rng.choice((0, 0, 1, 2)))
    question, answer = ask_fact(pen, situation, names, text)
    return pen.task(pen.pose(question, text), answer)


def ask_fact(pen: Pen, situation: Situation, names: Sequence[str], text: str) -> tuple[str, str]:
    """Return a question about one of the text's facts, or one that it leaves open, and the answer."""
    missing = [name for name in situation.scene.fields if name not in names and situation.values[name] not in text]
    if missing and pen.chance(0.3):
        name, answer = pen.rng.choice(missing), pen.rng.choice(UNKNOWN)
        return pen.say(ASK_UNKNOWN, {"question": situation.say(name, "ask"), "unknown": answer}), answer
    name = pen.rng.choice(names)
    slots = {"question": situation.say(name, "ask"), "unknown": pen.rng.choice(UNKNOWN)}
    return pen.say(ASK_UNKNOWN if pen.chance(0.3) else ASK_BRIEF, slots), situation.values[name]


def several_questions(pen: Pen) -> Task:
    """Answer several questions about one text, turn by turn."""
    situation = pen.situation()
    names = _shuffled(pen, situation.some_fields(3, 7))
    text = _text(pen, situation, names, pen.rng.choice((0, 1)))
    asked = pen.rng.sample(names, min(len(names), pen.rng.randint(3, 7)))
    turns = [(situation.say(name, "ask"), situation.values[name]) for name in asked]
    if pen.chance(0.3):  # the same again in other words
        turns += [(situation.say(name, "ask"), situation.values[name]) for name in pen.rng.sample(asked, len(asked))]
    return pen.conversation(text, turns)


FULL = (
    "{question} [Answer in a full sentence.|Reply with a whole sentence.]",
    "[In a full sentence|As a sentence]: {question}",
    "{question} [Use|Write|Give] [a|one] [complete|whole|full] sentence.",
    "[Answer|Reply] [in|with] one [complete|whole] sentence: {question}",
    "{question} [Not only the word, the sentence.|A sentence, please.|Put it in a sentence.]",
    "[Say it|Answer] in full: {question}",
    "[Please form|Make] a sentence [of|from] the answer. {question}",
    "~{question} Please do not answer with a fragment.",
)


def answer_in_sentence(pen: Pen) -> Task:
    """Answer a question from a text with the plain full sentence."""
    situation = pen.situation()
    names = _shuffled(pen, situation.naming(situation.some_fields(2, 5), "plain"))
    text = _text(pen, situation, names, pen.rng.choice((0, 1)))
    name = pen.rng.choice(names)
    question = pen.say(FULL, {"question": situation.say(name, "ask")})
    return pen.task(pen.pose(question, text), situation.plain(name))


TRUE_FALSE = (
    ("[True or false|Is this true or false]: {claim}", "true", "false"),
    ("{claim} [True or false?|Answer true or false.]", "true", "false"),
    ("[Does the text say this?|Is this right?] {claim} [Answer yes or no.|Yes or no?]", "yes", "no"),
    ("[Check|Judge] the claim with [right or wrong|the word right or wrong]: {claim}", "right", "wrong"),
    ("[Is this supported by the text (yes or no)|According to the text, yes or no]: {claim}", "yes", "no"),
    (
        "[Verify|Test|Examine] [this|the statement] [against|with] the text[ (true or false)|: true or false]: {claim}",
        "true",
        "false",
    ),
    ("Claim: {claim}\n[Correct or incorrect|Is it correct or incorrect]?", "correct", "incorrect"),
    ("Statement: {claim} [Is it|Would you say it is] true or false?", "true", "false"),
    ("{claim} [Do you agree|Is that so|Can that be]? [yes or no|Yes or no.|Answer with yes or no.]", "yes", "no"),
    (
        "[I was told|They say|I believe] [this|the following]: {claim} [Right or wrong?|Is that right or wrong?]",
        "right",
        "wrong",
    ),
    ("[Mark|Tick] the sentence as true or false: {claim}", "true", "false"),
    ("{claim} (true/false)", "true", "false"),
    ("{claim} (yes/no)", "yes", "no"),
)
TRUE_FALSE_NEW = (
    ("Someone claims: {claim} Does that hold up? yes or no", "yes", "no"),
    ("Weigh this against the text and say true or false: {claim}", "true", "false"),
)


def true_or_false(pen: Pen) -> Task:
    """Judge a statement against a text."""
    situation = pen.situation()
    names = _shuffled(pen, situation.some_fields(2, 5))
    text = _text(pen, situation, names, pen.rng.choice((0, 1)))
    name = pen.rng.choice(names)
    claim, answer_index = situation.say(name, "third"), 0
    if pen.chance(0.5):
        other = pen.values.draw(situation.scene.fields[name].kind)
        if other == situation.values[name] or situation.values[name] not in claim:
            return true_or_false(pen)
        claim, answer_index = claim.replace(situation.values[name], other), 1
    form, *words = pen.rng.choice(TRUE_FALSE_NEW if pen.new_phrasing else TRUE_FALSE)
    return pen.task(pen.pose(pen.say((form,), {"claim": claim}), text), words[answer_index])


QUOTE = (
    "[Which sentence|Quote the sentence that] [tells|gives|says] [the|us the] {label}[?|.]",
    "[Copy|Give] the sentence [with|about] the {label}.",
    "[Where|In which sentence] does it [say|give] the {label}? [Quote it.|Copy that sentence.]",
    "[Find|Give me|Show] the [sentence|line] [on|about|that holds|with] the {label}.",
    "[Cite|Quote|Repeat] [what is said|what it says] about the {label}[, the whole sentence|].",
    "[Which|What] [line|sentence] [mentions|names|holds|is about] the {label}[?|: give it whole.]",
    "[Proof|Evidence|Source] for the {label}[: which sentence?|, please.]",
    "[Extract|Copy out] the [whole|full|one] sentence [telling|stating] the {label}.",
    "{label}: [which sentence?|quote it.]",
    "~Point me to the exact words on the {label}.",
)


def quote_sentence(pen: Pen) -> Task:
    """Quote the sentence of a text that gives a certain fact."""
    situation = pen.situation()
    names = _shuffled(pen, situation.some_fields(2, 5))
    way = pen.rng.choice(("third", "first"))
    said = {name: situation.say(name, way) for name in names}
    sentences = [*said.values(), *(situation.noise(way) for _ in range(pen.rng.choice((0, 1))))]
    pen.rng.shuffle(sentences)
    name = pen.rng.choice(names)
    question = pen.say(QUOTE, {"label": situation.label(name)})
    return pen.task(pen.pose(question, " ".join(sentences)), said[name])


ABOUT = (
    "[What does this sentence tell|What is this about]: {options}?",
    "[Choose|Pick] what [this|the sentence] [gives|tells]: {options}.",
    "[Label|Mark] the sentence with one of: {options}.",
    "[Which of these|Which one] [is given|is told|is in the sentence]: {options}?",
    "[Classify|Tag|Sort] the sentence: {options}.",
    "[The sentence|This] [is about|concerns|gives] one of {options}. Which?",
    "[Options|Labels|Choices]: {options}. [Which one|Which] [applies|fits]?",
    "[Decide between|Select from|Assign one of] {options}.",
    "~Of {options}, which one does the line speak to?",
)


def label_sentence(pen: Pen) -> Task:
    """Say which of several facts a sentence gives."""
    situation = pen.situation()
    names = situation.some_fields(2, 5)
    if len(names) < 2:
        return label_sentence(pen)
    labels = {name: situation.label(name) for name in names}
    name = pen.rng.choice(names)
    options = list(dict.fromkeys(labels.values()))
    pen.rng.shuffle(options)
    question = pen.say(ABOUT, {"options": ", ".join(options)})
    return pen.task(
        pen.pose(question, situation.say(name, pen.rng.choice(("third", "first"))), "Sentence"), labels[name]
    )


SKILLS = {
    "answer_question": answer_question,
    "several_questions": several_questions,
    "answer_in_sentence": answer_in_sentence,
    "true_or_false": true_or_false,
    "quote_sentence": quote_sentence,
    "label_sentence": label_sentence,
}
