"""Running the service: take the home folder, take a port, answer until told to stop or long idle."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from .address import last_port, write_running
from .app import create_app
from .bases import BaseError, find_bases
from .database import DatabaseError
from .errors import DISK_FULL
from .learners import address_for_others, make_keys, table
from .lock import Locked, hold
from .security import STATUS_PATH, read_or_make_key
from .settings import Settings
from .store import UNFINISHED, UNFINISHED_BATCH, Store

EVERYWHERE = ("0.0.0.0", "::", "")  # --host for every address of this machine
GRACE = 5  # seconds for open requests when the service stops


class CannotServe(Exception):
    """The service cannot start. The message is one clear sentence or two."""


class AlreadyServed(CannotServe):
    """Another service has the home folder."""


@dataclass(frozen=True)
class Options:
    host: str = "127.0.0.1"
    port: int | None = None  # None: the one it had last, or any free one
    idle_stop: float = 0.0  # seconds; 0: never


def run(settings: Settings, options: Options) -> None:
    """Serve until stopped. Raises CannotServe."""
    with contextlib.ExitStack() as held:
        held.enter_context(_home(settings))
        store = _open_store(settings)
        held.callback(store.close)
        listener = _listen(settings, options)
        held.callback(listener.close)
        port = listener.getsockname()[1]
        url = _url(options.host, port)
        key = read_or_make_key(settings.key_file)
        learners, new = make_keys(settings)
        server = _server(settings, store, key, learners, options)
        held.callback(settings.running_file.unlink, missing_ok=True)
        for_others = _url(address_for_others(), port) if options.host in EVERYWHERE else url
        write_running(settings, url, port, for_others if learners else None)
        print(f"The local service answers at {url} (data in {settings.home}). Ctrl-C stops it.", flush=True)
        if learners:
            print(_about_class(learners, new, url, for_others), flush=True)
        # uvicorn stops cleanly at a signal and then raises it again; by then there is nothing left to interrupt.
        signal.signal(signal.SIGTERM, lambda *_: None)
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


def _about_class(learners: dict[str, str], new: bool, url: str, for_others: str) -> str:
    keys = table(learners, for_others) if new else "`python -m helpers learners` prints the learners' keys."
    return f"{keys}\n\nWho trains and who waits: {url.removesuffix('/v1')}{STATUS_PATH}"


@contextlib.contextmanager
def _home(settings: Settings) -> Iterator[None]:
    """The home folder, made, locked and tidied. Raises CannotServe."""
    try:
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (*settings.data_folders, settings.logs):
            folder.mkdir(exist_ok=True)
        lock = hold(settings.lock_file)
    except Locked:
        where = "" if not settings.running_file.is_file() else f" ({settings.running_file} says where)"
        raise AlreadyServed(
            f"A local service already runs on {settings.home}{where}. Use that one (`python -m helpers env` prints its "
            "address and key), stop it, or name another folder in FINETUNE_HOME."
        ) from None
    except OSError as error:
        raise CannotServe(_cannot_write(settings, error)) from error
    try:
        shutil.rmtree(settings.incoming, ignore_errors=True)
        settings.incoming.mkdir()
        _log_to_file(settings)
        tempfile.tempdir = str(settings.incoming)  # uploads wait here, on the disk they will stay on
        yield
    except OSError as error:
        raise CannotServe(_cannot_write(settings, error)) from error
    finally:
        lock.close()


def _cannot_write(settings: Settings, error: OSError) -> str:
    reason = error.strerror or str(error)
    if error.errno in DISK_FULL:
        return (
            f"There is no disk space left for {settings.home}. Make room, or name a folder elsewhere in FINETUNE_HOME."
        )
    return (
        f"The service cannot write to its home folder {settings.home} ({reason}). Name a folder that it can write to "
        "in FINETUNE_HOME."
    )


def _open_store(settings: Settings) -> Store:
    try:
        _check_aliases(settings, set(find_bases(settings.extra_bases)))
        _put_aside(settings)
        store = Store(settings.database)
    except (DatabaseError, BaseError) as error:
        raise CannotServe(str(error)) from error
    _tidy(settings, store)
    return store


def _put_aside(settings: Settings) -> None:
    """Where the database is gone, keep what lay beside it: a new one does not know it, and it would be tidied away."""
    if settings.database.is_file() and settings.database.stat().st_size:
        return
    folders = [folder for folder in settings.data_folders if any(folder.iterdir())]
    if folders:
        aside = Path(tempfile.mkdtemp(prefix=f"kept-{time.strftime('%Y-%m-%d')}-", dir=settings.home))
        for folder in folders:
            folder.rename(aside / folder.name)
            folder.mkdir()
        print(f"There is no database in {settings.home}: a new one begins, and what lay beside it is in {aside}.")


def _check_aliases(settings: Settings, bases: set[str]) -> None:
    """Log what stands for what. Raises CannotServe for an alias of nothing, or of a name that a base has already."""
    for name, base in settings.aliases.items():
        if base not in bases:
            raise CannotServe(
                f"The alias {name}={base} names a base that is not here. There are: {', '.join(sorted(bases))}."
            )
        if name in bases:
            raise CannotServe(f"The alias {name}={base} would hide the base {name}: choose another name.")
        logging.getLogger(__name__).info("the name %s stands for the base %s, as its owner asked", name, base)


def _tidy(settings: Settings, store: Store) -> None:
    """Remove what a service leaves that is killed between a file and its record, or while it cleans up."""
    for path in settings.files.glob("file-*"):
        if store.file(path.name) is None:
            path.unlink(missing_ok=True)
    for path in settings.uploads.glob("part_*"):
        if not store.is_wanted_part(path.name):
            path.unlink(missing_ok=True)
    for path in settings.batches.glob("batch_*"):
        if not store.is_batch(path.name, *UNFINISHED_BATCH):
            path.unlink(missing_ok=True)
    for folder in settings.models.glob("ftjob-*/*.part"):
        shutil.rmtree(folder, ignore_errors=True)
    for folder in settings.jobs.glob("ftjob-*"):
        job = store.job(folder.name)
        if job is None or job["status"] not in UNFINISHED:
            shutil.rmtree(folder, ignore_errors=True)


def _listen(settings: Settings, options: Options) -> socket.socket:
    """A listening socket on the port asked for, or the last one, or any. Raises CannotServe."""
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    wanted = [options.port] if options.port else [last_port(settings), 0]
    for port in wanted:
        # Naming TCP outright lets asyncio switch off Nagle's algorithm, which would add 40 ms to every answer.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if os.name == "posix":  # there a port that was just left is free again, and one in use is still refused
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((options.host, port))
            listener.listen(128)
            return listener
        except OSError as error:
            listener.close()
            if port == wanted[-1]:
                raise CannotServe(
                    f"The service cannot listen on {options.host} port {port} ({error.strerror or error}). Another "
                    "program may have it: choose another with --port, or leave --port out for any free one."
                ) from error
    raise AssertionError("the last port either works or raises")


def _url(host: str, port: int) -> str:
    shown = "::1" if host == "::" else "127.0.0.1" if host in EVERYWHERE else host
    return f"http://[{shown}]:{port}/v1" if ":" in shown else f"http://{shown}:{port}/v1"


def _server(settings: Settings, store: Store, key: str, learners: dict[str, str], options: Options) -> uvicorn.Server:
    def on_idle(seconds: float) -> None:
        if options.idle_stop and seconds > options.idle_stop:
            logging.getLogger(__name__).info("idle for %.0f seconds: stopping", seconds)
            server.should_exit = True

    app = create_app(settings, store, key, learners, on_idle)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, timeout_graceful_shutdown=GRACE, timeout_keep_alive=75, lifespan="on"
    )
    server = uvicorn.Server(config)
    return server


def _log_to_file(settings: Settings) -> None:
    """Everything at logs/service.log; no request's headers are ever logged, so no key is."""
    handler = logging.handlers.RotatingFileHandler(
        settings.logs / "service.log", maxBytes=5_000_000, backupCount=2, encoding="utf-8"
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
