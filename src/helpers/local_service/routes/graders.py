"""/v1/fine_tuning/alpha/graders: run a grader on one answer, or only check it."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi import APIRouter, Request

from ..context import Service, ServiceOf
from ..errors import ApiError, invalid
from ..graders import parse, run
from ..graders.failure import Failure
from ..graders.judges import Asked, Judge, Reply
from ..graders.python_source import LimitedPython
from ..graders.run import RunPython
from ..graders.spec import Grader, ModelGrader, Multi
from ..requests import Body, check, read_json

router = APIRouter(prefix="/v1/fine_tuning/alpha/graders")

# Threads of their own: graders compute and wait, and the threads that answer other requests must not wait with them.
THREADS = ThreadPoolExecutor(max_workers=4, thread_name_prefix="grader")


class RunGrader(Body):
    """POST /fine_tuning/alpha/graders/run, as openai.types.fine_tuning.alpha.GraderRunParams has it."""

    grader: dict[str, Any]
    model_sample: str
    item: dict[str, Any] | None = None


class ValidateGrader(Body):
    grader: dict[str, Any]


@router.post("/run")
async def run_grader(request: Request, service: ServiceOf) -> dict[str, Any]:
    asked = check(RunGrader, await _read(request))
    grader = parse(asked.grader)
    _check_judges(service, grader)
    loop = asyncio.get_running_loop()
    judge, python = _judge(service, loop), _python(service)
    return await loop.run_in_executor(
        THREADS, lambda: run(grader, asked.model_sample, asked.item or {}, judge=judge, python=python)
    )


@router.post("/validate")
async def validate_grader(request: Request, service: ServiceOf) -> dict[str, Any]:
    """The grader as it was sent, where it is one and its models can judge. Whether sources may run is left to run."""
    asked = check(ValidateGrader, await _read(request))
    _check_judges(service, parse(asked.grader))
    return {"grader": asked.grader}


async def _read(request: Request) -> dict[str, Any]:
    """The body; a grader goes back as it came, so what has no form in JSON is refused. Raises ApiError 400."""
    body = await read_json(request)
    try:
        json.dumps(body, allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise invalid(f"We could not parse the JSON body of your request: {error}.") from None
    return body


def _check_judges(service: Service, grader: Grader) -> None:
    """Raise ApiError where a model that is to judge is not here, or cannot."""
    for part in grader.parts.values() if isinstance(grader, Multi) else [grader]:
        if isinstance(part, ModelGrader) and not (model := service.catalogue.find(part.model)).base.can_judge:
            raise invalid(
                f"`{model.name}` cannot judge: a model this small gives numbers that mean nothing, so none is given. "
                "Name a bigger chat model (FINETUNE_BASES; the service's README says from which size), or grade by "
                "string_check, text_similarity or python.",
                "grader.model",
                "model_cannot_judge",
            )


def _judge(service: Service, loop: asyncio.AbstractEventLoop) -> Judge:
    """Asks the engine from a grader's thread."""

    async def ask(asked: Asked) -> dict[str, Any]:
        request = {
            "model": service.catalogue.find(asked.model).location(),
            "messages": asked.messages,
            "n": 1,
            "most_tokens": asked.most_tokens,
            "temperature": asked.temperature,
            "top_p": asked.top_p,
            "seed": asked.seed,
            "stop": [],
            "top_logprobs": None,
            "stream": False,
        }
        replies = service.engine.chat(request)
        try:
            return await anext(replies)
        finally:
            await replies.aclose()

    def judge(asked: Asked) -> Reply:
        try:
            reply = asyncio.run_coroutine_threadsafe(ask(asked), loop).result()
        except ApiError as error:
            raise Failure("model_grader_server_error", error.message) from None
        return Reply(reply["choices"][0]["text"], None, reply["prompt_tokens"], reply["completion_tokens"])

    return judge


def _python(service: Service) -> RunPython:
    """Runs sources, where the service's owner has switched that on."""

    def python(source: str, sample: dict[str, Any], item: Any) -> float:
        if not service.settings.python_graders:
            raise ApiError(
                403,
                "Python graders are switched off: they run whatever code a request holds. Whoever runs this service "
                "can start it again with FINETUNE_PYTHON_GRADERS=1, or helpers.graders runs them without it.",
                code="python_graders_off",
                param="grader.type",
            )
        with LimitedPython(source) as limited:
            return limited.grade(sample, item)

    return python
