"""Azure's paths: requests as AzureOpenAI sends them become those of OpenAI's API, before anything else sees them.

    /openai/files?api-version=…                          /v1/files
    /openai/v1/files                                     /v1/files
    /openai/deployments/NAME/chat/completions            /v1/chat/completions with model NAME

There is no deployment step here: a model answers under its own name as soon as it exists, so that name is the
deployment's. Every api-version is taken. The key in the api-key header is checked where all keys are (security).
"""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Receive, Scope, Send

DEPLOYED = re.compile(r"/openai/deployments/(?P<name>[^/]+)(?P<rest>/chat/completions)/?")
PLAIN = re.compile(r"/openai(/v1)?(?P<rest>/.*)")


class AzurePaths:
    """ASGI middleware that translates paths; a deployment's name goes into the scope as "deployment"."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(_translated(scope), receive, send)


def _translated(scope: Scope) -> Scope:
    if scope["type"] != "http":
        return scope
    found = DEPLOYED.fullmatch(scope["path"]) or PLAIN.fullmatch(scope["path"])
    if found is None:
        return scope
    path = "/v1" + found["rest"]
    return {**scope, "path": path, "raw_path": path.encode(), "deployment": found.groupdict().get("name")}
