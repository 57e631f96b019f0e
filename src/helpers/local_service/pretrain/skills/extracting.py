"""From text to structure and back: JSON, forms, rows, headings, templates given in the prompt, masked names."""

import json
from collections.abc import Sequence

from ..grammar import capital
from ..scenes import Situation
from .reading import _shuffled, _text, ask_fact
from .task import Pen, Task, typos

Wanted = dict[str, str | None]  # keys to fill in; None where the text does not say
EMPTY = ("not given", "-", "unknown", "none", "n/a", "missing", "not stated")


def _keys(pen: Pen, situation: Situation, low: int = 2, high: int = 5) -> tuple[str, Wanted]:
    """A text and the wanted keys with their values; now and then a key whose value the text does not give (None)."""
    names = situation.some_fields(low, high)
    text = _text(pen, situation, _shuffled(pen, list(names)), pen.rng.choice((0, 0, 1, 2)))
    if pen.chance(0.25):
        text = typos(text, pen.rng, 0.1) if not any(" " in situation.values[n] for n in names) else text
    wanted = _wanted(pen, situation, names, text)
    return (text, wanted) if wanted else _keys(pen, situation, low, high)


def _wanted(pen: Pen, situation: Situation, names: Sequence[str], text: str) -> Wanted:
    wanted: Wanted = {}
    for name in names:
        if situation.values[name] in text and pen.chance(0.9):
            wanted[situation.label(name)] = situation.values[name]
    missing = [n for n in situation.scene.fields if n not in names and situation.values[n] not in text]
    if missing and pen.chance(0.35):
        wanted[situation.label(pen.rng.choice(missing))] = None
    items = list(wanted.items())
    if pen.chance(0.5):
        pen.rng.shuffle(items)
    return dict(items)


TO_JSON = (
    "[Write|Give|Return] [the facts|this|the details] as JSON with the keys {keys}.",
    "[Extract|Take out|Pull out] {keys}[ as JSON| into JSON|. Answer in JSON].",
    "[Return only|Answer with] a JSON object ({keys}).",
    "JSON with {keys}, please.",
    "[Make|Build] a JSON object from the text. Keys: {keys}.",
    "[Convert|Turn|Put] [the text|this|it] [into|to] JSON[: | with these keys: |, keys ]{keys}.",
    "[I need|Give me|Produce|Print] JSON only: {keys}.",
    "[Output|Response|Answer] format: JSON object with {keys}.",
    "[Read|Parse] the text and [return|output] {keys} as [a JSON object|JSON].",
    "[Create|Write|Compose] a JSON [object|record|entry] [that has|having|with] {keys}.",
    "[Collect|Gather|Find] {keys} and [store|put|give] them in JSON.",
    "[Structure|Encode|Represent] the [facts|details|information] as JSON; [fields|keys]: {keys}.",
    "[The database|A program|My script] wants JSON ({keys}). [Supply it.|Write it.|What does it get?]",
    "[Which|What] values do {keys} have? [Reply|Answer] [as|in] JSON.",
    "JSON: {keys}",
    "~Hand me a small JSON record holding {keys}.",
    "~Fill the JSON fields {keys} from what is written.",
)


def to_json(pen: Pen) -> Task:
    """Extract facts as a JSON object with the keys asked for; null where the text does not say."""
    text, wanted = _keys(pen, pen.situation())
    question, answer = ask_json(pen, wanted)
    return pen.task(pen.pose(question, text), answer)


def ask_json(pen: Pen, wanted: Wanted) -> tuple[str, str]:
    """Return the order to write the facts as JSON, and the JSON."""
    snake = {key.replace(" ", "_"): value for key, value in wanted.items()}
    separator = pen.rng.choice((", ", ", ", " and ", "; "))
    keys = separator.join(f'"{key}"' for key in snake) if pen.chance(0.3) else ", ".join(snake)
    return pen.say(TO_JSON, {"keys": keys}), json.dumps(snake, ensure_ascii=False)


