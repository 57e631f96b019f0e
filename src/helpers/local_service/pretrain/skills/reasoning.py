"""Small reasoning: numbers in words, lengths of time, rules with a condition, codes written tidily."""

import string
from collections.abc import Sequence

from ..grammar import capital
from .task import Pen, Task

_ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
ONES = _ONES.split()
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def in_words(number: int) -> str:
    """Return a whole number from 0 to 999 in words."""
    if number < 20:
        return ONES[number]
    if number < 100:
        return TENS[number // 10] + (f"-{ONES[number % 10]}" if number % 10 else "")
    rest = f" and {in_words(number % 100)}" if number % 100 else ""
    return f"{ONES[number // 100]} hundred{rest}"


TO_DIGITS = (
    "[Write|Give] {words} in [digits|figures].", "{words} as a number?", "[What number|Which number] is {words}?", "~Put {words} into figures."
    "[Convert|Change|Turn] {words} [to|into] [digits|a number|numerals].",
    "{words} in [digits|figures|numerals][?|, please.]",
    "[How|In digits, how] is {words} written[ with digits|]?",
    "[The numerals for|Digits for] {words}[?|, please.]",
)  # fmt: skip
TO_WORDS = (
    "[Write|Give|Spell] {digits} in words.",
    "{digits} in words?",
    "[How do you write|Spell out] {digits}[?|.]",
    "[Convert|Change|Turn] {digits} [to|into] words.",
    "[In letters|As words|Spelt out], {digits} is[ what|]?",
    "[Put|Write] the number {digits} [as words|out in full].",
    "[What is|Say] {digits} in words[?|.]",
    "~Say {digits} without figures.",
)


def number_words(pen: Pen) -> Task:
    """Turn a number from words into digits or from digits into words."""
    number = pen.rng.choice(
        (pen.rng.randint(0, 20), pen.rng.randint(0, 99), pen.rng.randint(0, 99), pen.rng.randint(100, 999))
    )
    if pen.chance(0.5):
        return pen.task(pen.pose(pen.say(TO_DIGITS, {"words": in_words(number)})), str(number))
    return pen.task(pen.pose(pen.say(TO_WORDS, {"digits": str(number)})), in_words(number))


UNITS = {"day": 1.0, "week": 7.0, "month": 30.4, "year": 365.25}
_LOOSE = (
    ("a fortnight", 14.0),
    ("half a year", 182.6),
    ("a couple of days", 2.0),
    ("a dozen weeks", 84.0),
    ("half a month", 15.2),
    ("a decade", 3652.5),
)


def _span(pen: Pen, unit: str = "") -> tuple[str, float]:
    """A length of time in words, and its days."""
    if not unit and pen.chance(0.08):
        return pen.rng.choice(_LOOSE)
    unit = unit or pen.rng.choice(list(UNITS))
    top = {"day": 90, "week": 40, "month": 30, "year": 12}[unit]
    number = pen.rng.randint(1, top)
    written = in_words(number) if pen.chance(0.5) else str(number)
    if number == 1 and pen.chance(0.5):
        written = "a"
    return f"{written} {unit}{'' if number == 1 else 's'}", number * UNITS[unit]


LONGER = (
    "[Which|What] is longer, {a} or {b}?", "[Name|Give] the longer [time|of the two]: {a}, {b}.", "{a} or {b}: which lasts longer?",
    "[Of the two|Of these], [which is|name] the longer[ one|]: {a} or {b}[?|.]",
    "[Choose|Pick|Write] the longer [span|time|stretch]: {a}, {b}.",
    "[Which|What] takes [longer|more time], {a} or {b}?",
    "Longer: {a} or {b}?",
    "~Of {a} and {b}, the one you wait more for is?",
)  # fmt: skip
OVER = (
    "Is {a} more than {b}? [Answer yes or no.|Yes or no?]", "Yes or no: {a} is longer than {b}.", "[Has|Would] {a} [gone past|go past] {b}? yes or no",
    "[Yes or no|Answer yes or no]: is {a} longer than {b}?",
    "[Is|Would] {a} [be |]above {b}? [Yes or no.|yes or no]",
    "{a}: [over|longer than|more than] {b}? [Yes or no.|Yes or no?]",
    "~Does {a} exceed {b}, yes or no?",
)  # fmt: skip
AGO = (
    "{who} bought it {a} ago. Is that within {b}? [Answer yes or no.|Yes or no?]",
    "It [happened|began|was sent] {a} ago. [Is that less than|Is it under] {b}? Yes or no?",
    "{who} [wrote|rang|came by] {a} ago. [Is this|Was this] less than {b} ago? [Yes or no.|yes or no]",
    "[The limit|The deadline] is {b}; {a} have [gone|passed|run]. [In time|Still within it]? [Yes or no.|Yes or no?]",
    "It is {a} old. [Younger|Newer] than {b}? Yes or no?",
    "~{a} have gone by. Still inside {b}, yes or no?",
)


def durations(pen: Pen) -> Task:
    """Compare two lengths of time."""
    (a, first), (b, second) = _span(pen), _span(pen)
    if min(first, second) / max(first, second) > 0.93:
        return durations(pen)
    slots = {"a": a, "b": b, "who": pen.values.first_name()}
    kind = pen.rng.randrange(3)
    if kind == 0:
        return pen.task(pen.pose(capital(pen.say(LONGER, slots))), a if first > second else b)
    if kind == 1:
        return pen.task(pen.pose(capital(pen.say(OVER, slots))), "yes" if first > second else "no")
    return pen.task(pen.pose(capital(pen.say(AGO, slots))), "yes" if first < second else "no")


RULE = (
    "[Rule|The rule]: if [it is|the {thing} is] over {limit}, [write|say] {high}; [if not|otherwise], [write|say] {low}. The {thing} is {value}.",
    "[Up to|Until] {limit} the answer is {low}, above it {high}. [Now|Here] the {thing} is {value}.",
    "[Write|Answer] {high} for a {thing} over {limit} and {low} for [one up to|anything up to] {limit}. {Thing}: {value}.",
    "[Say|Print|Put] {high} [when|whenever|if] the {thing} [is above|is more than|goes over] {limit}, [else|in all other cases] {low}. [It is|We have] {value}.",
    "{Thing} over {limit}: {high}. [Otherwise|All else]: {low}. [What for|And for] {value}?",
    "The [label|word] is {high} above {limit} and {low} [below|up to it]. [Which for|Label] {value}[?|.]",
    "[Given|With] a {thing} of {value}, [answer|say] {high} if that is over {limit} and {low} if [not|it is not].",
    "~A {thing} past {limit} earns {high}; at or under {limit}, {low}. This one: {value}.",
)
WORD_RULE = (
    "If the text [speaks of|is about|has] {cue}, [write|answer] {high}; [if not|otherwise|else], [write|answer] {low}.",
    "[Write|Say] {high} [where|when] {cue} [comes up|is mentioned], and {low} [where it does not|if not].",
    "[Check|See] whether {cue} [is named|appears|is in the text]: {high} if [so|yes], {low} if not.",
    "{high} if {cue} [is in it|is there], {low} [otherwise|if it is missing].",
    "[Does|If] the text [name|names] {cue}[?|,] [Yes: {high}|then {high}]; [no: {low}|else {low}].",
    "[Print|Return] {low} unless {cue} [is mentioned|appears]; then {high}.",
    "~Let {cue} in the words below or above decide: there, {high}; absent, {low}.",
)


def apply_rule(pen: Pen) -> Task:
    """Apply a rule with a condition: on a number, on a length of time, or on what a text mentions."""
    high, low = pen.values.made_word(), pen.values.made_word()
    if pen.chance(0.5):
        high, low = pen.rng.sample(
            ("free", "paid", "red", "green", "early", "late", "stop", "go", "A", "B", "yes", "no", "wait", "send"), 2
        )
    if pen.chance(0.3):
        return _word_rule(pen, high, low)
    if pen.chance(0.5):
        thing = pen.rng.choice(("time", "wait", "age", "delay", "stay", "gap"))
        (limit, most), (value, size) = _span(pen), _span(pen)
        if min(most, size) / max(most, size) > 0.93:
            return apply_rule(pen)
    else:
        thing = pen.rng.choice(("number", "price", "weight", "score", "count", "height"))
        top = pen.rng.choice((10, 50, 200))
        most, size = (float(n) for n in pen.rng.sample(range(1, top), 2))
        limit, value = (str(int(n)) if pen.chance(0.7) else in_words(int(n)) for n in (most, size))
    slots = {"thing": thing, "Thing": capital(thing), "limit": limit, "value": value, "high": high, "low": low}
    return pen.task(pen.pose(pen.say(RULE, slots)), high if size > most else low)


def _word_rule(pen: Pen, high: str, low: str) -> Task:
    situation = pen.situation()
    names = situation.some_fields(1, 3)
    text = " ".join(situation.say(name, pen.rng.choice(("third", "first"))) for name in names)
    name = pen.rng.choice(names)
    there = pen.chance(0.5)
    cue = situation.values[name] if there else pen.values.draw(situation.scene.fields[name].kind)
    if (cue in text) != there:
        return _word_rule(pen, high, low)
    return pen.task(pen.pose(pen.say(WORD_RULE, {"cue": cue, "high": high, "low": low}), text), high if there else low)


TIDY = (
    "[Write|Give] the code [with capital letters and a dash|as capitals, dash, digits].", "[Tidy|Clean up] the code: capitals, a dash, [the digits|then digits].",
    "[Put|Bring] the code into the form {form}.", "The code in the [text|message], [written|in the form] like {form}[.|?]",
    "[Extract|Pull out|Find] the code and [normalise|standardise|rewrite] it [as|like] {form}.",
    "[What is|Give] the code[ in capitals|], letters, dash, digits[?|.]",
    "[Clean|Correct|Mend] the code[: it should look like| so that it looks like] {form}.",
    "[Write down|Note|Record] the code in the [proper|usual|house] form {form}.",
    "[Capitals|Upper case], [a dash|one dash], digits: [the code|that is how I want the code].",
    "[Format|Reformat] the code [found here|in the text] as {form}.",
    "~Find the code and write it the proper way, {form}.",
)  # fmt: skip


def tidy_code(pen: Pen) -> Task:
    """Find a carelessly written code in a text and write it in the house form."""
    letters = "".join(pen.rng.choices(string.ascii_uppercase, k=pen.rng.randint(2, 3)))
    digits = pen.values.digits(4, 6)
    tidy = f"{letters}-{digits}"
    joiner = pen.rng.choice(("", " ", "-", " - ", "/", "."))
    careless = (letters.lower() if pen.chance(0.6) else letters) + joiner + digits
    text = _around(pen, careless)
    form = (
        "".join(pen.rng.choices(string.ascii_uppercase, k=len(letters)))
        + "-"
        + "".join(pen.rng.choices(string.digits, k=len(digits)))
    )
    return pen.task(pen.pose(pen.say(TIDY, {"form": form}), text), tidy)


def _around(pen: Pen, careless: str) -> str:
    if pen.chance(0.3):
        return careless
    situation = pen.situation()
    sentences: list[str] = [situation.say(name, "first") for name in situation.some_fields(1, 2)]
    carriers: Sequence[str] = (
        "[Code|Number|Ref]: {c}",
        "It is {c}.",
        "[Look under|See] {c}[, please|].",
        "The [label|slip|card] reads {c}.",
        "{c} it says.",
        "~Printed on it was {c}.",
    )
    sentences.insert(pen.rng.randrange(len(sentences) + 1), pen.say(carriers, {"c": careless}))
    return " ".join(sentences)


SIGNED = (
    "[Yours|Best|Thanks|Bye|Cheers|Regards], {given}", "{given}", "{whole}", "My name is {whole}.", "[This is|It's] {given} [here|speaking|writing].",
    "[Kind|Warm|Best] regards, {whole}", "I'm {given}, by the way.", "{given} {letter}.", "~{given} sends this.", "~Signed by {whole}.",
    "[Written|Sent] by {whole}", "[Many thanks|Sincerely|Yours truly|All the best],\n{whole}", "[Love|See you|Take care], {given}",
    "I am {whole}[, and I write for myself|].", "[Call me|You can call me] {given}.", "- {given}", "{whole} [here|speaking].",
)  # fmt: skip
GIVEN = (
    "[What is|Give] the writer's [first|given] name[?|.]", "[Who wrote this|Who is writing]? [First|Given] name only.", "The [first|given] name of the [writer|sender]?",
    "[Extract|Return|State|Name] the [first|given] name of [the author|the sender|the person writing].",
    "[Whose|From whose hand] is this [note|message]? [Only the|Just the] first name.",
    "[How|By which first name] [is|does] [the writer|the sender] [called|go]?",
    "[Author's|Sender's|Writer's] first name[?|, please.]",
    "[To whom|Whom] [do I|would I] [answer|address the reply]? [First|Given] name[ only|].",
    "~By what name would a friend greet whoever wrote this?",
)  # fmt: skip


def writer_name(pen: Pen) -> Task:
    """Find the given name of a message's writer."""
    situation = pen.situation()
    names = [n for n in situation.some_fields(1, 3) if n != situation.scene.person]
    whole = pen.values.name()
    given = whole.split()[0]
    slots = {"given": given, "whole": whole, "letter": whole.split()[-1][0]}
    said = (situation.say(name, "first") for name in names)
    sentences = [sentence for sentence in said if situation.values[situation.scene.person] not in sentence]
    signed = pen.say(SIGNED, slots)
    if pen.chance(0.75):
        text = " ".join(sentences) + pen.rng.choice(("\n", " ", "\n\n")) + signed
    else:
        text = " ".join([signed if signed.endswith(".") else signed + ".", *sentences])
    if pen.chance(0.1):
        text = " ".join(sentences) or "Hello."
        return pen.task(pen.pose(pen.say(GIVEN) + ' If there is none, write "none".', text.strip(), "Message"), "none")
    return pen.task(pen.pose(pen.say(GIVEN), text.strip(), "Message"), given)


SKILLS = {
    "number_words": number_words,
    "durations": durations,
    "apply_rule": apply_rule,
    "tidy_code": tidy_code,
    "writer_name": writer_name,
}
