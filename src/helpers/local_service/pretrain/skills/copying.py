"""Copying and looking up: the skills without which a fine-tuned model invents names and numbers."""

from ..grammar import capital
from .task import Pen, Task, sentence_list

REPEAT = (
    "[Repeat|Copy] [this|the text] [exactly|word for word|as it stands|without changes].",
    "[Please say|Say] [this|it] again[, exactly|, letter by letter|].",
    "[Write|Type] [the following|this] [again|out once more] [exactly|without any change].",
    "Give [this|the line] back [to me|] [unchanged|as it is].",
    "[Echo|Reproduce] what I [write|send] [here|below|].",
    "[I need|Please make] an exact copy of this.",
    "What did I just [write|say]? [Word for word.|Quote it.]",
    "[Return|Output|Print] [this|the text|the input] [unchanged|verbatim|without a change|and nothing else].",
    "[Keep|Leave] [every|each] [letter|sign|word] [as it is|the same] and [write|send] [it|this] [back|again].",
    "[Now you|Your turn]: [say|write|repeat] [the same|exactly the same].",
    "[Do not change anything|Change nothing]: [just repeat|only copy] [it|this|the line].",
    "[Make|Give me] [one more of this|the same text again].",
    "[Read|Take] [this|it] and [repeat|return|answer with] [it|the very same words].",
    "[Kindly|Please] [restate|recite|reprint] [this|the line|these words][ in full|, letter for letter|].",
    "[Send|Post|Pass] [me|us] [back|in return] [what you got|what you were given|the text you see].",
    "[Duplicate|Transcribe|Quote] [this|it|the passage] [faithfully|accurately|precisely|without any slip].",
    "[Let me see|Show me] [this|the text|the line] [once more|a second time].",
    "[Your|The] [answer|reply|output] [must be|is to be|should be] [identical to|the same as] [the text|the input|what stands here].",
    "[No edits|No changes|No additions|Nothing new]: [only the text itself|just this again].",
    "[I will|Let me] [check|test] [your copying|how well you copy]: [write|type] [this|it].",
    "[Carry|Take] [this|the line] over [as is|letter by letter|just as it reads].",
    "[How did|How does] [my text|this line] [go|read]? [Give it whole.|Say all of it.]",
    "[Preserve|Keep] [spelling, signs and numbers|everything] and [return|repeat] [the line|the text].",
    "[For the record|To be sure], [read this back|repeat this] [to me|].",
    "[Fill|Put] [this very text|exactly this] into [your answer|the reply].",
    "~Mirror my words without altering a thing.",
    "~Whatever comes next, hand it back untouched.",
)


def copy_text(pen: Pen) -> Task:
    """Say again a name, a code, a number, a list or a sentence, exactly."""
    values, rng = pen.values, pen.rng
    makers = (
        values.name, values.code, values.digits, values.email, values.phone, values.address,
        lambda: f"{values.name()}, {values.code()}",
        lambda: values.words(3, 12), lambda: capital(values.words(1, 3)), lambda: values.words(2, 6).title(),
        lambda: f"{capital(values.made_word())} {values.pick('product').split()[-1]}",
        lambda: sentence_list([values.made_word() for _ in range(rng.randint(2, 6))], rng),
        lambda: sentence_list([values.name() for _ in range(rng.randint(2, 4))], rng),
        lambda: sentence_list([values.code() for _ in range(rng.randint(2, 4))], rng),
        lambda: f"{values.name()} paid {values.amount()} on {values.date()}.",
        lambda: _sentence(pen),
        lambda: _sentence(pen),
        lambda: " ".join(values.made_word() for _ in range(rng.randint(1, 6))),
        values.measure,
        lambda: f"{values.made_word()} {values.measure()}",
        lambda: f"{values.name()}, {capital(values.made_word())} {values.words(1, 2)}, {values.measure()}",
        lambda: sentence_list([f"{values.made_word()} {values.measure()}" for _ in range(rng.randint(2, 5))], rng),
        lambda: " ".join(_sentence(pen) for _ in range(rng.randint(2, 4))),
    )  # fmt: skip
    text = rng.choice(makers)()
    return pen.task(pen.pose(pen.say(REPEAT), text), text)


