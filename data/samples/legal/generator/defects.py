"""What is wrong with the raw records: the defects, what cleaning makes of them, and how they are planted."""

from __future__ import annotations

import random
import re

from generator.banks import bank
from generator.plan import Request

DEFECTS = {
    "party_names": "mendable: parties and counsel are named; the curated files hold stand-ins",
    "personal_data": "mendable: a telephone number or an e-mail address in the note",
    "mojibake": "mendable: UTF-8 read as cp1252, such as â€™ for an apostrophe",
    "notice": "mendable: the firm's notice under a mail",
    "privileged": "drop: advice of counsel, work product or a talk with the client in the note",
    "exact_duplicate": "drop: the same note and draft filed twice",
    "near_duplicate": "drop: the same note and draft with small changes in the note",
    "earlier_version": "drop: a junior's draft that the senior paralegal corrected in a later version",
    "off_style": "drop: a request that keeps hardly any rule of the style guide",
    "no_draft": "drop: a note that nobody drafted",
    "wrong_matter": "drop: the draft of another matter filed under the note",
}
NOTICE = "This e-mail and any attachment are for the addressee\u2019s eyes. Thessaly Oake LLP, a limited liability partnership."
SLIPS = [  # what the senior paralegal corrects in a junior's draft: pattern, replacement
    (r"\bYOU\b", "you"),
    (r"\bPERSON who", "person who"),
    (r"DOCUMENTS on", "documents on"),
    (r"COMMUNICATIONS on", "communications on"),
    (r", and ((?:\w+ ?)+)( of each|\.)", r" and \1\2"),
    (r"NO\. (\d)", r"No. \1"),
    (r", through", " through"),
    (r"Respond within (\d+) days of service\.", r"Please respond within \1 days."),
    (r"For (Plaintiff|Defendant) ", r"/s/ for \1 "),
    (r" Refer to Bates (\S+) to (\S+)\.", r" (Bates \1 to \2)"),
    (r"\[(\S+)\]", r"(\1)"),
]


def junior(draft: str, rng: random.Random) -> str:
    """The draft as it was before the senior paralegal corrected it: two or three faults in it."""
    fitting = [slip for slip in SLIPS if re.search(slip[0], draft)]
    for pattern, put in rng.sample(fitting, rng.choice([2, 3])):
        draft = re.sub(pattern, put, draft)
    return draft


def off_style(request: Request, rng: random.Random) -> str:
    """A request by somebody who has not read the style guide."""
    facts = request.raw_facts
    return rng.choice(bank("off_style")["draft"]).format(
        subject=facts.subject, number=facts.number, code=facts.matter.code, to=facts.to, client=facts.client
    )


def mojibake(text: str) -> str:
    """Curly quotation marks of the text as a program shows them that takes UTF-8 for cp1252."""
    return text.encode("utf-8").decode("cp1252", errors="ignore")


def near_copy(note: str, rng: random.Random) -> str:
    """The note as somebody sends it a second time."""
    head = rng.choice(["Again: ", "Second try. ", "As I wrote: ", "Resending. "])
    return head + note.replace(" and ", " & ", 1)
