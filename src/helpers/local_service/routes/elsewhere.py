"""What OpenAI's API has and this service does not: each answers with an error that says so, and what to use instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter

from ..errors import not_offered

router = APIRouter(prefix="/v1")

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
ASK_BY_CHAT = "Ask by chat completions."
GRADE = "Score answers with /v1/fine_tuning/alpha/graders/run, or with the evaluation helpers of the course."
TEXT_ONLY = "The models here read and write text only."
NOT_OFFERED = {  # path: what it is, and what to use instead
    "/responses": ("the Responses API", ASK_BY_CHAT),
    "/conversations": ("the Conversations API", ASK_BY_CHAT),
    "/completions": ("the old Completions API", ASK_BY_CHAT),
    "/assistants": ("the Assistants API", ASK_BY_CHAT),
    "/threads": ("the Assistants API", ASK_BY_CHAT),
    "/realtime": ("the Realtime API", ASK_BY_CHAT),
    "/evals": ("the Evals API", GRADE),
    "/moderations": ("moderation", "Look through the data by eye, or with a model of your own."),
    "/embeddings": ("embeddings", "The grader text_similarity compares texts without them."),
    "/vector_stores": ("vector stores", "Put what the model should read into its messages."),
    "/containers": ("containers", "Run code on your own machine."),
    "/images": ("images", TEXT_ONLY),
    "/videos": ("videos", TEXT_ONLY),
    "/audio": ("audio", TEXT_ONLY),
    "/webhooks": ("webhooks", "Poll the job until its status is succeeded, failed or cancelled."),
    "/organization": ("administration", "This service has one organisation and no projects."),
    "/fine_tuning/checkpoints": (
        "checkpoint permissions",
        "There are no projects to share with: every checkpoint answers to whoever holds the key.",
    ),
}
STORED = ("stored chat completions", "Keep what you want to keep when it is answered.")


def _refusing(what: str, instead: str) -> Callable[[], Any]:
    def refuse() -> None:
        raise not_offered(what, instead)

    return refuse


for _path, _words in NOT_OFFERED.items():
    router.add_api_route(_path, _refusing(*_words), methods=METHODS)
    router.add_api_route(_path + "/{rest:path}", _refusing(*_words), methods=METHODS)
router.add_api_route("/chat/completions", _refusing(*STORED), methods=["GET"])
router.add_api_route("/chat/completions/{rest:path}", _refusing(*STORED), methods=METHODS)
