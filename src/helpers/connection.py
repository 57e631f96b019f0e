"""One notebook, every service: `connect()` returns an OpenAI client and the name of a base model to tune.

    service = connect()                       # the local service, unless FINETUNE_SERVICE says otherwise
    client, base_model = service.client, service.base_model

`local` needs no key and starts by itself; `openai` reads OPENAI_API_KEY; `azure` reads AZURE_OPENAI_ENDPOINT,
AZURE_OPENAI_API_KEY and OPENAI_API_VERSION; a URL names any server with the same API (key, if it wants one, in
OPENAI_API_KEY). Connecting creates nothing and costs nothing; training that costs needs a ceiling in dollars, or
a yes. Shown in notebook 00.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

import httpx2
import openai

from . import tokens
from .errors import Explained
from .local_service.address import ServiceAddress
from .local_service.settings import SettingsError
from .local_service.start import ServiceNotStarted, ensure_running
from .service_errors import retired, tell_in_words

LOCAL_MODEL = "pocket-1m"  # in the minutes that a laptop has it learns more than the larger one
LARGE_LOCAL_MODEL = "pocket-6m"
FAMILIES = ((LOCAL_MODEL, LARGE_LOCAL_MODEL), ("gpt-4o-mini-2024-07-18", "gpt-4o-2024-08-06"))  # smaller first
OPENAI_URL = "https://api.openai.com/v1"
CHOICES = "local, openai, azure, or the URL of a server with OpenAI's API, for example http://127.0.0.1:8000/v1"


@dataclass(frozen=True)
class Service:
    """Where jobs run: the client to talk to it, and the base model to begin with."""

    name: str  # local, openai, azure, or a URL
    client: openai.OpenAI
    base_model: str
    is_local: bool
    ceiling: float | None = None  # dollars that one run may cost; None: ask before one that costs


def connect(
    service: str | None = None, model: str | None = None, *, ceiling: float | None = None, quiet: bool = False
) -> Service:
    """Return the service named (default: FINETUNE_SERVICE, else local), checked by listing its models.

    `ceiling` is what one run may cost, in dollars (default: FINETUNE_CEILING). Prints which service and model,
    what they cost and how long they last, unless `quiet`. Raises Explained for an unknown name, a missing or refused
    key, a server that does not answer, or a model that it does not have. From here on a notebook tells the service's
    errors in words (helpers.service_errors).
    """
    name = (service or os.environ.get("FINETUNE_SERVICE") or "local").strip()
    client = _client(name)
    base_model = _choose(name, model, _models(name, client))
    connected = Service(name, client, base_model, name == "local", _ceiling() if ceiling is None else ceiling)
    tell_in_words()
    if not quiet:
        print("\n".join(_about(connected)))
    return connected


def sizes(service: Service) -> list[Service]:
    """Return the service once for each size of its base that it offers, smaller first, so that sizes can be compared.

    Just the service itself where it has no other size of that base, or none that is known here.
    """
    family = next((names for names in FAMILIES if service.base_model in names), ())
    offered = _models(service.name, service.client) if family else []
    return [replace(service, base_model=name) for name in family if name in offered] or [service]


def _client(name: str) -> openai.OpenAI:
    if name == "local":
        return _local_client()
    if name == "openai":
        return openai.OpenAI(api_key=_setting("OPENAI_API_KEY", name), base_url=OPENAI_URL)
    if name == "azure":
        return openai.AzureOpenAI(
            azure_endpoint=_setting("AZURE_OPENAI_ENDPOINT", name),
            api_key=_setting("AZURE_OPENAI_API_KEY", name),
            api_version=_setting("OPENAI_API_VERSION", name),
        )
    if name.startswith(("http://", "https://")):
        return openai.OpenAI(api_key=os.environ.get("OPENAI_API_KEY") or "none", base_url=name)
    raise Explained(f"There is no service called '{name}'. Choose {CHOICES}.")


def _setting(variable: str, name: str) -> str:
    value = os.environ.get(variable, "").strip()
    if not value:
        raise Explained(
            f"The service '{name}' needs {variable}, which is not set. Set it in the shell that starts Jupyter (never "
            "in a notebook: a saved notebook would keep it), or use the local service: connect('local')."
        )
    return value


def _ceiling() -> float | None:
    stated = os.environ.get("FINETUNE_CEILING", "").strip()
    try:
        return float(stated) if stated else None
    except ValueError as error:
        raise Explained(f"FINETUNE_CEILING is {stated!r}; it must be a number of dollars, for example 20.") from error


class _Reviving(httpx2.HTTPTransport):
    """Starts the local service again where it has stopped or was killed: its files, jobs and models are on disk.

    Only a connection that was refused is tried again, so no request is ever sent twice by this.
    """

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            return super().handle_request(request)
        except httpx2.ConnectError as error:
            address = _start()
            if httpx2.URL(address.url).port != request.url.port:
                raise httpx2.ConnectError(f"the local service is now at {address.url}: run connect() again") from error
            print("The local service had stopped and was started again; files, jobs and models are still there.")
            return super().handle_request(request)


def _start() -> ServiceAddress:
    try:
        return ensure_running()
    except (ServiceNotStarted, SettingsError) as error:
        raise Explained(f"{error} `python -m helpers doctor` looks for the cause.") from error


def _local_client() -> openai.OpenAI:
    address = _start()
    # A transport of our own also keeps requests to this machine away from any proxy.
    http = openai.DefaultHttpxClient(transport=_Reviving())
    return openai.OpenAI(api_key=address.key, base_url=address.url, http_client=http)


def _models(name: str, client: openai.OpenAI) -> list[str]:
    """The names of the service's models. Raises Explained where it cannot be asked, or does not tell."""
    strange = "so it does not look like a server with OpenAI's API. The base URL of one usually ends in /v1."
    try:
        content = client.models.with_raw_response.list().http_response.json()
        return [model["id"] for model in content["data"]]
    except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
        raise Explained(
            f"The service '{name}' refused the key (HTTP {error.status_code}). Check "
            f"{'AZURE_OPENAI_API_KEY' if name == 'azure' else 'OPENAI_API_KEY'}: it may be mistyped, revoked, or "
            "belong to another project. Nothing was sent but the key. The local service needs none: connect('local')."
        ) from error
    except openai.NotFoundError as error:
        raise Explained(f"{client.base_url} has no page for its models (HTTP 404), {strange}") from error
    except openai.APIStatusError as error:
        raise Explained(
            f"{client.base_url} answered HTTP {error.status_code} when asked for its models: {error.message} Wait a "
            "little and connect again, or use the local service: connect('local')."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise Explained(f"{client.base_url} answered with no list of models, {strange}") from error
    except openai.APIConnectionError as error:
        raise Explained(
            f"Nothing answers at {client.base_url} ({error.__cause__ or error}). Check the address and the network, "
            "or use the local service: connect('local')."
        ) from error


def _choose(name: str, model: str | None, models: list[str]) -> str:
    """The model asked for, or the service's usual one. Raises Explained where the service does not have it."""
    usual = LOCAL_MODEL if name == "local" else tokens.DEFAULT_MODEL
    if model is None and name.startswith("http") and usual not in models:
        bases = [m for m in models if not m.startswith("ft:")]
        usual = LOCAL_MODEL if LOCAL_MODEL in bases else bases[0] if bases else usual
    wanted = model or usual
    if wanted not in models:
        known = ", ".join(models[:8]) or "none"
        way = "" if name == "local" else ", or use the local service: connect('local')"
        why = f"{retired(wanted)} It has: {known}.".lstrip()
        raise Explained(
            f"The service '{name}' has no model '{wanted}' for this key. {why} Name one of them: "
            f"connect({name!r}, model=…){way}."
        )
    return wanted


def _about(service: Service) -> list[str]:
    """Service, model, cost and shelf life, a line each."""
    where = "on this machine" if service.is_local else f"at {service.client.base_url}"
    lines = [f"Service:    {service.name} ({where})", f"Base model: {service.base_model}"]
    if service.is_local:
        return [*lines, "Cost:       nothing", "Shelf life: as long as you keep it"]
    table = tokens.price_table()
    price = table["models"].get(service.base_model)
    if service.name not in ("openai", "azure") or price is None:
        return [*lines, f"Cost and shelf life: ask whoever runs {service.name}"]
    if price["training"] is None:
        return [*lines, f"Cost and shelf life: {service.base_model} cannot be fine-tuned; choose another model"]
    cost = f"${price['training']:.2f} training, ${price['input']:.2f} input, ${price['output']:.2f} output"
    lines.append(f"Cost:       {cost} per million tokens at OpenAI (prices of {table['as_of']}); connecting is free")
    if service.name == "azure":
        return [*lines, "Shelf life: Azure sets its own dates; see its retirement table for your region"]
    return [
        *lines,
        f"Shelf life: no new jobs from {table['fine_tuning_closed_to_everyone']} (for organisations new to fine-tuning "
        f"since {table['fine_tuning_closed_to_new_organisations']}); the model and its fine-tunes end on "
        f"{price['shutdown']}",
    ]
