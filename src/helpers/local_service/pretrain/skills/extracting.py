"""From text to structure and back: JSON, forms, rows, headings, templates given in the prompt, masked names."""

import json

from ..grammar import capital
from ..scenes import Situation
from .reading import _shuffled, _text
from .task import Pen, Task, typos

EMPTY = ("not given", "-", "unknown", "none", "n/a", "missing", "not stated")


def _keys(pen: Pen, situation: Situation, low: int = 2, high: int = 5) -> tuple[str, dict[str, str | None]]:
    """A text and the wanted keys with their values; now and then a key whose value the text does not give (None)."""
    names = situation.some_fields(low, high)
    text = _text(pen, situation, _shuffled(pen, list(names)), pen.rng.choice((0, 0, 1, 2)))
    if pen.chance(0.25):
        text = typos(text, pen.rng, 0.1) if not any(" " in situation.values[n] for n in names) else text
    wanted: dict[str, str | None] = {}
    for name in names:
        if situation.values[name] in text and pen.chance(0.9):
            wanted[situation.label(name)] = situation.values[name]
    missing = [n for n in situation.scene.fields if n not in names and situation.values[n] not in text]
    if missing and pen.chance(0.35):
        wanted[situation.label(pen.rng.choice(missing))] = None
    items = list(wanted.items())
    if pen.chance(0.5):
        pen.rng.shuffle(items)
    return (text, dict(items)) if items else _keys(pen, situation, low, high)


TO_JSON = (
    "[Write|Give|Return] [the facts|this|the details] as JSON with the keys {keys}.",
    "[Extract|Take out|Pull out] {keys}[ as JSON| into JSON|. Answer in JSON].",
    "[Return only|Answer with] a JSON object ({keys}).",
    "JSON with {keys}, please.",
    "[Make|Build] a JSON object from the text. Keys: {keys}.",
    "~Hand me a small JSON record holding {keys}.",
    "~Fill the JSON fields {keys} from what is written.",
)


def to_json(pen: Pen) -> Task:
    """Extract facts as a JSON object with the keys asked for; null where the text does not say."""
    text, wanted = _keys(pen, pen.situation())
    snake = {key.replace(" ", "_"): value for key, value in wanted.items()}
    separator = pen.rng.choice((", ", ", ", " and ", "; "))
    keys = separator.join(f'"{key}"' for key in snake) if pen.chance(0.3) else ", ".join(snake)
    answer = json.dumps(snake, ensure_ascii=False)
    return pen.task(pen.pose(pen.say(TO_JSON, {"keys": keys}), text), answer)


FORM = (
    'Fill in the form[ from the text|]. [Write|Put] "{empty}" [where nothing is said|if a line has no answer].\n{form}',
    '[Complete|Fill in] these lines ("{empty}" if [missing|not there]):\n{form}',
    'Form:\n{form}\n[Fill it in|Complete it] from the text; "{empty}" [where unknown|for what is missing].',
    '~Here is a blank sheet. Put in what you find, or "{empty}".\n{form}',
)


def fill_form(pen: Pen) -> Task:
    """Fill in a form of labelled lines from a text."""
    text, wanted = _keys(pen, pen.situation())
    wanted = {capital(key) if pen.chance(0.8) else key: value for key, value in wanted.items()}
    empty = pen.rng.choice(EMPTY)
    form = "\n".join(f"{key}:" for key in wanted)
    answer = "\n".join(f"{key}: {value or empty}" for key, value in wanted.items())
    return pen.task(pen.pose(pen.say(FORM, {"empty": empty, "form": form}), text), answer)


ROW = (
    "[Write|Give] one [line|row] with: {keys}. [Separate|Part] them with {mark}.",
    "[Make|Write] a row ({keys}), [separated by|with] {mark}[ between them|].",
    "~Set {keys} side by side in a line, {mark} between.",
)
_MARKS = {";": "semicolons", ",": "commas", " | ": "upright bars", " / ": "slashes", " - ": "dashes"}


def write_row(pen: Pen) -> Task:
    """Write facts from a text as one row with a given separator."""
    text, wanted = _keys(pen, pen.situation(), 2, 4)
    given = {key: value for key, value in wanted.items() if value}
    if len(given) < 2:
        return write_row(pen)
    mark = pen.rng.choice(list(_MARKS))
    question = pen.say(ROW, {"keys": ", ".join(given), "mark": _MARKS[mark]})
    return pen.task(pen.pose(question, text), mark.join(given.values()))


TEMPLATE = (
    "[Write|Answer] [exactly|] in this [form|format|pattern]: {template}",
    "[Use|Follow] [this|the] [pattern|format|template]:\n{template}",
    "[Fill the gaps|Replace the brackets|Put the facts in]:\n{template}",
    "Format: {template}",
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
    template = _template(pen, list(given))
    answer = template
    for key, value in given.items():
        answer = answer.replace(f"[{key}]", value)
    instruction = pen.say(TEMPLATE, {"template": "{template}"}).replace("{template}", template)
    return pen.task(pen.pose(instruction, text), answer)


HEADINGS = (
    "[Sort|Put] the sentences under [these|the] headings: {headings}.",
    "[Arrange|Order] the text under the headings {headings}.",
    "[Headings|Use these headings]: {headings}. [Put each sentence where it belongs.|One sentence under each.]",
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
    "~Unfold the braces into plain lines, key then colon then value.",
)
GET_KEY = (
    '[What is|Give] "{key}"[ in the JSON|][?|.]',
    "[Read|Take] {key} from the JSON.",
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
    "under_headings": under_headings,
    "from_json": from_json,
    "mask": mask_value,
}