FORM = (
    'Fill in the form[ from the text|]. [Write|Put] "{empty}" [where nothing is said|if a line has no answer].\n{form}',
    '[Complete|Fill in] these lines ("{empty}" if [missing|not there]):\n{form}',
    'Form:\n{form}\n[Fill it in|Complete it] from the text; "{empty}" [where unknown|for what is missing].',
    '[Take|Copy] the [lines|fields] and [add|write in] the [values|answers] ("{empty}" [if none|where there is none]):\n{form}',
    '[Please supply|Supply] what is [missing|asked for] here; [write|use] "{empty}" for [gaps|unknown things].\n{form}',
    '[The|This] [sheet|card|record|questionnaire] [is empty|has to be filled]. [Unknown lines get|For unknown lines write] "{empty}".\n{form}',
    '[Finish|Complete|Answer] [each|every] line [from|with] the text, or [with|write] "{empty}":\n{form}',
    '[From|Using|With] the text, [fill|complete] this ("{empty}" [for nothing found|when not said]):\n{form}',
    '[Enter|Write] the [details|facts] [below|here]. [No answer|Nothing found]: "{empty}".\n{form}',
    '[What goes|What belongs] after each colon? ("{empty}" if [the text is silent|it is not said])\n{form}',
    '~Here is a blank sheet. Put in what you find, or "{empty}".\n{form}',
)


def fill_form(pen: Pen) -> Task:
    """Fill in a form of labelled lines from a text."""
    text, wanted = _keys(pen, pen.situation())
    question, answer = ask_form(pen, wanted)
    return pen.task(pen.pose(question, text), answer)


def ask_form(pen: Pen, wanted: Wanted) -> tuple[str, str]:
    """Return the form to fill in, and the form filled in."""
    wanted = {capital(key) if pen.chance(0.8) else key: value for key, value in wanted.items()}
    empty = pen.rng.choice(EMPTY)
    form = "\n".join(f"{key}:" for key in wanted)
    answer = "\n".join(f"{key}: {value or empty}" for key, value in wanted.items())
    return pen.say(FORM, {"empty": empty, "form": form}), answer


ROW = (
    "[Write|Give] one [line|row] with: {keys}. [Separate|Part] them with {mark}.",
    "[Make|Write] a row ({keys}), [separated by|with] {mark}[ between them|].",
    "[Return|Output|Print] {keys} [in|as] [one|a single] line, [with {mark} between|separated by {mark}].",
    "[List|Give me] {keys}, [divided|parted|split] by {mark}.",
    "[One line|A single line|One row]: {keys}. [Use|Between them stand|Divide by] {mark}.",
    "[Fields|Columns|Values]: {keys}; [separator|divider]: {mark}.",
    "[Extract|Take] {keys} and [join|link|connect] them with {mark}.",
    "[For a table|For my list], [write|give] {keys} with {mark} [between|in between].",
    "~Set {keys} side by side in a line, {mark} between.",
)
_MARKS = {";": "semicolons", ",": "commas", " | ": "upright bars", " / ": "slashes", " - ": "dashes"}


def write_row(pen: Pen) -> Task:
    """Write facts from a text as one row with a given separator."""
    text, wanted = _keys(pen, pen.situation(), 2, 4)
    given = {key: value for key, value in wanted.items() if value}
    if len(given) < 2:
        return write_row(pen)
    question, answer = ask_row(pen, given)
    return pen.task(pen.pose(question, text), answer)


def ask_row(pen: Pen, given: dict[str, str]) -> tuple[str, str]:
    """Return the order to write the facts in one row, and the row."""
    mark = pen.rng.choice(list(_MARKS))
    return pen.say(ROW, {"keys": ", ".join(given), "mark": _MARKS[mark]}), mark.join(given.values())


TEMPLATE = (
    "[Write|Answer] [exactly|] in this [form|format|pattern]: {template}",
    "[Use|Follow] [this|the] [pattern|format|template]:\n{template}",
    "[Fill the gaps|Replace the brackets|Put the facts in]:\n{template}",
    "Format: {template}",
    "[Output|Reply|Print|Return] [only|just] this, [filled in|completed]: {template}",
    "[Reply|Respond] [according to|as in|along] the [template|mask|scheme]\n{template}",
    "[The answer|Your answer|The output] [looks|must look|should look] like this: {template}",
    "[Insert|Enter|Write] the [values|facts|details] from the text [into|in] {template}",
    "[Complete|Fill in|Fill out] [this line|this pattern|the template]: {template}",
    "[Swap|Exchange] [each|every] bracket for its value:\n{template}",
    "[House|Our] [style|format|form] is\n{template}\n[Follow it.|Use it.|Keep to it.]",
    "Template: {template}",
    "~Your whole reply must have the shape of {template}",
)
_GLUE = (" / ", " - ", ", ", " | ", " -> ", "; ", " : ", "\n", "\n", ". ", " + ", " (", " * ", " = ", " ~ ")
_LEAD = ("", "", "", "Note: ", "File ", "* ", "> ", "Re: ", "## ", "Entry ", "Case: ", "About ", "=== ", "[] ")


