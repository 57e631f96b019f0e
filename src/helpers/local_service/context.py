"""What every route works with, made once when the service starts."""

from __future__ import annotations

from dataclasses import dataclass
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


def _of_request(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


ServiceOf = Annotated[Service, Depends(_of_request)]