def _sentence(pen: Pen) -> str:
    situation = pen.situation()
    return situation.say(pen.rng.choice(list(situation.scene.fields)), pen.rng.choice(("third", "first")))


LOOK_UP = (
    "[What is|Give me|Tell me|I need] the {label} of {who}[.|, please.]",
    "[What's|Which is] {who}'s {label}?",
    "{who}: {label}?",
    "[Find|Look up] the {label} [for|of] {who}.",
    "[Which|What] {label} [belongs to|does the list give for] {who}?",
    "I am looking for {who}'s {label}.",
    "[Please check|Check|See|Look in] the list: [what is|which is] {who}'s {label}?",
    "[Do you know|Can you tell me|Could you find] [the {label} of {who}|{who}'s {label}]?",
    "[Under|With] [which|what] {label} [is|do we have] {who}?",
    "[Say|Write|Return|Quote] [only |just |]the {label} [of|for|that goes with|listed for] {who}.",
    "[Get|Fetch|Read me|Show] {who}'s {label}.",
    "[Someone asks for|We need|They want] the {label} of {who}. [What is it?|Which one is it?]",
    "[Search|Scan|Go through] [the entries|the records|all of it] and [report|state|return] {who}'s {label}.",
    "[State|Report|Name|Provide] the {label} [recorded|noted|entered|kept|shown] for {who}.",
    "[According to|As per|Going by] [the list|the data|these records], [what is|which is] the {label} of {who}?",
    "[How|What] [reads|does] the {label} [entry|field|line] [of|for] {who}[ say|]?",
    "[Could I have|May I have|Let me have] {who}'s {label}[, please|]?",
    "{label} [of|for] {who}[?|, please.]",
    "[I forgot|I have lost|I cannot find] {who}'s {label}. [Help me.|What was it?|Which is it?]",
    "[Concerning|Regarding|About] {who}: [what is the|the] {label}?",
    "[Match|Pair] {who} with the [right|correct] {label}.",
    "[Only one thing|One question]: {who}'s {label}?",
    "[Copy out|Extract|Retrieve] the {label} that [stands beside|belongs with|was given to] {who}.",
    "[Does anyone know|Tell us] [which|what] {label} {who} has[?|.]",
    "~Next to {who}, what stands under {label}?",
    "~For {who}, please read out the {label}.",
)
REVERSE = (
    "Who has the {label} {value}?",
    "Whose {label} is {value}?",
    "[Which|What] [person|name] [goes with|belongs to] [the {label} |]{value}?",
    "Find the [person|name] [with|for] {label} {value}.",
    "[Who is|Name] the [person|one] [whose {label} is|with the {label}] {value}[?|.]",
    "[To whom|To which person] does the {label} {value} belong?",
    "[Search|Scan] for {value} and [give|tell] [the name|whose it is].",
    "{value}: [whose|which person's] {label} is [that|this]?",
    "[We found|Somebody left] the {label} {value}. Whose is it?",
    "[Identify|State] the [owner|holder|bearer] of {label} {value}.",
    "[Beside which name|In whose row] [stands|is] {value}?",
    "~{value} appears as the {label} of which person?",
)


def _record_kinds(pen: Pen) -> dict[str, str]:
    return {
        "number": "code", "code": "code", "phone": "phone", "e-mail": "email", "town": "town", "address": "address",
        "date": "date", "amount": "amount", "time": "time", "room": "int 1..400", "age": "int 1..99", "key": "code",
        "seat": "code", "dose": "measure", "size": "measure", "score": "int 0..100", "colour": "@colour", "fee": "amount", "birthday": "date",
        "manager": "name", "teacher": "name", "doctor": "name", "password": "code", "day": "weekday", "share": "percent",
    }  # fmt: skip


def look_up(pen: Pen) -> Task:
    """Find one person's value in a list, table or set of sentences; or the person for a value."""
    people, labels, rows = _records(pen)
    question, answer = _ask_records(pen, people, labels, rows)
    text = _layout(pen, people, labels, rows)
    return pen.task(pen.pose(question, text, pen.rng.choice(("List", "Data", "Records", "Notes"))), answer)