def _template(pen: Pen, keys: list[str]) -> str:
    """A made-up format with a bracketed gap for every key."""
    text = pen.rng.choice(_LEAD)
    for index, key in enumerate(keys):
        glue = "" if index == 0 else pen.rng.choice(_GLUE)
        label = pen.rng.choice(
            ("", "", f"{key}: ", f"{capital(key)}: ", f"{key.upper()} ", f"{key}=", pen.values.made_word() + " ")
        )
        text += glue + label + f"[{key}]" + (")" if glue == " (" else "")
    return text + pen.rng.choice(("", "", "", ".", " #", " end", " ok"))


def follow_template(pen: Pen) -> Task:
    """Put facts from a text into a made-up format that the prompt gives."""
    text, wanted = _keys(pen, pen.situation(), 2, 4)
    given = {key: value for key, value in wanted.items() if value}
    if not given:
        return follow_template(pen)
    question, answer = ask_template(pen, given)
    return pen.task(pen.pose(question, text), answer)


def ask_template(pen: Pen, given: dict[str, str]) -> tuple[str, str]:
    """Return a made-up format with the order to use it, and the facts in that format."""
    template = _template(pen, list(given))
    answer = template
    for key, value in given.items():
        answer = answer.replace(f"[{key}]", value)
    return pen.say(TEMPLATE, {"template": "{template}"}).replace("{template}", template), answer


def several_orders(pen: Pen) -> Task:
    """Answer questions and write JSON, forms, rows and templates about one text, turn by turn."""
    situation = pen.situation()
    names = situation.some_fields(3, 6)
    text = _text(pen, situation, _shuffled(pen, list(names)), pen.rng.choice((0, 0, 1, 2)))
    turns: list[tuple[str, str]] = []
    while len(turns) < 3 or (len(turns) < 8 and pen.chance(0.8)):
        wanted = _wanted(pen, situation, pen.rng.sample(names, pen.rng.randint(1, len(names))), text)
        given = {key: value for key, value in wanted.items() if value}
        kind = pen.rng.randrange(6)
        if kind < 2:
            turns.append(ask_fact(pen, situation, names, text))
        elif kind == 2 and wanted:
            turns.append(ask_json(pen, wanted))
        elif kind == 3 and wanted:
            turns.append(ask_form(pen, wanted))
        elif kind == 4 and len(given) > 1:
            turns.append(ask_row(pen, given))
        elif kind == 5 and 0 < len(given) < 5:
            turns.append(ask_template(pen, given))
    return pen.conversation(text, turns)


HEADINGS = (
    "[Sort|Put] the sentences under [these|the] headings: {headings}.",
    "[Arrange|Order] the text under the headings {headings}.",
    "[Headings|Use these headings]: {headings}. [Put each sentence where it belongs.|One sentence under each.]",
    "[Group|Organise|Divide] the text [by|under] the headings {headings}.",
    "[Which sentence goes where|Where does each sentence go]: {headings}? [Write heading and sentence.|Give each heading with its sentence.]",
    "[Structure|Lay out] the text with [the|these] headings: {headings}.",
    "[Make|Write] a [sheet|note|page] with [sections|headings] {headings}[, one sentence in each|].",
    "[Sections|Titles|Parts]: {headings}. [Move|Copy] [every|each] sentence into [its own|the right one].",
    "[Split|Part] the text into {headings}.",
    "[Use|Take] {headings} as headings and [place|file] the sentences [below|beneath] them.",
    "~Make {headings} into headings and let each sentence find its own.",
)


