"""A page that shows planned copy as people would meet it: product pages, posts in a feed, mails in an inbox.

    write_preview(build("voice", "preview.html"), plan)

One HTML file that needs nothing else: no scripts, no pictures from elsewhere, no network. It can be read by a screen
reader and with the keyboard, on a telephone, on paper and in the dark.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from jinja2 import Environment

from helpers.cases.voice import SIGN_OFF
from helpers.cases.voice_calendar import Plan
from helpers.workspace import write_whole

SHOP = "Moth & Biscuit"
STYLE = """
:root { color-scheme: light dark; --ink: #22252a; --soft: #5a606a; --page: #f4f1ea; --card: #fff; --line: #d5d0c4;
  --accent: #7a3a12; --thing: #e7ddc8; }
@media (prefers-color-scheme: dark) { :root { --ink: #f0ede6; --soft: #b9b5ab; --page: #1b1c1f; --card: #26282c;
  --line: #44474d; --accent: #f0b284; --thing: #3a3630; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
header, main, footer { max-width: 72rem; margin: auto; padding: 1rem; }
h1 { font-size: 1.6rem; margin: .5rem 0; } h2 { font-size: 1.2rem; margin: 2rem 0 .75rem; }
h3 { font-size: 1rem; margin: 0; } p { margin: .5rem 0; } a { color: var(--accent); }
a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.soft, time { color: var(--soft); font-size: .9rem; }
.cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); padding: 0;
  margin: 0; list-style: none; align-items: start; }
article { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; overflow: hidden; }
.in { padding: .9rem 1rem; } .text { white-space: pre-line; overflow-wrap: anywhere; }
.who { display: flex; gap: .7rem; align-items: center; } .who svg { flex: none; }
.bar { border-bottom: 1px solid var(--line); padding: .7rem 1rem; } .bar p { margin: 0; }
.tags { color: var(--accent); } .subject { font-weight: 600; }
.thing { background: var(--thing); color: var(--soft); display: grid; place-items: center; height: 5rem; }
.price { font-weight: 600; } table { border-collapse: collapse; width: 100%; background: var(--card); }
th, td { border: 1px solid var(--line); padding: .5rem .7rem; text-align: left; vertical-align: top; }
.scroll { overflow-x: auto; }
@media print { article { break-inside: avoid; } nav { display: none; } }
"""
MOTH = """<svg width="40" height="40" viewBox="0 0 40 40" aria-hidden="true" focusable="false">
<circle cx="20" cy="20" r="20" fill="#7a3a12"/>
<path d="M20 13c-3-6-12-5-12 1s7 8 12 8 12-2 12-8-9-7-12-1z" fill="#f6e3c5"/>
<path d="M20 20c-5 0-9 3-8 7s7 2 8-2c1 4 7 6 8 2s-3-7-8-7z" fill="#e5c08a"/>
<rect x="19" y="12" width="2" height="14" rx="1" fill="#3b1c08"/>
</svg>"""
PAGE = """<!doctype html>
<html lang="en-GB">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ shop }}: content preview</title><style>{{ style | safe }}</style></head>
<body>
<header><h1>{{ shop }}: what goes out</h1>
<p class="soft">{{ span }}. Written by {{ made_by }}. A person reads every piece before it is published.</p>
<nav aria-label="On this page"><a href="#description">Product pages</a> · <a href="#post">Posts</a> ·
<a href="#email">E-mails</a> · <a href="#held">Held back</a></nav></header>
<main>
{% for channel, title, empty in channels %}<section aria-labelledby="{{ channel }}">
<h2 id="{{ channel }}">{{ title }}</h2>
{% if not entries[channel] %}<p>{{ empty }}</p>{% endif %}
<ul class="cards">{% for e in entries[channel] %}<li><article aria-labelledby="{{ channel }}-{{ loop.index }}">
{% if channel == "description" %}<div class="thing" aria-hidden="true">no photograph yet</div>
<div class="in"><h3 id="{{ channel }}-{{ loop.index }}">{{ e.product }}</h3><p class="price">{{ e.price }} quid</p>
<p class="text">{{ e.body }}</p><p class="soft">{{ e.sign_off }}</p>
{% elif channel == "post" %}<div class="in"><div class="who">{{ moth | safe }}
<div><h3 id="{{ channel }}-{{ loop.index }}">{{ shop }}<span class="soft"> on {{ e.product }}</span></h3>
<span class="soft">@mothandbiscuit</span></div></div>
<p class="text">{{ e.body }}</p><p class="tags">{{ e.hashtags }}</p>
<p class="soft">{{ e.characters }} of 280 characters</p>
{% else %}<div class="bar"><p class="soft">From {{ shop }}, to the list</p>
<h3 class="subject" id="{{ channel }}-{{ loop.index }}"><span class="soft">Subject:</span> {{ e.subject }}</h3></div>
<div class="in"><p class="text">{{ e.body }}</p><p class="soft">{{ e.sign_off }}</p>
{% endif %}<time datetime="{{ e.date }}T{{ e.time }}">{{ e.when }}, {{ e.time }}{% if e.offer_ends %};
offer {{ e.code }} ends {{ e.offer_ends }}{% endif %}</time></div></article></li>
{% endfor %}</ul></section>
{% endfor %}<section aria-labelledby="held"><h2 id="held">Held back</h2>
{% if held %}<p>{{ held | length }} of {{ all }} pieces need a person before they can go out.</p>
<div class="scroll" role="region" aria-labelledby="held" tabindex="0"><table><thead><tr><th scope="col">Product</th>
<th scope="col">Channel</th><th scope="col">Why</th><th scope="col">Text</th></tr></thead><tbody>
{% for h in held %}<tr><th scope="row">{{ h.product }}</th><td>{{ h.channel }}</td><td>{{ h.why }}</td>
<td class="text">{{ h.text }}</td></tr>
{% endfor %}</tbody></table></div>{% else %}<p>Nothing was held back.</p>{% endif %}</section>
</main>
<footer class="soft"><p>The shop, its products and its snail are fictional.</p></footer>
</body></html>
"""
CHANNELS = [
    ("description", "Product pages", "No description is planned."),
    ("post", "Posts", "No post is planned."),
    ("email", "E-mails", "No e-mail is planned."),
]


def preview(plan: Plan, made_by: str = "hand") -> str:
    """Return the page for a plan. `made_by` names the model that wrote the pieces; every text is shown as text."""
    days = plan.calendar["date"].tolist()
    rows = [_shown(row) for row in plan.calendar.to_dict("records")]
    template = Environment(autoescape=True).from_string(PAGE)
    return template.render(
        shop=SHOP,
        style=STYLE,
        moth=MOTH,
        made_by=made_by,
        span=f"{len(days)} pieces from {days[0]} to {days[-1]}" if days else "Nothing is planned",
        channels=CHANNELS,
        entries={channel: [row for row in rows if row["channel"] == channel] for channel, *_ in CHANNELS},
        held=plan.held_back.to_dict("records"),
        all=len(days) + len(plan.held_back),
    )


def write_preview(path: Path, plan: Plan, made_by: str = "hand") -> Path:
    """Write the page whole or not at all, and return its path. Raises Explained where it cannot be written."""
    return write_whole(path, preview(plan, made_by))


def _shown(row: dict[Any, Any]) -> dict[str, Any]:
    """The row with its day as people write it, and its sign-off set apart from the text."""
    day = date.fromisoformat(row["date"])
    body = str(row["text"]).removesuffix(SIGN_OFF).rstrip()
    when, sign_off = f"{day:%A} {day.day} {day:%B %Y}", SIGN_OFF if body != row["text"] else ""
    return row | {"when": when, "body": body, "sign_off": sign_off}
