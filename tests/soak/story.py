"""Whether a job's events tell its whole story: in order, nothing missing, nothing twice."""

from __future__ import annotations

from collections import Counter
from typing import Any

RESUMED = "training goes on from step"


def story_faults(job: Any, events: list[Any]) -> list[str]:
    """What is wrong with the events (oldest first) of a job that has succeeded, in words; nothing, most often."""
    faults = []
    steps = [event.data["step"] for event in events if event.type == "metrics"]
    total = max((event.data["total_steps"] for event in events if event.type == "metrics"), default=0)
    if steps != list(range(1, total + 1)) or not steps:
        faults.append(f"steps {steps} of {total}")
    if [event.created_at for event in events] != sorted(event.created_at for event in events):
        faults.append("times that go backwards")
    told = Counter(event.message for event in events if RESUMED not in event.message)
    faults += [f"{message!r} {count} times" for message, count in told.items() if count > 1]
    wanted = (
        f"Created fine-tuning job: {job.id}",
        "Files validated, moving job to queued state",
        "Fine-tuning job started",
        f"New fine-tuned model created: {job.fine_tuned_model}",
        "The job has successfully completed",
    )
    messages = [event.message for event in events]
    missing = [message for message in wanted if message not in messages]
    places = [messages.index(message) for message in wanted if message in messages]
    faults += [f"no {message!r}" for message in missing]
    if places != sorted(places):
        faults.append("events out of order")
    return faults