def look_up_turns(pen: Pen) -> Task:
    """Look up one value after another in the same list, turn by turn."""
    people, labels, rows = _records(pen)
    turns = [_ask_records(pen, people, labels, rows, brief=0.5 * (i > 0)) for i in range(pen.rng.randint(5, 14))]
    text = _layout(pen, people, labels, rows)
    return pen.conversation(text, turns, pen.rng.choice(("List", "Data", "Records", "Notes")))


PAIRS = (
    "[Answer|Reply] with what [goes with|belongs to|stands beside] [each|the] word.",
    "[I name one, you|I say one part, you] [name|say|give] the other.",
    "[Look up|Find] the [partner|other half|match].",
    "[What goes with it?|Which one belongs to it?]",
    "[Use|Read] [this|the] list[ to answer|].",
    "[Every|Each] [word|thing] here has [one that goes with it|its other half]. [Tell me which.|Give it when I ask.]",
    "[Match|Pair] [what I say|my word] with [its line|the list].",
    "[This is|Here is] a [small |]table. I [read|give] one side, you [read|give] the other.",
    "[Consult|Search] the list for [each question|every word I send].",
    "[Treat|Use] this as a dictionary[ and translate what I send|].",
    "~Every entry has a mate; name it.",
)
ASK_PAIR = (*["{this}"] * 6, "{this}?", "{this}:", "What is {this}?", "[What|Which] goes with {this}?", "And {this}?")
ASK_BACK = ("What has {this}?", "Which one has {this}?", "{this} belongs to what?")
# With nothing between the two, a model that can copy has it at once: that case comes half the time.
LINKS = (*[" "] * 5, ": ", " = ", " -> ", " - ", " is ", ", ", " has ")


def pairs(pen: Pen) -> Task:
    """Name what goes with a word in a list of pairs, turn by turn: looking up, with nothing else to understand."""
    values, rng = pen.values, pen.rng
    makers = (
        lambda: values.pick("common"), values.first_name, values.made_word, values.name, values.code, values.town,
        lambda: values.integer(0, 999), lambda: values.pick("colour"), lambda: values.pick("product"), values.amount,
    )  # fmt: skip
    make_key, make_value = rng.choice(makers), rng.choice(makers)
    book = {make_key(): make_value() for _ in range(rng.randint(2, 10))}
    link, glue = rng.choice(LINKS), rng.choice(("\n", "\n", "; ", ". "))
    text = glue.join(f"{key}{link}{value}" for key, value in book.items())
    back = {value: key for key, value in book.items()}
    turns = []
    for _ in range(rng.randint(4, 14)):
        key = rng.choice(list(book))
        if pen.chance(0.2) and len(back) == len(book):
            turns.append((pen.say(ASK_BACK, {"this": book[key]}), key))
        else:
            turns.append((pen.say(ASK_PAIR, {"this": key}), book[key]))
    turns[0] = (f"{pen.say(PAIRS)}\n{turns[0][0]}", turns[0][1])
    return pen.conversation(text, turns, "List")


Rows = list[dict[str, str]]


def _records(pen: Pen) -> tuple[list[str], list[str], Rows]:
    """People, the labels of what is known of each, and their values."""
    kinds = _record_kinds(pen)
    labels = pen.rng.sample(list(kinds), pen.rng.choice((1, 1, 2, 3)))
    people = list(dict.fromkeys(pen.values.name() for _ in range(pen.rng.randint(2, 7))))
    return people, labels, [{label: pen.values.draw(kinds[label]) for label in labels} for _ in people]


BRIEF = ("{who}?", "{who}", "{who}: {label}", "[And|Now] {who}?", "{label}, {who}", "{who} - {label}")


def _ask_records(pen: Pen, people: list[str], labels: list[str], rows: Rows, brief: float = 0.0) -> tuple[str, str]:
    """A question about the records and its answer; `brief` is the chance of the shortest forms."""
    label = pen.rng.choice(labels)
    index = pen.rng.randrange(len(people))
    value = rows[index][label]
    if pen.chance(0.15):
        return _several(pen, people, label, rows)
    if pen.chance(0.25) and [row[label] for row in rows].count(value) == 1:
        return pen.say(REVERSE, {"label": label, "value": value}), people[index]
    phrases = (BRIEF if len(labels) == 1 else BRIEF[2:3] + BRIEF[4:]) if pen.chance(brief) else LOOK_UP
    return pen.say(phrases, {"label": label, "who": people[index]}), value


