"""Graders: OpenAI's grader JSON, checked (`parse`) and run on one answer (`run`).

Everything the endpoint does is here, without HTTP, so that the same code grades elsewhere with the same result. Source
of the shapes: OpenAI's graders guide and API reference, as of November 2026, and openai.types.graders.
"""

from .run import run
from .spec import parse

__all__ = ["parse", "run"]
