"""/v1/models: the bases and the tuned models."""

from __future__ import annotations

import shutil
from typing import Any

from fastapi import APIRouter
from openai.types import Model, ModelDeleted

from ..catalogue import ServedModel
from ..context import ServiceOf
from ..errors import ApiError, invalid
from .listing import dump

router = APIRouter(prefix="/v1/models")


@router.get("")
def list_models(service: ServiceOf) -> dict[str, Any]:
    return {"object": "list", "data": [dump(model_object(model)) for model in service.catalogue.all()]}


@router.get("/{name}")
def retrieve(name: str, service: ServiceOf) -> dict[str, Any]:
    return dump(model_object(service.catalogue.find(name)))


@router.delete("/{name}")
def delete(name: str, service: ServiceOf) -> dict[str, Any]:
    """Delete a tuned model and its weights."""
    model = service.catalogue.find(name)
    if model.folder is None:
        raise ApiError(
            403,
            f"`{name}` is a base model, and only fine-tuned models can be deleted.",
            code="model_not_deletable",
            param="model",
        )
    if service.store.trains_from(name):
        raise invalid(f"A job that is not finished trains from `{name}`. Cancel it or wait for it.", "model")
    service.store.delete_model(name)
    shutil.rmtree(model.folder, ignore_errors=True)
    return dump(ModelDeleted(id=name, object="model", deleted=True))


def model_object(model: ServedModel) -> Model:
    owner = "local-service" if model.folder is None else "local"
    if model.alias:
        owner = f"local-service, as another name of {model.name}"
    return Model(id=model.shown_as, created=model.created, object="model", owned_by=owner)