def _layout(pen: Pen, people: list[str], labels: list[str], rows: list[dict[str, str]]) -> str:
    kind = pen.rng.randrange(7)
    if kind == 0:
        return "\n".join(
            f"{p}: " + ", ".join(f"{k} {v}" for k, v in row.items()) for p, row in zip(people, rows, strict=True)
        )
    if kind == 1:
        head = " | ".join(["name", *labels])
        return "\n".join([head, *(" | ".join([p, *row.values()]) for p, row in zip(people, rows, strict=True))])
    if kind == 2:
        return "\n".join(
            [",".join(["name", *labels]), *(",".join([p, *row.values()]) for p, row in zip(people, rows, strict=True))]
        )
    if kind == 3:
        return " ".join(
            f"{p} has " + " and ".join(f"the {k} {v}" for k, v in row.items()) + "."
            for p, row in zip(people, rows, strict=True)
        )
    if kind == 4:
        return "\n\n".join(
            "\n".join([f"Name: {p}", *(f"{capital(k)}: {v}" for k, v in row.items())])
            for p, row in zip(people, rows, strict=True)
        )
    if kind == 5 and len(labels) == 1:
        return "\n".join(f"{p} - {row[labels[0]]}" for p, row in zip(people, rows, strict=True))
    return " ".join(
        " ".join(f"The {k} of {p} is {v}." for k, v in row.items()) for p, row in zip(people, rows, strict=True)
    )


SEVERAL = (
    "[List|Give me] [every|each] {label}, [in order|as they come].",
    "[Only|Just] the {label}s, [one after another|in the order of the list].",
    "[Collect|Gather|Read out] [all|every one of] the {label} [values|entries], [top to bottom|from first to last].",
    "[Nothing but|No names, only] the {label} column[, please|].",
    "[Write|Put] [all the {label}s|each {label}] in one line[, with commas|].",
    "[What are|Which are] [all|all of] the {label}s, in [their|the same] order?",
    "~Leave out everything but the {label} entries.",
)


def _several(pen: Pen, people: list[str], label: str, rows: list[dict[str, str]]) -> tuple[str, str]:
    return pen.say(SEVERAL, {"label": label}), ", ".join(row[label] for row in rows)


ITEM = (
    "[What is|Which is|Give me|Name] the {nth} [item|entry|one] [in|of] [the list|this list]?",
    "[Which|What] comes {where} {this}?",
    "[What|Which one] [is|stands] {where} {this}?",
    "{nth} [item|entry], please.",
    "[Pick|Choose|Take|Read out|Copy] the {nth} [one|item|entry|name][ from the list| of these|].",
    "[Number|The] {nth}: [what is it|which one]?",
    "[I want|I need|Return|Write|State] [only |just |]the {nth} [one|item|entry][ here|].",
    "[In|At] {nth} place [stands|is] [what|which one]?",
    "[Name|Give|Return|Write] the [item|one|neighbour] [right|just|directly] {where} {this}.",
    "[Right|Just|Directly] {where} {this}: [what|which one]?",
    "{this}: [which one|what] [comes|is] {where} it?",
    "~Point out the {nth} thing named here.",
    "~Walk through the row and stop at the {nth}.",
    "~{this}: what stands {where} it?",
)
_NTH = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")


def list_item(pen: Pen) -> Task:
    """Pick an item from a list by its place, or by its neighbour."""
    rng = pen.rng
    make = rng.choice(
        (pen.values.name, pen.values.code, pen.values.made_word, lambda: pen.values.pick("product"), pen.values.town)
    )
    items = list(dict.fromkeys(make() for _ in range(rng.randint(3, 7))))
    if pen.chance(0.5) or len(items) < 2:
        index = rng.randrange(len(items))
        nth = "last" if index == len(items) - 1 else _NTH[index]
        question = pen.say([phrase for phrase in ITEM if "{nth}" in phrase], {"nth": nth})
        return pen.task(pen.pose(question, sentence_list(items, rng), "List"), items[index])
    index = rng.randrange(len(items) - 1)
    where, this, answer = rng.choice(
        (("after", items[index], items[index + 1]), ("before", items[index + 1], items[index]))
    )
    question = pen.say([phrase for phrase in ITEM if "{where}" in phrase], {"where": where, "this": this})
    return pen.task(pen.pose(question, sentence_list(items, rng), "List"), answer)