def under_headings(pen: Pen) -> Task:
    """Sort the sentences of a text under the headings that the prompt names."""
    situation = pen.situation()
    names = situation.some_fields(2, 4)
    way = pen.rng.choice(("third", "first"))
    said = {name: situation.say(name, way) for name in names}
    shuffled = list(said.values())
    pen.rng.shuffle(shuffled)
    headings = {name: capital(situation.label(name)) for name in names}
    if len(set(headings.values())) < len(names):
        return under_headings(pen)
    question = pen.say(HEADINGS, {"headings": ", ".join(headings.values())})
    joiner = pen.rng.choice(("\n", ": ")) if not pen.new_phrasing else "\n"
    if joiner == ": ":
        question += " Write heading: sentence."
    answer = "\n".join(f"{headings[name]}{joiner}{said[name]}" for name in names)
    return pen.task(pen.pose(question, " ".join(shuffled)), answer)


FROM_JSON = (
    "[Write|Turn|Change] the JSON [as|into] lines of the form key: value.",
    "[List|Show] what the JSON holds, [one line each|a line for each key].",
    "[Rewrite|Print] [the object|the JSON] as lines, key: value.",
    "[Make|Give] [one line|a line] [of|for|from] [each|every] [pair|entry], like key: value.",
    "[Read|Write] the JSON out, [one pair|one entry] [a|per] line.",
    "[Lines|Plain lines], please: key, colon, value.",
    "~Unfold the braces into plain lines, key then colon then value.",
)
GET_KEY = (
    '[What is|Give] "{key}"[ in the JSON|][?|.]',
    "[Read|Take] {key} from the JSON.",
    "[Return|Extract|Find|Look up] the value of {key}.",
    '[Which|What] value [has|belongs to|does] "{key}"[ have|]?',
    "{key}?",
    "[I need|Get me|Print] {key}[ from this object|].",
    "~Under {key} the braces hold what?",
)


def from_json(pen: Pen) -> Task:
    """Read a JSON object: one key's value, or all of it as lines."""
    situation = pen.situation()
    record = {situation.label(name).replace(" ", "_"): situation.values[name] for name in situation.some_fields(2, 5)}
    text = json.dumps(record, ensure_ascii=False, indent=pen.rng.choice((None, None, 2)))
    if pen.chance(0.5):
        key = pen.rng.choice(list(record))
        return pen.task(pen.pose(pen.say(GET_KEY, {"key": key}), text, "JSON"), record[key])
    return pen.task(pen.pose(pen.say(FROM_JSON), text, "JSON"), "\n".join(f"{k}: {v}" for k, v in record.items()))


MASK = (
    "[Replace|Hide] [every|each|the] {label} [with|by|behind] [{mark}].",
    "[Write|Put] [{mark}] [wherever|where] the {label} stands.",
    "[Take out|Remove] the {label} and [leave|write] [{mark}] in its place.",
    "[Conceal|Redact|Cover|Blank out] the {label} [with|by] [{mark}].",
    "[The {label} must not be seen|Nobody may read the {label}|Keep the {label} secret]: [write|put] [{mark}] [instead|there].",
    "[Rewrite|Repeat|Copy] the text with [{mark}] [for|instead of|in place of] the {label}.",
    "[Swap|Exchange] the {label} [for|against] [{mark}][ and change nothing else|].",
    "[Anonymise|Mask] [this|the text]: the {label} becomes [{mark}].",
    "{label} -> [{mark}]",
    "~Black out the {label}; put [{mark}] there.",
)


def mask_value(pen: Pen) -> Task:
    """Write a text again with one fact hidden behind a placeholder."""
    situation = pen.situation()
    names = situation.some_fields(2, 4)
    text = " ".join(situation.say(name, pen.rng.choice(("third", "first"))) for name in names)
    name = pen.rng.choice(names)
    value = situation.values[name]
    if value not in text or len(value) < 3:
        return mask_value(pen)
    label = situation.label(name)
    mark = pen.rng.choice((label.upper(), "HIDDEN", label.upper().replace(" ", "_"), "REMOVED", "XXX"))
    phrases = [p.replace("[{mark}]", "{mark}") for p in MASK]
    question = pen.say(phrases, {"label": label, "mark": f"<{mark}>"})
    return pen.task(pen.pose(question, text), text.replace(value, f"<{mark}>"))


SKILLS = {
    "to_json": to_json,
    "fill_form": fill_form,
    "write_row": write_row,
    "follow_template": follow_template,
    "several_orders": several_orders,
    "under_headings": under_headings,
    "from_json": from_json,
    "mask": mask_value,
}
