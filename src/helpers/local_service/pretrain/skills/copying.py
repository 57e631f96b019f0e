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
    "~{value} appears as the {label} of which person?",
)


def _record_kinds(pen: Pen) -> dict[str, str]:
    return {
        "number": "code", "code": "code", "phone": "phone", "e-mail": "email", "town": "town", "address": "address",
        "date": "date", "amount": "amount", "time": "time", "room": "int 1..400", "age": "int 1..99", "key": "code",
        "seat": "code", "score": "int 0..100", "colour": "@colour", "fee": "amount", "birthday": "date",
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
    "~Leave out everything but the {label} entries.",
)


def _several(pen: Pen, people: list[str], label: str, rows: list[dict[str, str]]) -> tuple[str, str]:
    return pen.say(SEVERAL, {"label": label}), ", ".join(row[label] for row in rows)


ITEM = (
    "[What is|Which is|Give me|Name] the {nth} [item|entry|one] [in|of] [the list|this list]?",
    "[Which|What] comes {where} {this}?",
    "{nth} [item|entry], please.",
    "~Point out the {nth} thing named here.",
    "~Walk through the row and stop at the {nth}.",
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
        question = pen.say((ITEM[0], ITEM[2], ITEM[3], ITEM[4]), {"nth": nth})
        return pen.task(pen.pose(question, sentence_list(items, rng), "List"), items[index])
    index = rng.randrange(len(items) - 1)
    where, this, answer = rng.choice(
        (("after", items[index], items[index + 1]), ("before", items[index + 1], items[index]))
    )
    question = pen.say((ITEM[1], "~{this}: what stands {where} it?"), {"where": where, "this": this})
    return pen.task(pen.pose(question, sentence_list(items, rng), "List"), answer)


REPLACE = (
    "[Replace|Change] {old} [with|to] {new} [in the text|here|].",
    "[Put|Write] {new} [instead of|in place of] {old}.",
    "[Wherever|Where] it says {old}, [write|put] {new}.",
    "It should be {new}, not {old}. [Correct it.|Please fix the text.]",
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
