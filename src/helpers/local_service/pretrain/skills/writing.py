"""Plain writing from facts: summaries, notes in sentences, letters, replies, product text, shorter and clearer."""

from collections.abc import Sequence

from ..grammar import capital
from ..scenes import Situation
from .reading import _shuffled
from .task import Pen, Task, dialogue, passage

SUMMARY = (
    "[Summarise|Sum up] [this|the text|what is said][ in plain sentences| plainly| in a few sentences|].",
    "[Write|Give] a [plain|short|plain, short] summary[ of this|].",
    "[What are|Give me] the [facts|main facts][?|, in plain sentences.]",
    "[Note down|Write down] [what matters|the facts] [in plain sentences|as plain statements].",
    "~Boil this down to its bare facts, a sentence each.",
    "~Tell me in simple statements what this amounts to.",
)


def _plain(situation: Situation, names: Sequence[str]) -> str:
    return " ".join(situation.plain(name) for name in names)


def summarise_talk(pen: Pen) -> Task:
    """Sum up a conversation in plain statements, in the scene's own order."""
    situation = pen.situation()
    names = situation.naming(situation.some_fields(2, 5), "plain")
    text = dialogue(situation, _shuffled(pen, list(names)), pen.rng.choice((0, 1, 1, 2, 3)), pen.rng)
    return pen.task(pen.pose(pen.say(SUMMARY), text, "Conversation"), _plain(situation, names))


def summarise_text(pen: Pen) -> Task:
    """Sum up a text in plain statements, leaving out what is beside the point."""
    situation = pen.situation()
    names = situation.naming(situation.some_fields(2, 5), "plain")
    text = passage(situation, _shuffled(pen, list(names)), "third", pen.rng.choice((0, 1, 2)), pen.rng)
    return pen.task(pen.pose(pen.say(SUMMARY), text), _plain(situation, names))


THIRD = (
    "[Rewrite|Write] this [in the third person|as somebody else would report it].",
    "[Report|Tell] [what this person says|this] in the third person.",
    "[Change|Turn] I [to|into] he or she[, in plain sentences|].",
    "~Tell it as an onlooker would, plainly.",
)


def third_person(pen: Pen) -> Task:
    """Report what a person says about themselves in plain third-person statements."""
    situation = pen.situation()
    names = situation.naming(situation.some_fields(1, 4), "plain")
    text = passage(situation, names, "first", pen.rng.choice((0, 0, 1)), pen.rng)
    return pen.task(pen.pose(pen.say(THIRD), text), _plain(situation, names))


NOTES = (
    "[Write|Turn|Make] [the|these] notes [as|into] [plain|full|whole] sentences.",
    "[Write out|Spell out] the notes in [full|plain] sentences.",
    "[Make|Write] a short text from [these|the] [notes|facts|points].",
    "~Flesh the jottings out into proper sentences.",
)


def _notes(pen: Pen, situation: Situation, names: Sequence[str]) -> str:
    mark = pen.rng.choice(("", "- ", "* "))
    joiner = pen.rng.choice((": ", ": ", " - ", " = "))
    return pen.rng.choice(("\n", "\n", "; ")).join(
        f"{mark}{situation.label(n)}{joiner}{situation.values[n]}" for n in names
    )


def notes_to_text(pen: Pen) -> Task:
    """Write short notes out as plain sentences, in the order of the notes."""
    situation = pen.situation()
    names = _shuffled(pen, situation.naming(situation.some_fields(2, 5), "plain"))
    return pen.task(pen.pose(pen.say(NOTES), _notes(pen, situation, names), "Notes"), _plain(situation, names))


SHORTEN = (
    "[Leave out|Remove|Drop] [what is beside the point|everything that does not matter].",
    "[Make|Write] this shorter[: keep only the facts|, keeping the facts].",
    "[Keep|Leave in] only the sentences [that matter|with facts].",
    "~Prune this; facts stay, chatter goes.",
)


def shorten(pen: Pen) -> Task:
    """Write a text again without the sentences that are beside the point."""
    situation = pen.situation()
    way = pen.rng.choice(("third", "first"))
    names = _shuffled(pen, situation.some_fields(2, 4))
    kept = [situation.say(name, way) for name in names]
    sentences = list(kept)
    for _ in range(pen.rng.randint(1, 3)):
        sentences.insert(pen.rng.randrange(len(sentences) + 1), situation.noise(way))
    return pen.task(pen.pose(pen.say(SHORTEN), " ".join(sentences)), " ".join(kept))


LETTER = (
    "[Write|Draft] a [plain|short|simple] letter to {to} [with|from] these [facts|notes]. [Sign|Sign it] as {sender}.",
    "Letter to {to}, from {sender}[, plain and short|]. [Facts|Notes]:",
    "[Please write|I need a letter] to {to}. [It comes from|The sender is] {sender}.",
    "~{sender} wants these facts put to {to} on paper.",
)
OPEN_LETTER = ("Dear {to},", "Dear {to},", "To {to},")
CLOSE_LETTER = ("Yours sincerely,", "Yours faithfully,", "With best wishes,", "Sincerely,")


