"""Small work on words: groups, opposites, spelling, letter case, tense, and choosing one of several options."""

from ..grammar import capital
from ..values import word_lists
from .task import Pen, Task, sentence_list, typos


def _kinds() -> list[str]:
    return [name for name in word_lists() if name.startswith("kind ")]


GROUP = (
    "[What kind of thing|Which group] is [this|a {word}|the word {word}]: {options}?",
    "Is {word} [one of these|in which group]: {options}?",
    "[Put|Sort] {word} into one of these groups: {options}.",
    "{word}: {options}?",
    "[Classify|Label|Tag] {word}: {options}.",
    "[To which|Into which] [group|class|kind] does {word} [go|fall|belong]: {options}?",
    "[Of|Out of] {options}, [what is|which is] {word}?",
    "{word} [is one of|is either]: {options}. Which?",
    "[Choose|Pick|Select] the [group|class|kind] [for|of] {word}: {options}.",
    "~Where does {word} belong ({options})?",
)
ODD = (
    "[Which|What] one does not [belong|fit]?",
    "[Find|Name] the odd one out.",
    "[All but one|Every word but one] are of one kind. Which is the other?",
    "[Which word|Which one|What] [is out of place|is wrong here|is the odd one]?",
    "[Spot|Name|Give|Pick] the word that does not [match|go with the others|belong].",
    "[One of these|One word] [is different|differs]. [Which one?|Name it.]",
    "[Remove|Strike out] the word that is of another kind: which [is it|one]?",
    "~One word here is a stranger among the rest. Which?",
)


def group_word(pen: Pen) -> Task:
    """Say which group a word belongs to, or which word of a list does not belong."""
    rng = pen.rng
    kind, other, third = rng.sample(_kinds(), 3)
    name = kind.removeprefix("kind ")
    word = pen.values.pick(kind)
    if pen.chance(0.5):
        options = [k.removeprefix("kind ") for k in (kind, other, third)][: rng.choice((2, 3))]
        rng.shuffle(options)
        question = pen.say(GROUP, {"word": word, "options": ", ".join(options)})
        if "{word}" not in question and word not in question:
            return pen.task(pen.pose(question, word, "Word"), name)
        return pen.task(pen.pose(question), name)
    words = rng.sample(list(word_lists()[kind]), rng.randint(2, 4))
    stranger = pen.values.pick(other)
    if stranger in words or stranger in word_lists()[kind]:
        return group_word(pen)
    words.insert(rng.randrange(len(words) + 1), stranger)
    return pen.task(pen.pose(pen.say(ODD), ", ".join(words), "Words"), stranger)


PAIR_PROMPTS = {
    "opposite": (
        "[What is|Give me|Name] the opposite of {word}[?|.]",
        "The opposite of {word} is",
        "Not {word}, but?",
        "[Opposite|Antonym|Contrary] of {word}[?|.]",
        "[Which word|What] means the reverse of {word}?",
        "[Say|Write] the word [that is opposite to|opposed to] {word}.",
        "~Turn {word} on its head: which word?",
    ),
    "same": (
        "[Give|Name|Find] [another word|a word with the same meaning] for {word}.",
        "[What is|Say] {word} in another word[?|.]",
        "[Synonym|A synonym] [for|of] {word}[?|.]",
        "[Which|What] word means [the same as|as much as] {word}?",
        "[Replace|Put another word for] {word}.",
        "~Swap {word} for its twin in meaning.",
    ),
    "plural": (
        "[What is|Give|Write] the plural of {word}[?|.]",
        "One {word}, two",
        "[Plural|The plural form] of {word}[?|.]",
        "{word}: more than one is",
        "Many a {word}, or many",
        "~Say {word}, but for several.",
    ),
}


def related_word(pen: Pen) -> Task:
    """Give a word's opposite, a word of the same meaning, its plural, or a verb's other form."""
    rng = pen.rng
    kind = rng.choice(("opposite", "same", "plural", "verb"))
    forms = pen.values.pick(kind).split("/")
    if kind == "verb":
        index, name = rng.choice(((1, "past"), (2, "-ing")))
        prompts = (
            f"[Give|Write] the {name} form of {{word}}.",
            f"{{word}}: {name} form?",
            f"[What is|Say|Name] the {name} form of {{word}}[?|.]",
            f"[Put|Turn] {{word}} into the {name} form.",
            f"{{word}}, {name} form",
            f"~{{word}}, put into its {name} shape, is?",
        )
        return pen.task(pen.pose(pen.say(prompts, {"word": forms[0]})), forms[index])
    word, answer = forms if kind == "plural" or pen.chance(0.5) else reversed(forms)
    return pen.task(pen.pose(pen.say(PAIR_PROMPTS[kind], {"word": word})), answer)


