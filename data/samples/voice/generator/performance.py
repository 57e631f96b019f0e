"""What a piece brought in: made up from how good it is, and from all that has nothing to do with that.

Copy in the house voice earns more clicks; so do offers, December, paid reach among people who know the shop, and luck.
Paid reach among strangers, which the agency bought for its own posts, brings many clicks at a low rate. Opens are
counted too high from June 2025 on, when a mail program began to open everything by itself. Sales follow clicks and are
fewer for dear things.
"""

from __future__ import annotations

import math
import random
from datetime import date

from generator.products import Facts

VOICE = {"house": 0.6, "mate": 0.35, "hush": 0.0, "ledger": -0.25, "sparkle": -0.15}  # added to the log odds of a click
BASE = {"description": 0.055, "post": 0.016, "email": 0.035}
OPENED_BY_PROGRAMS = date(2025, 6, 1)


def performance(facts: Facts, voice: str, boosted: bool, rng: random.Random) -> dict[str, int]:
    """reach (views, impressions or mails sent), opens (likes for posts), clicks (baskets for descriptions), sold."""
    offer = bool(facts.code) and facts.channel != "description"
    odds = math.log(BASE[facts.channel] / (1 - BASE[facts.channel])) + VOICE[voice] + 0.6 * offer
    odds += 0.35 * (facts.day.month == 12) - 0.5 * boosted + rng.gauss(0, 0.4)
    size = {"description": 900, "post": 2600, "email": 5200}[facts.channel]
    reach = int(size * math.exp(rng.gauss(0, 0.35))) * (7 if boosted else 1)
    clicks = _binomial(reach, 1 / (1 + math.exp(-odds)), rng)
    opened = 0.05 if facts.channel == "post" else 0.31 + 0.3 * (facts.day >= OPENED_BY_PROGRAMS)
    opens = _binomial(reach, min(0.9, max(0.01, opened + rng.gauss(0, 0.03))), rng)
    dear = min(1.0, 30 / float(facts.price))
    sold = _binomial(clicks, 0.04 + 0.12 * dear, rng)
    return {
        "reach": reach,
        "opens": max(opens, clicks if facts.channel == "email" else 0),
        "clicks": clicks,
        "sold": sold,
    }


def _binomial(n: int, share: float, rng: random.Random) -> int:
    """How many of n, near enough: the normal curve, within 0 and n."""
    return min(n, max(0, round(rng.gauss(n * share, math.sqrt(n * share * (1 - share))))))
