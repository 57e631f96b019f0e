"""Longer pieces: the note of a long conversation with its corrections, and a whole document with gaps to fill."""

from collections.abc import Sequence

from ..grammar import capital
from ..scenes import Situation
from .reading import _shuffled, _text
from .task import Pen, Task

NOTE = (
    "[Write|Make|Draw up] the note of this [conversation|talk]: {plan}.",
    "[Note|File] what was said[ in the end|, with all corrections|]: {plan}.",
    "[A note|The note|A record], please. {plan}.",
    "[Turn|Make] the [talk|conversation] into a note with [these|the following] parts: {plan}.",
    "[Parts|Sections] of the note: {plan}.[ Follow the corrections.| Leave the rest out.|]",
    "[From|Out of] this [talk|conversation], [write|fill in] {plan}.",
    "[Protocol|Record|Document] the [talk|conversation] so: {plan}.",
    "[We|I] keep notes in this order: {plan}. [Write one.|Make one of this talk.|Do it here.]",
    "[Listen in|Read on] and [write down|put down] {plan}.",
    "{plan}. [Nothing else belongs in the note.|That is the note I want.|This much, as a note.]",
    "~Get their talk onto paper, arranged as follows: {plan}.",
    "~My file wants {plan}; let their talk supply it.",
)
TITLES = (
    "About", "Basics", "Case", "Core", "Details", "Facts", "First", "For the file", "Further", "General", "In short", "Items",
    "Known", "Main", "Matter", "More", "Notes", "On record", "One", "Other", "Part A", "Part B", "Particulars", "Points",
    "Remarks", "Rest", "Second", "Situation", "So far", "Then", "To know", "Top", "Two", "What", "Who and what",
)  # fmt: skip
SENTENCES = ("[Full|Whole|Plain] sentences.", "[A sentence|One sentence] each.", "~Put it in sentences.")
PAIRS = (
    "[Label and value|Keyword: value], a line each.",
    "[No sentences|Just the values], [label: value|each after its label].",
    "~Keep it to label and value.",
)
DASHED = (
    "[A dash before each|Each with a dash].",
    "[Dash|Put a dash] in front of [every|each] line.",
    "~Dashes lead the lines.",
)
AT_ONCE = (
    "[No|Wait|Sorry|Wrong], [make that|I meant|it is] {right}.",
    "[No, no|I misspoke|My mistake]: {right}[, not {wrong}|].",
    "[Or no|Let me think|One moment]. {right}[, I am sure|, that is it|].",
    "[Scratch that|Forget that|That was wrong]. It is {right}.",
    "~What am I saying? {right}, of course.",
)
LATER = (
    "[You said|I wrote down|So it is] {wrong}[, correct|, yes|]? > [No|Not quite|Sorry, no], {right}.",
    "[Is {wrong} right|Have I got {wrong} right|Really {wrong}]? > [I was wrong there|I have to correct that|I mixed it up]: {right}.",
    "[Anything to correct|Is it all right so far|Shall I change anything]? > [Yes|One thing], [it was|it is|make it] {right}, not {wrong}.",
    "~{wrong}, then? > On reflection, {right}.",
)


def _talk(pen: Pen, situation: Situation, names: Sequence[str], noise: int) -> str:
    """A conversation in which fields come up in any order, now and then one wrongly at first."""
    asker, answerer = pen.rng.choice(situation.scene.speakers)
    turns = []
    corrected = pen.rng.choice(names) if pen.chance(0.5) else situation.scene.person
    correction = None
    for name in names:
        wrong = pen.values.draw(situation.scene.fields[name].kind)
        if name != corrected or name == situation.scene.person or wrong == situation.values[name]:
            turns.append(situation.turn(name))
            continue
        question, answer = situation.turn(name, wrong)
        slots = {"right": situation.values[name], "wrong": wrong}
        if pen.chance(0.5):
            answer += " " + pen.say(AT_ONCE, slots)
        else:
            correction = pen.say(LATER, slots)
        turns.append((question, answer))
    for _ in range(noise):
        turns.insert(pen.rng.randrange(len(turns) + 1), situation.noise_turn())
    if correction:
        question, _, answer = correction.partition(" > ")
        turns.append((capital(question), capital(answer)))
        if pen.chance(0.5):
            turns.append(situation.noise_turn())
    return "\n".join(f"{asker}: {question}\n{answerer}: {answer}" for question, answer in turns)


