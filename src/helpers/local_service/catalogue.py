"""Every model the service answers for: its bases and the models it has tuned, found by name."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .bases import Base, find_bases
from .errors import ApiError, model_not_found
from .settings import Settings
from .store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServedModel:
    """A model ready to load: where its weights are, and the base it comes from."""

    name: str
    created: int
    base: Base
    folder: Path | None = None  # a tuned model's own folder; None: the base itself
    adapter: bool = False  # the folder holds a PEFT adapter of the base, not a whole model
    alias: str | None = None  # the name it was asked for by, where that is another name of the base

    @property
    def shown_as(self) -> str:
        """The name under which it is listed."""
        return self.alias or self.name

    @property
    def root(self) -> str:
        """The base name that a model tuned from this one carries: the alias, where one was used."""
        return self.alias or (self.base.name if self.folder is None else self.name.split(":")[1])

    def location(self) -> dict[str, Any]:
        """What a process needs to load it (JSON)."""
        whole = self.base.folder if self.adapter or self.folder is None else self.folder
        return {
            "name": self.name,
            "folder": str(whole),
            "adapter": str(self.folder) if self.adapter else None,
            "context": self.base.context,
        }


class Catalogue:
    """Looks models up by name. A base may have further names, where the owner of the service asks for that."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings, self._store = settings, store

    def seen_by(self, learner: str | None) -> Catalogue:
        """The bases, and the learner's own tuned models. None: all of them."""
        return Catalogue(self._settings, self._store.seen_by(learner))

    def bases(self) -> dict[str, Base]:
        return find_bases(self._settings.base_folders)

    def all(self) -> list[ServedModel]:
        """Bases first, then their aliases, then tuned models, newest first."""
        bases = self.bases()
        served = [ServedModel(base.name, base.created, base) for base in bases.values()]
        served += [self._aliased(name, bases[base]) for name, base in self._settings.aliases.items() if base in bases]
        for row in reversed(self._store.models()):
            if row["base"] in bases:
                served.append(self._tuned(row, bases[row["base"]]))
        return served

    def find(self, name: str) -> ServedModel:
        """The model of this name. Raises ApiError 404, naming what there is."""
        bases = self.bases()
        if name in bases:
            return ServedModel(name, bases[name].created, bases[name])
        meant = bases.get(self._settings.aliases.get(name, ""))
        if meant is not None:
            log.info("%s was asked for: %s answers, by an alias", name, meant.name)
            return self._aliased(name, meant)
        row = self._store.model(name)
        if row is None:
            raise model_not_found(name, [model.shown_as for model in self.all()])
        if row["base"] not in bases:
            raise ApiError(
                404,
                f"The model `{name}` was tuned from the base `{row['base']}`, which is no longer here. Name the folder "
                "that holds it in FINETUNE_BASES and start the service again.",
                code="model_not_found",
                param="model",
            )
        return self._tuned(row, bases[row["base"]])

    def _aliased(self, name: str, base: Base) -> ServedModel:
        return ServedModel(base.name, base.created, base, alias=name)

    def _tuned(self, row: dict[str, Any], base: Base) -> ServedModel:
        folder = self._settings.models / row["folder"]
        return ServedModel(row["id"], row["created_at"], base, folder, bool(row["adapter"]))
