"""Other words for the same request: without them a small model knows an instruction only by its exact words."""

import random
import re

_WORD = re.compile(r"\{[^}]*\}|[A-Za-z]+")
RATE = 0.25  # of the words that have others, so that most of a phrase stays

# Each word stands for itself and for the others of its line, in instructions only: nouns that may be labels are left out.
_OTHERS = """
write: put down, set down, jot down, pen, note down, produce, type out, draw up
give: hand, supply, provide, offer, show, pass, let me have, furnish
tell: let know, inform, show, advise
say: tell, utter, mention, speak, express, declare
find: discover, locate, track down, hunt for, detect, spot, dig up
return: give back, send back, bring back, yield, deliver
make: create, build, prepare, produce, form, shape
put: set, place, lay, bring, insert
turn: change, transform, make, remake, render
take: use, pick up, accept, grab
choose: select, decide on, settle on, opt for, elect
pick: choose, select, single out, take out
repeat: say again, echo, recite, iterate, reproduce, parrot
copy: transcribe, replicate, clone, mimic
read: go through, look over, study, scan
answer: reply, respond
reply: answer, respond, write back
keep: hold, retain, leave, save
change: alter, modify, adjust, vary
fill: complete, populate, pack
complete: finish, fill out, round off, finalise
replace: exchange, substitute, trade
remove: delete, drop, take away, strike, erase, cut
count: number, total up, add up, reckon
sort: order, rank, arrange, line up
arrange: order, organise, lay out, line up
extract: pull out, draw out, get out, take out, lift out
need: want, require, would like, am after
want: need, wish for, would like, ask for
please: kindly, if you can, be so good, do, now
only: just, merely, nothing but, no more than, solely
just: only, simply, merely
exactly: precisely, to the letter, strictly, faithfully
again: anew, once again, another time, afresh
short: brief, compact, concise, small
brief: short, compact, terse
plain: simple, clear, ordinary, everyday, unadorned
simple: plain, easy, basic
whole: entire, full, complete, total
every: each, all of the, any
each: every, any single
missing: absent, lacking, not there
unknown: not known, unclear, open
same: identical, very same, equal
right: correct, proper, true
correct: right, proper, accurate
wrong: incorrect, false, mistaken
large: big, great
biggest: largest, greatest
smallest: least, tiniest
belongs: fits, pertains, attaches
stands: is found, sits, appears, is written
comes: follows, arrives, turns up
says: states, tells, mentions, reads
shown: displayed, given, visible
below: underneath, further down, beneath
above: over this, further up, higher up
following: next, coming, ensuing
using: with, by means of, employing
without: minus, lacking, free of
from: out of
about: concerning, on, regarding, around
here: in this place, at this point, right here
these: those, the given, the present
this: that, the given, the present
careful: attentive, thorough
look: glance, search, peer
search: look, comb, hunt
check: verify, test, inspect, examine
match: fit, go with, correspond to
name: mention, call out, identify, state
state: declare, report, name, specify
report: tell, state, announce
list: enumerate, itemise, name
rewrite: reword, rephrase, write anew, recast
convert: transform, translate, recast, change
summary: digest, recap, outline, overview
sentences: statements, phrases
sentence: statement, phrase
words: terms, expressions
facts: particulars, details, data, points
text: passage, material, wording, source, piece, content
question: query
instead: in its place, in exchange
"""
OTHERS = {
    word: tuple(other.strip() for other in others.split(","))
    for word, _, others in (line.partition(":") for line in _OTHERS.strip().splitlines())
}

BEFORE = (
    "[Hi|Hello|Hey|Good morning|Good evening][ there| again|].", "[Could|Can|Would] you help[ me|][ with something| a moment|]?",
    "[A|One] [small|quick|little] [thing|job|request|favour][ for you|]:", "[Next|Now this|And then|Another one|One more]:",
    "[I have|There is] [something|a task|work] for you.", "[My boss|A friend|My sister|A colleague] asked me for this.",
    "[Sorry to bother you|I hope you are well|Right|OK|So|Well then].", "[Listen|Look] [closely|carefully|well].",
    "[It is|This is] [late|urgent|not hard|for the files|for practice].", "[Task|Request|Instruction|To do|Order]:",
    "[We are|I am] [testing|trying out] [you|something] [today|now].", "[Let us|Let's] [begin|start|go on|try this].",
)  # fmt: skip
AFTER = (
    "[Thanks|Thank you|Many thanks|Cheers][ in advance| so much| a lot|].", "[I am|We are] in [a hurry|no hurry].",
    "[That is|This is] all[ I need| for now|].", "[Take|You may take] your time.", "[It is|This is] [important|for work|for a friend].",
    "[No|Without any] [comment|chatter|explanation|small talk], please.", "[Can|Could] you do [that|it]?", "[Be|Please be] [quick|exact|thorough].",
    "[You know how|You have done it before|It should be easy].", "[I will|We will] [check|read] it [later|afterwards].", "Go.",
    "[Mistakes|Slips] would [cost me|be bad].", "[Understood|All right|Ready]?",
)  # fmt: skip


def reworded(phrase: str, rng: random.Random) -> str:
    """Return the phrase with some of its words replaced by others of like meaning; slots and choices stay."""

    def other(match: re.Match[str]) -> str:
        word = match.group()
        others = OTHERS.get(word.lower(), ())
        if not others or rng.random() > RATE:
            return word
        new = rng.choice(others)
        return new[:1].upper() + new[1:] if word[:1].isupper() else new

    return _WORD.sub(other, phrase)
