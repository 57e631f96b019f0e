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
    "[What happened|What is it about|What is said here]? [Plain sentences, please.|The facts, in plain sentences.]",
    "[Condense|Shorten|Reduce] [this|the text|it] to [plain statements|the facts|the main facts].",
    "[List|State|Report|Record] the [main points|key facts|facts] in [plain|short|simple] sentences.",
    "[For the file|For the record|For a colleague]: a [plain|short|brief] [summary|report].",
    "[Summary|A summary|Brief summary|Plain summary][, please.|.]",
    "[Write|Make|Draw up] [a note|the minutes|a report|a record] of [the facts|what was said|this].",
    "[I have no time to read it|I was not there|I missed this]. [Sum it up.|What are the facts?|Give me the facts.]",
    "[Facts only|Only the facts|Just the facts], in [plain|full|simple] sentences.",
    "~Boil this down to its bare facts, a sentence each.",
    "~Tell me in simple statements what this amounts to.",
)


def _plain(situation: Situation, names: Sequence[str]) -> str:
    return " ".join(situation.plain(name) for name in names)


def summarise_talk(pen: Pen) -> Task:
    """Sum up a conversation in plain statements, in the scene's own order."""
    situation = pen.situation()
    names = situation.naming(situation.some_fields(2, pen.rng.choice((5, 8))), "plain")
    text = dialogue(situation, _shuffled(pen, list(names)), pen.rng.choice((0, 1, 1, 2, 3, 5)), pen.rng)
    return pen.task(pen.pose(pen.say(SUMMARY), text, "Conversation"), _plain(situation, names))


def summarise_text(pen: Pen) -> Task:
    """Sum up a text in plain statements, leaving out what is beside the point."""
    situation = pen.situation()
    names = situation.naming(situation.some_fields(2, pen.rng.choice((5, 8))), "plain")
    text = passage(situation, _shuffled(pen, list(names)), "third", pen.rng.choice((0, 1, 2, 4)), pen.rng)
    return pen.task(pen.pose(pen.say(SUMMARY), text), _plain(situation, names))


THIRD = (
    "[Rewrite|Write] this [in the third person|as somebody else would report it].",
    "[Report|Tell] [what this person says|this] in the third person.",
    "[Change|Turn] I [to|into] he or she[, in plain sentences|].",
    "[Tell|Say|Retell] this [about|of] the person[, not as the person|].",
    "[No I or my|Without I or my], [as a report|in plain sentences about the person].",
    "[Make|Write] a [report|note|record] [of|about] [the speaker|the writer|this person] [from this|].",
    "[Someone|A person] says this. [Write down|Report|Note] what it tells [about them|of them].",
    "[Turn|Convert|Put] the first person [into|to] the third.",
    "[Third person|In the third person][, please.|.]",
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
    "[Expand|Develop|Work up] the [notes|points|keywords] into [sentences|full sentences|plain text].",
    "[Sentences|Full sentences|Whole sentences], please[, from the notes|, in the same order|].",
    "[Say|Tell] the [same|facts|notes] in [full|plain|whole] sentences.",
    "[A sentence|One sentence] for [each|every] [note|point|line].",
    "[Put|Bring|Convert] [this list|the list|the points] into [sentences|prose|running text].",
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
    names = _shuffled(pen, situation.naming(situation.some_fields(2, pen.rng.choice((5, 8))), "plain"))
    return pen.task(pen.pose(pen.say(NOTES), _notes(pen, situation, names), "Notes"), _plain(situation, names))


SHORTEN = (
    "[Leave out|Remove|Drop] [what is beside the point|everything that does not matter].",
    "[Make|Write] this shorter[: keep only the facts|, keeping the facts].",
    "[Keep|Leave in] only the sentences [that matter|with facts].",
    "[Cut|Delete|Strike] [the chatter|the small talk|all that is beside the point|what adds nothing].",
    "Which sentences [matter|count]? [Repeat only those.|Give only those.]",
    "[Tighten|Trim|Condense] the text[: facts only|, sentences unchanged|].",
    "[Repeat|Write|Give] the text without the [useless|idle|empty|needless] sentences.",
    "[Reduce|Cut] [it|this|the text] to the sentences that [hold facts|tell something].",
    "[Only|Just] the [relevant|important|needed] sentences[, word for word|, please|].",
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
    "[Compose|Prepare|Type] a letter [from {sender} to {to}|to {to} and sign as {sender}][ that tells the following|, with these points|].",
    "[Put|Make] [the notes|this] into a [plain|short] letter, {sender} to {to}.",
    "[Addressee|To]: {to}. [From|Sender|Signed by]: {sender}. [Letter, please.|Write the letter.|A plain letter.]",
    "{sender} [has to write|must write|writes] to {to}. [Draft|Write] the letter[ from the notes|].",
    "[Inform|Write to] {to} [about the following|of this] [on behalf of|in the name of|as] {sender}[, in a letter|].",
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
    "[Compose|Prepare|Type] a [courteous|polite|kind|proper] [answer|reply|response].",
    "[Respond|Write back][ politely| kindly|] [to the writer|to this|] [and repeat what was said|and say what we noted|].",
    "[A customer|Somebody|This person] wrote [this|to us]. [Answer them.|Reply, please.|What do we write back?]",
    "[We owe|I owe] this person [an answer|a reply]. [Write it.|Draft it.]",
    "[Confirm|Acknowledge] this message [politely|kindly|in a friendly way].",
    "~Be courteous and write back, showing that you took it in.",
)
SIGNED = (
    "{whole}",
    "{given}",
    "[Yours|Best|Thanks|Regards|Greetings], {whole}",
    "[Bye|Thanks|Best], {given}",
    "[Sincerely|Yours truly|All the best|Many thanks], {whole}",
    "[Take care|See you|Cheers], {given}",
    "- {whole}",
    "[It is|This is] {whole} [writing|here].",
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
    "[Compose|Produce|Prepare] [a|one] [plain|short|simple] [text|description] [for|of] [this article|the product|the item].",
    "[What is|How would a shop describe] this [product|thing|article]? [Plain sentences.|In plain sentences.]",
    "[Product text|A product text|Shop text], [plain|short|plain and short][, please|].",
    "[Turn|Make] [the data|the features|these points] into [a text|sentences] for [the shop|the catalogue|the page].",
    "[Sell|Present] [this|the article] with [plain|honest|simple] [words|sentences].",
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
