"""What a talk settles about a list of things: there, missing or not known, where questions take several at once."""

from ..grammar import capital
from .task import Pen, Task

KINDS = ("fruit", "vegetable", "tool", "furniture", "clothing", "kitchen thing", "office thing", "instrument", "drink")
YES, NO, UNKNOWN = "yes", "no", "unknown"

# A question and, after '>', an answer; {x}, {y} and {z} are the things asked about.
Forms = dict[tuple[str, ...], tuple[str, ...]]
ONE: Forms = {
    (YES,): (
        "[Got|Do we have|Have we got] {x}? > [We do|Right here|Sure|In the corner there|Got it|Of course].",
        "[How about|What of] {x}? > [Ticked|That we have|Plenty|More than enough|I put it in myself].",
        "[Did anyone|Did they] bring {x}? > [They did|Somebody did|Yes, they brought it|It came this morning].",
        "[Next on my list|Now the next|Then]: {x}. > [Yes|Here|Present|There it is|It's in the box].",
        "[Is the|Is our] {x} [here|there|in]? > [It is|Yes it is|Where it always is|Just came in].",
        "[We lack|We have no] {x}, [right|I think]? > [No, we have it|Wrong, it's here|Oh, but there is].",
        "[Don't tell me|I fear] {x} is missing. > [It isn't|No, it's here|Don't worry, I have it].",
        "~Would {x} be among them? > It would.",
        "~Can I tick {x}? > Tick it.",
    ),
    (NO,): (
        "[Got|Do we have|Have we got] {x}? > [We don't|Missing|Sold out|Gone|Sadly not|Afraid not].",
        "[How about|What of] {x}? > [Not here|That's missing|We have none|There was none to be had|Out of it].",
        "[Did anyone|Did they] bring {x}? > [Nobody did|They didn't|They forgot it|It was left at home].",
        "[Next on my list|Now the next|Then]: {x}. > [No|Lacking|Nothing of the kind|Put it on the shopping list].",
        "[Is the|Is our] {x} [here|there|in]? > [It isn't|It is not|It went missing|It broke last week].",
        "[We lack|We have no] {x}, [right|I think]? > [Right|Indeed|So it is|True, there is none].",
        "[Don't tell me|I fear] {x} is missing. > [It is|You're right|I'm sorry, yes].",
        "~Would {x} be among them? > It would not.",
        "~Can I tick {x}? > Leave it blank.",
    ),
    (UNKNOWN,): (
        "[Got|Do we have|Have we got] {x}? > [I'd have to look|No clue|Ask me later|I can't see from here].",
        "[How about|What of] {x}? > [Could be|Who knows|I never checked|You'd have to ask someone else].",
        "[Next on my list|Now the next|Then]: {x}. > [I forget|That I can't tell|It may be, it may not].",
        "[Is the|Is our] {x} [here|there|in]? > [I have no way to know|I didn't see|Your guess is as good as mine].",
        "~Would {x} be among them? > Beyond me.",
    ),
}
TWO: Forms = {
    (YES, YES): (
        "{x} and {y}? > [Both|Both are here|The two of them, yes|We have both].",
        "[Got|Do we have] {x}, [or|and] {y}? > [Both of them|Either|One and the other|Yes and yes].",
        "~Could {x} and {y} be crossed off? > The pair, gladly.",
    ),
    (NO, NO): (
        "{x} and {y}? > [No luck with either|Both missing|Neither one|We lack the pair of them].",
        "[Got|Do we have] {x}, [or|and] {y}? > [We have neither|Nothing like that|None of these|I see no {x} and no {y}].",
        "[Without|No] {x}, [without|no] {y}? > [Without|Correct, without either|So it is, neither].",
        "~Could {x} and {y} be crossed off? > You cannot cross off a single one.",
    ),
    (YES, NO): (
        "{x} and {y}? > [Just the former|The first we have, the other we don't|{x} we have, {y} we don't].",
        "[Got|Do we have] {x}, [or|and] {y}? > [{x}, but not {y}|Only {x}|Just {x}|I found {x} and nothing else].",
        "[Without|No] {x}, [without|no] {y}? > [There is {x}|We do have {x}], but [{y} is missing|no {y}].",
        "~Could {x} and {y} be crossed off? > The one named first.",
    ),
    (NO, YES): (
        "{x} and {y}? > [Just the latter|Not the first, but the second|{y} we have, {x} we don't].",
        "[Got|Do we have] {x}, [or|and] {y}? > [{y}, but not {x}|Only {y}|Just {y}|Not {x}, though there is {y}].",
        "[Without|No] {x}, [without|no] {y}? > [There is {y}|We do have {y}], but [{x} is missing|no {x}].",
        "~Could {x} and {y} be crossed off? > The one named last.",
    ),
}
THREE: Forms = {
    (YES, YES, YES): ("{x}, {y}, {z}? > [All three|All of them|Everything, yes].",),
    (NO, NO, NO): ("{x}, {y}, {z}? > [None of the three|Not a single one|All of that is missing].",),
    (NO, YES, NO): ("{x}, {y}, {z}? > [Only {y}|Just the middle one|{y}, and that is all].",),
    (YES, YES, NO): ("{x}, {y}, {z}? > [All but {z}|Everything except {z}|The last is missing].",),
}
FORMS = {1: ONE, 2: TWO, 3: THREE}
CHANGED = {
    YES: (
        "[Got|How about|And the] {x}? > [No. Oh wait|Not here. Oh|Missing. One moment], [there it is|I have it after all|it was under the lid].",
        "~Anything of {x}? > Nothing. Ah, I spoke too soon.",
    ),
    NO: (
        "[Got|How about|And the] {x}? > [We do. Oh wait|Here. Oh|Ticked. One moment], [it's gone|that was last year's|it's not mine to give].",
        "~Anything of {x}? > Some. Ah, I spoke too soon.",
    ),
}
LATER = {
    YES: (
        "[Anything to change|Is the list right now|Was that all]? > {x} [is here after all|has turned up|we do have].",
        "~Shall I hand it in? > Not before you tick {x}.",
    ),
    NO: (
        "[Anything to change|Is the list right now|Was that all]? > {x} [is not here after all|has gone|we do not have].",
        "~Shall I hand it in? > Not before you strike {x}.",
    ),
}

