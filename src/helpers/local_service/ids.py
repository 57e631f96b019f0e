"""Identifiers in OpenAI's shapes: file-…, ftjob-…, ftevent-…, ftckpt_…, and the names of tuned models."""

from __future__ import annotations

import re
import secrets
import string

_LETTERS = string.ascii_letters + string.digits


def new_id(prefix: str) -> str:
    """`prefix` and 24 random letters and digits."""
    return prefix + random_letters(24)


def random_letters(count: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(count))


def tuned_model_name(root: str, suffix: str | None, tag: str, step: int | None = None) -> str:
    """`ft:<root>:local:<suffix>:<tag>`, and for a checkpoint before the last `:ckpt-step-<n>` behind it.

    Colons separate the parts and the name stands in URLs, so other characters of the suffix become hyphens.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]", "-", suffix or "")
    name = f"ft:{root}:local:{safe}:{tag}"
    return name if step is None else f"{name}:ckpt-step-{step}"