def talk_to_note(pen: Pen) -> Task:
    """Write a long conversation up under headings: what the prompt lists for each, as it stands after corrections."""
    situation = pen.situation()
    said = situation.naming(situation.some_fields(4, 9), "plain")
    noted = [name for name in said if pen.chance(0.85)][:7]
    labels = {name: situation.label(name) for name in noted}
    if len(noted) < 2 or len(set(labels.values())) < len(noted):
        return talk_to_note(pen)
    text = _talk(pen, situation, _shuffled(pen, list(said)), pen.rng.randint(0, 6))
    cuts = sorted(pen.rng.sample(range(1, len(noted)), min(len(noted) - 1, pen.rng.choice((1, 1, 2, 3)))))
    groups = [noted[start:end] for start, end in zip([0, *cuts], [*cuts, len(noted)], strict=True)]
    titles = pen.rng.sample(TITLES, len(groups))
    joiner = pen.rng.choice((", ", ", ", " and ", " + "))
    colon = pen.rng.choice((": ", ": ", " = ", " - "))
    plan = pen.rng.choice(("; ", "; ", "\n", " / ")).join(
        f"{title}{colon}{joiner.join(labels[name] for name in group)}"
        for title, group in zip(titles, groups, strict=True)
    )
    whole, dashed = pen.chance(0.5), pen.chance(0.3)
    asked = pen.say(NOTE, {"plan": "{plan}"}).replace("{plan}", plan)
    asked += " " + pen.say(SENTENCES if whole else PAIRS) + (" " + pen.say(DASHED) if dashed else "")
    lines = []
    for title, group in zip(titles, groups, strict=True):
        lines.append(title + ":" * (colon == ": "))
        for name in group:
            line = situation.plain(name) if whole else f"{capital(labels[name])}: {situation.values[name]}"
            lines.append("- " * dashed + line)
    return pen.task(pen.pose(asked, text, "Conversation"), "\n".join(lines))


DOCUMENT = (
    "[Fill|Complete] the gaps of the document from [the text|what follows].",
    "[Write|Give me] the [letter|document|sheet|paper] [below|that follows] with all brackets [filled|replaced].",
    "[Every|Each] bracket of the [draft|form letter|document] gets its [value|fact] from the text.",
    "[This|The] draft is [missing its facts|unfinished]. [Finish it|Complete it] [from|with] the text.",
    "[Put|Set] the facts into the [draft|document], [change nothing else|leave the rest as it is].",
    "[Replace|Resolve] the brackets. [The facts are in the text.|The text has the facts.]",
    "[I drafted|We drafted|Here is] a [document|text|page] with gaps. [Fill them all.|What is the finished one?]",
    "[The finished document|The whole document|The complete page], please, [no brackets left|with the facts put in].",
    "~Copy my draft out and close every gap from the source.",
)


def fill_document(pen: Pen) -> Task:
    """Write a drafted document out, every bracket replaced by its fact from a text or a conversation."""
    situation = pen.situation()
    names = situation.some_fields(3, 7)
    text = _text(pen, situation, _shuffled(pen, list(names)), pen.rng.choice((0, 1, 2, 4)))
    labels = {name: situation.label(name) for name in names}
    draft = _draft(pen, situation, {name: f"[{labels[name]}]" for name in names})
    answer = draft
    for name in names:
        if situation.values[name] not in text:
            return fill_document(pen)
        answer = answer.replace(f"[{labels[name]}]", situation.values[name])
    if len(set(labels.values())) < len(names) or "[" in answer:
        return fill_document(pen)
    question = pen.say(DOCUMENT)
    asked = (f"{question}\n{draft}", f"{draft}\n\n{question}", f"{question}\n\n---\n{draft}\n---")
    return pen.task(pen.pose(pen.rng.choice(asked), text), answer)


def _draft(pen: Pen, situation: Situation, marks: dict[str, str]) -> str:
    """Sentences and lines with a bracket for every field, in any order, under a made-up title."""
    parts, glue = [], pen.rng.choice(("\n", "\n", " "))
    for name in _shuffled(pen, list(marks)):
        line = situation.say(name, "third", marks) if pen.chance(0.7) else ""
        if marks[name] not in line or any(value in line for value in situation.values.values()):
            line = f"{capital(marks[name][1:-1])}: {marks[name]}" + "." * (glue == " ")
        parts.append(line)
    title = pen.rng.choice(("", "", f"{pen.values.made_word().upper()}\n", f"# {pen.rng.choice(TITLES)}\n"))
    return title + glue.join(parts)


SKILLS = {"talk_to_note": talk_to_note, "fill_document": fill_document}