EACH = (
    "[For|Of] each thing asked about, write yes, no or unknown.",
    "[Go through|Work through] the talk: each thing with yes, no or unknown[, a line each|].",
    "[Which things are there|What is there]? [Line by line|One line each], with yes, no or unknown.",
    "[A line|One line] for [every|each] thing [mentioned|they go through]: yes, no, or unknown.",
    "~Turn their talk into a sheet of yes, no and unknown.",
)
HERE = (
    "[List|Name|Write] what [is there|they have]. [If nothing, none.|Write none if there is nothing.]",
    "[What do they have|Which things are there]? [With commas|In one line], or none.",
    "[Only|Just] the things that [are there|they have], or none.",
    "~Tell which of it they own, or none.",
)
LACKING = (
    "[List|Name|Write] what is [missing|lacking|not there]. [If nothing, none.|Write none if nothing is missing.]",
    "[What is missing|Which things do they lack]? [With commas|In one line], or none.",
    "[Only|Just] the things that [are missing|they lack], or none.",
    "~Tell which of it they would have to buy, or none.",
)
SENTENCES = (
    "[Say|State|Write] in a short sentence for each thing [whether it is there|if they have it].",
    "[Record|Note down] thing by thing, a sentence each, what [they found|the talk says].",
    "[Write|Make] a list of sentences: there is, there is no, or not known.",
    "~Sum their check up, thing after thing, in sentences.",
)
SINGLE = (
    "[Is there|Do they have|Have they got] {x}? Yes, no or unknown.",
    "{x}: yes, no or unknown?",
    "[What about|How is it with] {x} (yes, no, unknown)?",
    "~Does {x} turn up? Say yes, no or unknown.",
)
SAID = {YES: "There is {x}.", NO: "There is no {x}.", UNKNOWN: "Not known: {x}."}


def _things(pen: Pen, count: int) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        thing = pen.values.pick(f"kind {pen.rng.choice(KINDS)}")
        if pen.chance(0.4):
            thing = f"{pen.rng.choice((pen.values.pick('colour'), pen.values.made_word()))} {thing}"
        if not any(thing in other or other in thing for other in found):
            found[thing] = None
    return list(found)


def _exchanges(pen: Pen) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Questions with their answers, and what they settle of each thing in the order in which things come up."""
    left = _things(pen, pen.rng.randint(3, 8))
    settled: dict[str, str] = {}
    turns, corrections = [], []
    while left:
        size = min(len(left), pen.rng.choices((1, 2, 3), (5, 4, 1))[0])
        these = [left.pop() for _ in range(size)]
        slots = dict(zip("xyz", these, strict=False))
        answers = pen.rng.choice(list(FORMS[size]))
        settled |= dict(zip(these, answers, strict=True))
        if answers in ((YES,), (NO,)) and pen.chance(0.15):
            turns.append(pen.say(CHANGED[answers[0]], slots))
        elif answers in ((YES,), (NO,)) and pen.chance(0.1):
            turns.append(pen.say(ONE[(NO,) if answers == (YES,) else (YES,)], slots))
            corrections.append(pen.say(LATER[answers[0]], slots))
        else:
            turns.append(pen.say(FORMS[size][answers], slots))
    return [_two(line) for line in [*turns, *corrections]], settled


def _two(line: str) -> tuple[str, str]:
    question, _, answer = line.partition(" > ")
    return capital(question), capital(answer)


def _answers(pen: Pen, settled: dict[str, str]) -> list[tuple[str, str]]:
    """Some questions about what was settled, each with its answer."""
    here = ", ".join(thing for thing, answer in settled.items() if answer == YES) or "none"
    lacking = ", ".join(thing for thing, answer in settled.items() if answer == NO) or "none"
    one = pen.rng.choice(list(settled))
    asked = [
        (pen.say(EACH), "\n".join(f"{thing}: {answer}" for thing, answer in settled.items())),
        (pen.say(SENTENCES), "\n".join(SAID[answer].format(x=thing) for thing, answer in settled.items())),
        (pen.say(HERE), here),
        (pen.say(LACKING), lacking),
        (pen.say(SINGLE, {"x": one}), settled[one]),
    ]
    return pen.rng.sample(asked, pen.rng.choice((1, 1, 2)))


def checklist(pen: Pen) -> Task:
    """Say what a talk settles about each thing asked about: two or three at once, taken back, or left open."""
    situation = pen.situation()
    turns, settled = _exchanges(pen)
    around = [situation.turn(name) for name in situation.some_fields(0, 3)]
    around += [situation.noise_turn() for _ in range(pen.rng.choice((0, 0, 1, 2)))]
    for turn in around:
        turns.insert(pen.rng.randrange(len(turns) + 1), turn)
    asker, answerer = pen.rng.choice(situation.scene.speakers)
    text = "\n".join(f"{asker}: {question}\n{answerer}: {answer}" for question, answer in turns)
    return pen.conversation(text, _answers(pen, settled), "Conversation")


SKILLS = {"checklist": checklist}