REPLACE = (
    "[Replace|Change] {old} [with|to] {new} [in the text|here|].",
    "[Put|Write] {new} [instead of|in place of] {old}.",
    "[Wherever|Where] it says {old}, [write|put] {new}.",
    "It should be {new}, not {old}. [Correct it.|Please fix the text.]",
    "[Exchange|Substitute|Switch] {old} [for|by] {new}[ and keep the rest|, nothing else|].",
    "[Correction|A mistake|An error]: [for|in place of] {old} read {new}.",
    "[Edit|Amend|Update] the text[ so that|:] {old} becomes {new}.",
    "[The right|The true|The correct] [value|one] is {new}; {old} is [wrong|out of date|no longer true]. [Rewrite the text.|Mend it.]",
    "[Rewrite|Repeat|Give] the text with {new} [where {old} stood|for {old}].",
    "{old} -> {new}",
    "[Please let|Let] {old} [be replaced by|give way to] {new}[ throughout|].",
    "[We have to|I must] change {old} [to|into] {new}. [Do so.|Do it for me.|How does the text read then?]",
    "~Swap out {old}; the right one is {new}.",
)


def replace_value(pen: Pen) -> Task:
    """Write a text again with one name, number or date replaced."""
    situation = pen.situation()
    names = situation.some_fields(2, 4)
    text = " ".join(situation.say(name, "third") for name in names)
    name = pen.rng.choice(names)
    old, kind = situation.values[name], situation.scene.fields[name].kind
    new = pen.values.draw(kind)
    if old not in text or old == new:
        return replace_value(pen)
    return pen.task(pen.pose(pen.say(REPLACE, {"old": old, "new": new}), text), text.replace(old, new))


SWAP = (
    "[Write|Give] the [names|name] [with the family name first|family name first].",
    "[Turn|Change] [each name|the names] into Family, Given[.| form.]",
    "[Put|Set] the surname first, then a comma, then the given name.",
    "[Reorder|Arrange] [each|every] name as surname, given name.",
    "[Family name|Last name], comma, [first name|given name][, please|].",
    "[List|Cite] [them|each person] as [a library|an index|a register] does: surname first.",
    "[Invert|Flip|Switch] [the parts of|] the [name|names], with a comma between.",
    "~Surname, comma, forename: rewrite so.",
)
INITIALS = (
    "[What are|Give] the initials[?|.]",
    "[Write|Shorten to] [only |]the initials.",
    "~Just the opening letters of each part, please.",
)


def reorder_names(pen: Pen) -> Task:
    """Write names with the family name first, or only their initials or given names."""
    names = [pen.values.name() for _ in range(pen.rng.choice((1, 1, 2, 3)))]
    given = [name.rsplit(" ", 1)[0] for name in names]
    family = [name.rsplit(" ", 1)[1] for name in names]
    kind = pen.rng.randrange(4)
    if kind == 0:
        instruction, answers = pen.say(INITIALS), ["".join(part[0] for part in name.split()) for name in names]
    elif kind == 1:
        instruction = pen.say(
            ("[Give|Write] [only |]the given [name|names].", "First [name|names] only.", "~Drop each surname.")
        )
        answers = [name.split()[0] for name in names]
    else:
        instruction, answers = pen.say(SWAP), [f"{f}, {g}" for f, g in zip(family, given, strict=True)]
    return pen.task(pen.pose(instruction, "\n".join(names), "Names"), "\n".join(answers))


SKILLS = {
    "copy": copy_text,
    "pairs": pairs,
    "look_up": look_up,
    "look_up_turns": look_up_turns,
    "list_item": list_item,
    "replace": replace_value,
    "reorder_names": reorder_names,
}