UPPER = (
    "[Write|Put|Give] [this|the text] in capital letters.",
    "[All capitals|Upper case], please.",
    "[Turn|Change] every letter into a capital.",
    "[Uppercase|Capitalise] [everything|all letters|the whole text].",
    "[In|Use] [capitals|upper case|block letters][ only|], please.",
    "[Convert|Change] [it|this|the text] to [upper case|capitals].",
    "[ONLY CAPITALS|CAPITAL LETTERS][, please.|.]",
    "~Make each letter a big one.",
)
LOWER = (
    "[Write|Put|Give] [this|the text] in small letters.",
    "[All small letters|Lower case], please.",
    "[Turn|Change] every letter into a small one.",
    "[Lowercase|Small letters for] [everything|all letters|the whole text].",
    "[In|Use] [small letters|lower case][ only|], please.",
    "[Convert|Change] [it|this|the text] to [lower case|small letters].",
    "[only small letters|lower case][, please.|.]",
    "~Without any capitals at all.",
)
TITLE = (
    "[Give|Write] [each|every] word [with|] a capital first letter.",
    "[Capitalise|Start] every word[ with a capital|].",
    "[Title case|Capital initials|A capital for every word][, please.|.]",
    "[Convert|Change] [it|this|the text] to title case.",
    "[Make|Write] the first letter of [each|every] word [a capital|upper case|large].",
    "[As in a title|As in a headline]: [every|each] word with a capital.",
    "~Let all words begin big.",
)


def letter_case(pen: Pen) -> Task:
    """Write a short text in capitals, in small letters or with capitals at the start of words."""
    situation = pen.situation()
    words = situation.say(pen.rng.choice(list(situation.scene.fields)), "third").rstrip(".").split()
    text = (
        " ".join(words[: pen.rng.randint(2, 8)])
        if pen.chance(0.5)
        else sentence_list([pen.values.made_word() for _ in range(pen.rng.randint(1, 5))], pen.rng)
    )
    kind = pen.rng.randrange(3)
    answer = (text.upper(), text.lower(), " ".join(capital(word) for word in text.split(" ")))[kind]
    return pen.task(pen.pose(pen.say((UPPER, LOWER, TITLE)[kind]), text), answer)


SPELL = (
    "[Correct|Fix|Mend] the [spelling|typos|slips][ in this text|].",
    "[There are|You will find] [typing|spelling] mistakes here. [Write it properly.|Please correct them.]",
    "[Write|Type] this again without the [mistakes|typos].",
    "[I typed this in a hurry.|Sorry for the typing.] [Clean it up|Put it right], please.",
    "[Proofread|Correct|Repair] [this|the text|my text].",
    "[Remove|Mend|Fix] [all|the|any] [typing errors|errors|mistakes|slips of the keys].",
    "[My keyboard|My phone] [is bad|plays up|slipped]. [What did I mean?|Write what I meant.|Write it properly.]",
    "[Give|Return|Send] [me|] [a clean|the correct|an error-free] [version|copy].",
    "[Spell|Write] [it|this] [correctly|right|as it should be].",
    "[Spelling check|Check the spelling], [please|and return the right text].",
    "~Every word should be spelt as in a dictionary; the rest stays.",
)


def fix_spelling(pen: Pen) -> Task:
    """Write a careless text again with the right spelling, changing nothing else."""
    situation = pen.situation()
    text = " ".join(situation.say(name, pen.rng.choice(("third", "first"))) for name in situation.some_fields(1, 2))
    careless = typos(text, pen.rng, 0.35)
    if pen.chance(0.25):
        careless = careless.rstrip(".")
    if careless == text:
        return fix_spelling(pen)
    return pen.task(pen.pose(pen.say(SPELL), careless), text)


CHOOSE = (
    "[Choose|Pick] one [of|from]: {options}.",
    "[Which|What] [fits|is right]: {options}?",
    "[Answer with|Reply with] one of these [words|options] only: {options}.",
    "[Label|Mark] the text with one of: {options}.",
    "[Is this about|What is this about:] {options}?",
    "[Classify|Tag|Sort] the text[ as one of|]: {options}.",
    "[Select|Give|Name|State] the [right|best|fitting] [label|topic|option]: {options}.",
    "[The topic|The subject|It] is one of {options}. [Which?|Which one is it?|Name it.]",
    "[Options|Labels|Topics|Choices]: {options}. [Your choice?|Which one?|Answer with one.]",
    "[To which|Under which] [of|heading of] {options} does [this|the text] [belong|go]?",
    "[File|Put] this under one of: {options}.",
    "[Category|Topic|Label] ({options})?",
    "~Out of {options}, settle on the single best one.",
)