def letter(pen: Pen) -> Task:
    """Write a plain letter from notes: salutation, the facts, closing, signature."""
    situation = pen.situation()
    names = situation.naming(situation.some_fields(2, 4), "third")
    to, sender = pen.values.name(), pen.values.name()
    instruction = pen.say(LETTER, {"to": to, "sender": sender})
    body = " ".join(situation.say(name, "third") for name in names)
    answer = f"{pen.say(OPEN_LETTER, {'to': to})}\n\n{body}\n\n{pen.say(CLOSE_LETTER)}\n{sender}"
    must = [to, sender, *(situation.values[name] for name in names)]
    must = [part for part in must if part in answer]
    return pen.task(pen.pose(instruction, _notes(pen, situation, names), "Notes"), answer, must)


REPLY = (
    "[Write|Draft] a [polite|kind|friendly] [answer|reply] to this [message|person].",
    "[Answer|Reply to] this message [politely|kindly|in a friendly way].",
    "[What would you reply|How would you answer], politely?",
    "~Be courteous and write back, showing that you took it in.",
)
SIGNED = (
    "{whole}",
    "{given}",
    "[Yours|Best|Thanks|Regards|Greetings], {whole}",
    "[Bye|Thanks|Best], {given}",
    "~{given} it is who writes.",
)
THANKS = (
    "[Thank you|Many thanks] for [writing|your message|your note].", "[It was kind|We were glad] [that you wrote|to have your lines].",
    "[We have|I have] read your message [with care|carefully].", "[Your message has|Your note has] reached us.",
    "~Your words have arrived safely.",
)  # fmt: skip
NOTED = ("We have noted: ", "We see that: ", "As we understand it: ", "Our notes now say: ", "What we wrote down: ")
NEXT = (
    "[Someone|A colleague] will [look into it|call you] [soon|this week|tomorrow].", "[We will|I will] [come back to you|write again] [soon|in a few days].",
    "[Please|Do] [write|call] again if [anything|something] [changes|is wrong].", "[We hope|I hope] this [helps|is right].",
    "~More will follow before long.",
)  # fmt: skip
CLOSE_REPLY = ("Kind regards", "Best regards", "With kind regards", "Many greetings", "Yours")


def reply(pen: Pen) -> Task:
    """Write a polite reply that repeats the facts of a message."""
    situation = pen.situation()
    names = [n for n in situation.some_fields(2, 4) if n != situation.scene.person] or [situation.scene.person]
    text = passage(situation, names, "first", pen.rng.choice((0, 1)), pen.rng)
    whole = situation.values[situation.scene.person]
    first = whole.split()[0]
    facts = _plain(situation, names)
    signed = pen.say(SIGNED, {"given": whole if whole in facts else first, "whole": whole})
    text += pen.rng.choice(("\n", "\n\n", " ")) + signed
    body = f"{pen.say(THANKS)} {pen.rng.choice(NOTED)}{facts} {pen.say(NEXT)}"
    answer = f"Dear {first},\n\n{body}\n\n{pen.rng.choice(CLOSE_REPLY)}"
    return pen.task(
        pen.pose(pen.say(REPLY), text, "Message"), answer, [first, *(situation.values[name] for name in names)]
    )


PRODUCT = (
    "[Write|Give] a [plain|simple|short] [description|text] of [the product|this thing][ for the shop|].",
    "[Describe|Present] the product[ plainly| in plain words|].",
    "[Make|Write] plain product text from [the facts|the list].",
    "~Put what is known of the article into a few honest sentences.",
)


def product_text(pen: Pen) -> Task:
    """Describe a product plainly from its attributes."""
    values, rng = pen.values, pen.rng
    product, colour, material = values.pick("product"), values.pick("colour"), values.pick("kind material")
    price, weight, name = values.amount(), f"{rng.randint(1, 40) * 50} grams", capital(values.made_word())
    facts = {"name": name, "kind": product, "colour": colour, "material": material, "price": price, "weight": weight}
    lines = {
        "colour": f"The colour is {colour}.", "material": f"It is made of {material}.", "price": f"It costs {price}.",
        "weight": f"It weighs {weight}.",
    }  # fmt: skip
    chosen = [key for key in facts if key in ("name", "kind") or rng.random() < 0.7]
    notes = "\n".join(f"{key}: {facts[key]}" for key in chosen)
    answer = " ".join([f"The {name} is {product}.", *(lines[key] for key in chosen if key in lines)])
    return pen.task(pen.pose(pen.say(PRODUCT), notes, "Facts"), answer, [facts[key] for key in chosen])


SKILLS = {
    "summarise_talk": summarise_talk,
    "summarise_text": summarise_text,
    "third_person": third_person,
    "notes_to_text": notes_to_text,
    "shorten": shorten,
    "letter": letter,
    "reply": reply,
    "product_text": product_text,
}
