"""What an error of a service means, in a sentence or two for people, and how to go on.

    explain(error)     # for an error of the openai package
    tell_in_words()    # notebooks show such errors in these words, without a traceback; connect() calls it

The errors stay what they are, so that code can catch them; only what is read of them changes.
"""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import openai

from helpers.errors import Explained
from helpers.spending import HERE
from helpers.tokens import base_of, price_table

ANOTHER_WAY = "The local service takes the same calls and needs no account: connect('local')."


def explain(error: openai.OpenAIError) -> str:
    """Return what happened and what to do next; for services elsewhere also that the local one is a way on."""
    if isinstance(error.__cause__, Explained):  # a transport of connect() has said it already
        return str(error.__cause__)
    request = getattr(error, "request", None)
    elsewhere = request is not None and request.url.host not in HERE
    return f"{_what(error)} {ANOTHER_WAY}" if elsewhere else _what(error)


@contextmanager
def in_words(undone: str) -> Iterator[None]:
    """Raise Explained, `undone` and why, for a service's error in the block, or in the function so decorated."""
    try:
        yield
    except openai.OpenAIError as error:
        raise Explained(f"{undone} {explain(error)}") from error


def said(error: openai.OpenAIError) -> str:
    """Return the service's own words, where there are any, as a sentence."""
    body = getattr(error, "body", None)
    words = str(body["message"]) if isinstance(body, dict) and body.get("message") else str(error)
    return words if words.endswith((".", "!", "?")) else f"{words}."


def retired(model: str, today: datetime.date | None = None) -> str:
    """Return a sentence on when OpenAI shut the model down, or "" where the price table says no such thing."""
    name = base_of(model)
    price = price_table()["models"].get(name)
    if price is None or price["shutdown"] > (today or datetime.date.today()).isoformat():
        return ""
    return f"OpenAI shut {name} down on {price['shutdown']}, and every fine-tune of it."


def _what(error: openai.OpenAIError) -> str:
    code = getattr(error, "code", None)
    if isinstance(error, openai.APITimeoutError):
        return "The service took too long to answer. Wait a little and run this again."
    if isinstance(error, openai.APIConnectionError):
        why = error.__cause__ or error
        return f"The service cannot be reached. Run the connect() cell again, then this one ({why})."
    if isinstance(error, openai.AuthenticationError):
        return (
            f"The service refused the key: {said(error)} It may be mistyped, revoked, or of another project. Set it in "
            "the shell that starts Jupyter, then run the connect() cell again."
        )
    if isinstance(error, openai.PermissionDeniedError):
        return _closed() if code == "training_not_available" else f"The service does not allow this: {said(error)}"
    if isinstance(error, openai.RateLimitError):
        if code == "insufficient_quota":
            return f"The account's quota is used up: {said(error)} Waiting does not help; look at its billing page."
        return f"Too many requests in a short time: {said(error)} Wait a minute, or ask fewer at a time (workers=2)."
    if isinstance(error, openai.NotFoundError | openai.BadRequestError):
        return _not_so(error, code)
    return f"The service failed: {said(error)} It is not your doing: run this again in some minutes."


def _closed() -> str:
    table = price_table()
    return (
        "OpenAI lets this organisation create no fine-tuning jobs. That goes for newcomers since "
        f"{table['fine_tuning_closed_to_new_organisations']} and for everybody from "
        f"{table['fine_tuning_closed_to_everyone']}. Nothing was trained. Files that you uploaded are still there: "
        "client.files.list() shows them, client.files.delete(…) removes one."
    )


def _not_so(error: openai.NotFoundError | openai.BadRequestError, code: str | None) -> str:
    if code == "DeploymentNotFound":
        return (
            "Azure answers under the name of a deployment, and there is none of this name. A tuned model is deployed "
            "first: notebook 10 has the command. One that was just made takes up to five minutes."
        )
    gone = retired(_asked_for(error.request))
    if gone:
        return f"{said(error)} {gone}"
    if isinstance(error, openai.NotFoundError):
        return f"{said(error)} Check the model's name: client.models.list() shows what there is."
    return f"The service refused it: {said(error)} Mend the request (or shorten its text) and run this again."


def _asked_for(request: Any) -> str:
    """The model that a request names in its JSON, or at the end of its address; "" for none."""
    if request.headers.get("content-type") != "application/json":
        return str(request.url.path.rpartition("/models/")[2]) if "/models/" in request.url.path else ""
    model = json.loads(request.read()).get("model")
    return model if isinstance(model, str) else ""


def tell_in_words() -> None:
    """Let IPython show these errors as their kind and `explain`; outside of it nothing changes."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is not None:
        shell.set_custom_exc((openai.OpenAIError,), _show)


def _show(shell: Any, kind: type, error: Any, traceback: Any, tb_offset: int | None = None) -> None:
    error._render_traceback_ = lambda: [f"{kind.__name__}: {explain(error)}"]  # IPython's way to be told what to show
    shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)
