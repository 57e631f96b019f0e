"""/status: a page for the instructor of a class. Who trains, who waits, and for how long; nothing of anybody's data."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from jinja2 import Environment

from ..context import Service, ServiceOf
from ..database import Row
from ..store import now

router = APIRouter()

REFRESH = 5  # seconds
OWNER = "(owner of the service)"
HEADERS = {  # the page loads nothing, runs nothing and stands in no other page
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "cache-control": "no-store",
}
PAGE = Environment(autoescape=True, trim_blocks=True).from_string("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="{{ refresh }}">
<title>The class: {{ "training" if training else "nobody trains" }}, {{ waiting|length }} waiting</title>
<style>
body { font: 1.1em system-ui, sans-serif; max-width: 44em; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3em .8em .3em 0; border-bottom: 1px solid #bbb }
</style>
</head>
<body>
<h1>The class</h1>
<h2>Training now</h2>
{% if training %}
<p>{{ training.who }}, for {{ training.time }}
{%- if training.steps %}: step {{ training.steps }}{% endif %}
{%- if training.left %}, about {{ training.left }} left{% endif %}.</p>
{% else %}
<p>Nobody.</p>
{% endif %}
<h2>Waiting, in the order of their turns</h2>
{% if waiting %}
<table>
<tr><th>turn</th><th>learner</th><th>waits for</th></tr>
{% for job in waiting %}
<tr><td>{{ loop.index }}</td><td>{{ job.who }}</td><td>{{ job.time }}</td></tr>
{% endfor %}
</table>
{% else %}
<p>Nobody.</p>
{% endif %}
<h2>Learners</h2>
<table>
<tr><th>learner</th><th>unfinished jobs</th><th>succeeded jobs</th></tr>
{% for row in learners %}
<tr><td>{{ row.who }}</td><td>{{ row.unfinished }}</td><td>{{ row.succeeded }}</td></tr>
{% endfor %}
</table>
<p>This page loads itself again every {{ refresh }} seconds.</p>
</body>
</html>
""")


@router.get("/status")
def status(service: ServiceOf) -> HTMLResponse:
    running = service.store.next_job("running")
    standing = {row["owner"]: row for row in service.store.standing()}
    nothing = {"unfinished": 0, "succeeded": 0}
    names = [*service.settings.learners, *(owner for owner in standing if owner not in service.settings.learners)]
    page = PAGE.render(
        refresh=REFRESH,
        training=None if running is None else _training(service, running),
        waiting=[_told(job, job["created_at"]) for job in service.store.queue()],
        learners=[{**standing.get(name, nothing), "who": _who(name)} for name in names],
    )
    return HTMLResponse(page, headers=HEADERS)


def _training(service: Service, job: Row) -> dict[str, Any]:
    metrics = service.store.metrics(job["id"])
    return {
        **_told(job, service.store.event_time(job["id"], "started") or now()),
        "steps": f"{metrics[-1]['step']} of {job['total_steps']}" if metrics else "",
        "left": _length(job["estimated_finish"] - now()) if job["estimated_finish"] else "",
    }


def _told(job: Row, since: int) -> dict[str, Any]:
    return {"who": _who(job["owner"]), "time": _length(now() - since)}


def _who(owner: str | None) -> str:
    return OWNER if owner is None else owner


def _length(seconds: int) -> str:
    """A length of time in words: "40 s", "12 min"."""
    return f"{max(seconds, 0)} s" if seconds < 120 else f"{seconds // 60} min"
