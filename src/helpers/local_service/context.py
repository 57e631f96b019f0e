"""What every route works with, made once when the service starts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Request

from .batches import Batches
from .catalogue import Catalogue
from .engine_client import EngineClient
from .runner import Runner
from .settings import Settings
from .store import Store


@dataclass(frozen=True)
class Service:
    """The parts of a running service."""

    settings: Settings
    store: Store
    catalogue: Catalogue
    runner: Runner
    engine: EngineClient
    batches: Batches
    learner: str | None = None  # of a class, whose key the request came with; None: the service's owner

    def seen_by(self, learner: str | None) -> Service:
        """The service as a learner sees it: with the learner's own files, jobs and models, and no others."""
        if learner is None:
            return self
        return replace(
            self, store=self.store.seen_by(learner), catalogue=self.catalogue.seen_by(learner), learner=learner
        )


async def _of_request(request: Request) -> Service:  # async, so that it takes no thread of its own
    service: Service = request.app.state.service
    return service.seen_by(request.scope.get("learner"))


ServiceOf = Annotated[Service, Depends(_of_request)]
