"""The web application: routes, errors in OpenAI's shape, and what runs beside them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from .azure import AzurePaths
from .bases import BaseError
from .batches import Batches
from .catalogue import Catalogue
from .context import Service
from .engine_client import EngineClient
from .errors import ApiError, storage_error
from .limits import InFlight
from .routes import batches, chat, elsewhere, files, graders, jobs, models, status, uploads
from .runner import Runner
from .security import Guard
from .settings import Settings
from .store import Store

log = logging.getLogger(__name__)
TICK = 5.0  # seconds between looks at what is idle or expired


def create_app(
    settings: Settings,
    store: Store,
    key: str,
    learners: Mapping[str, str],
    on_idle: Callable[[float], None] | None = None,
) -> ASGIApp:
    """The service as an ASGI application, for the holder of its `key` and for `learners` ({name: key}).

    `on_idle` is told now and then for how many seconds nothing has happened.
    """
    catalogue = Catalogue(settings, store)
    runner, engine = Runner(settings, store, catalogue), EngineClient(settings)
    service = Service(settings, store, catalogue, runner, engine, Batches(settings, store, catalogue, engine))
    activity = Activity()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await service.runner.start()
        service.batches.start()
        tasks = [asyncio.create_task(_warm_up(service)), asyncio.create_task(_look_after(service, activity, on_idle))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await service.batches.stop()
            await service.runner.stop()
            await service.engine.end()

    app = FastAPI(title="The local service", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.service = service
    for module in (files, uploads, jobs, models, chat, batches, graders, elsewhere):
        app.include_router(module.router)
    if learners:
        app.include_router(status.router)
    app.add_api_route("/", about, methods=["GET"])
    app.add_api_route("/health", about, methods=["GET"])
    _add_error_handlers(app)
    aliases = ", ".join(f"{name}={base}" for name, base in settings.aliases.items())
    said = {"x-model-aliases": aliases} if aliases else {}
    return activity.watching(AzurePaths(Guard(InFlight(app), key, learners, said)))


def about() -> dict[str, str]:
    """Says that the service is there, to anybody on this machine."""
    return {"service": "local fine-tuning service", "status": "ok"}


class Activity:
    """How long ago the last request was answered."""

    def __init__(self) -> None:
        self._open = 0
        self._last = time.monotonic()

    def idle_seconds(self) -> float:
        return 0.0 if self._open else time.monotonic() - self._last

    def watching(self, app: ASGIApp) -> ASGIApp:
        """`app`, with every request noticed."""

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            self._open += 1
            try:
                await app(scope, receive, send)
            finally:
                self._open -= 1
                self._last = time.monotonic()

        return watched


async def _warm_up(service: Service) -> None:
    """Start the helper processes before anybody waits for them, one after the other: each takes a core for seconds."""
    with contextlib.suppress(OSError):
        await service.engine.prepare()
        await asyncio.sleep(TICK if service.store.next_job("queued", "running") is None else 0)
        await service.runner.trainers.prepare()


async def _look_after(service: Service, activity: Activity, on_idle: Callable[[float], None] | None) -> None:
    """Every few seconds: forget expired files, end idle helpers, tell how long nothing has happened."""
    while True:
        await asyncio.sleep(TICK)
        try:
            for row in service.store.expired_files():
                service.store.delete_file(row["id"])
                (service.settings.files / row["id"]).unlink(missing_ok=True)
            uploads.drop_expired(service)
            if service.store.has_unfinished_job() or service.store.next_batch() is not None:
                continue
            await service.runner.trainers.end_idle()
            await service.engine.end_idle()
            if on_idle is not None:
                on_idle(activity.idle_seconds())
        except (OSError, sqlite3.Error):
            log.exception("looking after the service failed; trying again")


def _add_error_handlers(app: FastAPI) -> None:
    def answer(request: Request, error: ApiError) -> JSONResponse:
        return JSONResponse(error.body(), status_code=error.status, headers=error.headers)

    @app.exception_handler(ApiError)
    async def api_error(request: Request, error: ApiError) -> JSONResponse:
        return answer(request, error)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        what = f"{request.method} {request.url.path}"
        if error.status_code == 404:
            return answer(request, ApiError(404, f"Invalid URL ({what}). The local service does not offer it."))
        if error.status_code == 405:
            return answer(request, ApiError(405, f"Not allowed to {what}.", code="method_not_supported"))
        return answer(request, ApiError(error.status_code, str(error.detail)))

    @app.exception_handler(OSError)
    async def disk_error(request: Request, error: OSError) -> JSONResponse:
        log.exception("storage failed")
        return answer(request, storage_error(error, "answering the request"))

    @app.exception_handler(sqlite3.Error)
    async def database_error(request: Request, error: sqlite3.Error) -> JSONResponse:
        log.exception("database failed")
        return answer(request, _database_answer(error))

    @app.exception_handler(BaseError)
    async def base_error(request: Request, error: BaseError) -> JSONResponse:
        return answer(request, ApiError(500, str(error), code="base_unusable", type="server_error"))

    @app.exception_handler(Exception)
    async def any_error(request: Request, error: Exception) -> JSONResponse:
        text = "The server had an error while processing your request. Its log (logs/service.log) has the details."
        return answer(request, ApiError(500, text, type="server_error"))


def _database_answer(error: sqlite3.Error) -> ApiError:
    details: dict[str, Any] = {"type": "server_error", "headers": {"x-should-retry": "false"}}
    if "full" in str(error):
        return ApiError(
            507, "There is no disk space left, so nothing was changed. Make room.", code="disk_full", **details
        )
    return ApiError(500, f"The database refused: {error}.", code="database_error", **details)