def choose_topic(pen: Pen) -> Task:
    """Say which of several topics a text is about: the scene's name or its domain is among the options."""
    rng = pen.rng
    situation = pen.situation()
    by_domain = pen.chance(0.35)
    right = situation.scene.domain if by_domain else situation.scene.name
    others: set[str] = set()
    while len(others) < rng.randint(1, 4):
        scene = pen.situation().scene
        if (option := scene.domain if by_domain else scene.name) != right:
            others.add(option)
    options = [*sorted(others), right]
    rng.shuffle(options)
    way = rng.choice(("third", "first"))
    text = " ".join(situation.say(name, way) for name in situation.some_fields(2, 4))
    if pen.chance(0.2):
        text = typos(text, rng, 0.2)
    return pen.task(pen.pose(pen.say(CHOOSE, {"options": ", ".join(options)}), text), right)


MOODS = {
    "pleased": (
        "[Thank you|Thanks], [that was|it was] [lovely|great|very kind].", "I am [so happy|very pleased] with [it|everything].",
        "[What a|Such a] [good|nice] surprise.", "[Could not|I could not] be [happier|better].", "It works [perfectly|like a dream].",
        "[How|So] [kind|helpful|quick] [everybody|everyone|they all] [was|were]!", "I [smiled|was glad] [all day|the whole evening].",
        "[Full marks|Five stars|Top] from me.", "[I would|I will gladly] [come again|recommend it|tell my friends].", "[Wonderful|Excellent|Splendid][, just wonderful|, really|].",
        "~My week is made.",
    ),
    "angry": (
        "[This is|That is] [not good enough|a disgrace|outrageous].", "I [have had enough|am fed up|am really cross].",
        "[Nobody|No one] [cares|listens|answers].", "[Never|I will never] [again|come back].", "I [expect|demand] [better|an answer] [today|now].",
        "[What|Who] [do you take me for|is responsible for this mess]?", "[Shame on you|How dare you].", "[I am|We are] [furious|livid|outraged].",
        "[It is|This is] [ridiculous|unacceptable|a scandal].", "[For the third time|How often must I say it]: [no|stop it|put this right].",
        "~My patience has run out.",
    ),
    "worried": (
        "I [am afraid|worry] [something is wrong|it may be serious].", "[I hardly sleep|I cannot sleep] [for worry|because of it].",
        "[What if|And if] it [gets worse|happens again]?", "I [do not know|don't know] what to do.", "[It frightens me|I am scared] a little.",
        "I [keep thinking|cannot stop thinking] [about it|of what may come].", "[Please tell me|I hope] [it is|that it is] not [serious|too late].",
        "[My heart|My stomach] [sinks|turns] [at the thought|when I think of it].", "[Should I|Do I have to] [be concerned|fear the worst]?", "I [feel uneasy|am nervous|am anxious] [about this|all the time].",
        "~The thought of it keeps me up.",
    ),
    "neutral": (
        "[Just|This is just] [to let you know|for your notes].", "[For|Here is] the record.", "[Please|Kindly] [note|take note].",
        "[That is|This is] all[ for now|].", "[No hurry|There is no hurry].", "[These are|Those are] the [details|facts].",
        "[I am|We are] [informing|telling] you [as agreed|of this].", "[As requested|As agreed], [the details|see above].", "[Copy|A copy] [to follow|is attached].", "~Nothing more to add.",
    ),
}  # fmt: skip
MOOD_ASK = (
    "[What is|Name] the [mood|feeling] of the writer: {options}?",
    "[How does|Does] the writer [feel|sound]: {options}?",
    "[Mark|Label] the mood[ of this text|]: {options}.",
    "[Classify|Rate|Tag] the [feeling|mood|sentiment]: {options}.",
    "Would you call the writer {options}?",
    "[In what|In which] [mood|frame of mind|state] is the [writer|author|person]: {options}?",
    "[Mood|Feeling|Sentiment] ({options})?",
    "[Choose|Pick|Select] the [feeling|mood] that [fits|the text shows]: {options}.",
    "[The writer|This person] [feels|is] one of {options}. Which?",
    "~Which of {options} describes the tone here?",
)


def choose_mood(pen: Pen) -> Task:
    """Say how the writer of a text feels, choosing from the moods named."""
    rng = pen.rng
    mood = rng.choice(list(MOODS))
    situation = pen.situation()
    sentences = [situation.say(name, "first") for name in situation.some_fields(1, 3)]
    for _ in range(rng.choice((1, 1, 2))):
        sentences.insert(rng.randrange(len(sentences) + 1), pen.say(MOODS[mood]))
    options = list(MOODS)
    rng.shuffle(options)
    options = [o for o in options if o == mood or rng.random() < 0.75]
    if len(options) == 1:
        options = list(MOODS)
    question = pen.say(MOOD_ASK, {"options": ", ".join(options)})
    return pen.task(pen.pose(question, " ".join(sentences)), mood)


SKILLS = {
    "group_word": group_word,
    "related_word": related_word,
    "letter_case": letter_case,
    "fix_spelling": fix_spelling,
    "choose_topic": choose_topic,
    "choose_mood": choose_mood,
}
