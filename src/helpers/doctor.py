"""`python -m helpers doctor`: is this computer ready for the course? Each check says what it found and what to mend."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from packaging.requirements import Requirement

from . import tokens
from .connection import LOCAL_MODEL, connect
from .errors import Explained
from .local_service.settings import Settings, SettingsError
from .workspace import build, write_whole

GIB = 2**30
DISK = 2 * GIB  # tuned models take 12 MB for each kept epoch; a whole run of the course stays far below this
MEMORY = 2 * GIB  # the service with its training process, as measured in the service's README, and a notebook


@dataclass(frozen=True)
class Finding:
    """What one check found. `mend` is empty where all is well; `fatal` says that the course will not run so."""

    name: str
    found: str
    mend: str = ""
    fatal: bool = True


def examine() -> int:
    """Run every check and print it. Return 0, or 1 where something keeps the course from running."""
    begin, fatal = time.monotonic(), 0
    for finding in findings():
        mark = "ok  " if not finding.mend else "MEND" if finding.fatal else "note"
        print(f"{mark} {finding.name:10} {finding.found}")
        if finding.mend:
            print(f"     {'':10} -> {finding.mend}")
            fatal += finding.fatal
    print(f"\n{'Ready.' if not fatal else f'{fatal} to mend.'} ({time.monotonic() - begin:.1f} s)")
    return 1 if fatal else 0


def findings() -> Iterator[Finding]:
    """Yield what each check finds, in order; the later ones are left out where the earlier ones already fail."""
    early: list[Callable[[], Finding]] = [_python, _packages, _notebooks, _folder, _home, _memory, _port, _prices]
    ready = True
    for check in early:
        finding = check()
        ready &= not (finding.mend and finding.fatal)
        yield finding
    if ready:
        yield _service()
        yield _bf16()


def _python() -> Finding:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    old = sys.version_info < (3, 11)
    return Finding("Python", found, "Install Python 3.11 or later and run `make course` again." if old else "")


def _packages() -> Finding:
    """Whether every package that pyproject.toml names is there in a version that will do."""
    wrong, seen = [], 0
    for text in importlib.metadata.requires("finetuning-notebooks") or []:
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        seen += 1
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{requirement.name} is {version}, needed is {requirement.specifier}")
    mend = "Run `pip install -c constraints.txt -e '.[test]'` in the course's folder."
    return Finding("packages", "; ".join(wrong) or f"all {seen} are there", mend if wrong else "")


def _notebooks() -> Finding:
    """Whether JupyterLab has the extension that shows widgets, and shows it on this Python."""
    lab = importlib.metadata.version("jupyterlab")
    widgets = Path(sys.prefix, "share", "jupyter", "labextensions", "@jupyter-widgets", "jupyterlab-manager")
    if widgets.is_dir():
        return Finding("notebooks", f"JupyterLab {lab}, with widgets")
    mend = "Run `pip install --force-reinstall jupyterlab_widgets`. Until then progress shows as text only."
    return Finding("notebooks", f"JupyterLab {lab}, without the widget extension", mend, fatal=False)


def _folder() -> Finding:
    """Whether the course's folder is found and its build folder can be written."""
    try:
        probe = build("doctor.txt")
        write_whole(probe, "written by python -m helpers doctor\n")
        probe.unlink()
    except Explained as error:
        return Finding("folder", "the course cannot write its results", str(error))
    return Finding("folder", "the course's folder can be written")


def _home() -> Finding:
    """Whether the service's home folder can be written and has room."""
    try:
        home = Settings.from_environment().home
        home.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(home).free
        probe = home / f"doctor.{os.getpid()}"
        probe.write_bytes(b"x" * 4096)
        probe.unlink()
    except SettingsError as error:
        return Finding("home", "a setting cannot be used", str(error))
    except OSError as error:
        return Finding("home", f"{error}", "Name a folder that can be written to in FINETUNE_HOME.")
    mend = f"Make room on the disk of {home}, or name a folder on another one in FINETUNE_HOME." if free < DISK else ""
    return Finding("home", f"can be written, {free / GIB:.1f} GiB free", mend)


def _memory() -> Finding:
    memory = psutil.virtual_memory()
    found = f"{memory.available / GIB:.1f} of {memory.total / GIB:.1f} GiB free, {os.cpu_count()} processor cores"
    mend = (
        "Close other programs; training may be slow or be ended for lack of memory."
        if memory.available < MEMORY
        else ""
    )
    return Finding("memory", found, mend, fatal=False)


def _port() -> Finding:
    """Whether a program may listen on this machine's own address, as the service and Jupyter must."""
    try:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(1)
            with socket.create_connection(listener.getsockname(), timeout=5):
                return Finding("network", "127.0.0.1 can be listened on and reached")
    except OSError as error:
        mend = "Allow Python to listen on 127.0.0.1 in your firewall or security software."
        return Finding("network", f"127.0.0.1: {error}", mend)


def _prices() -> Finding:
    age, date = tokens.price_age(), tokens.price_table()["as_of"]
    mend = "Compare src/helpers/data/prices.json with the services' price pages." if age > tokens.PRICES_OLD else ""
    return Finding("prices", f"of {date}, {age} days old", mend, fatal=False)


def _service() -> Finding:
    """Whether the local service starts (it may run already) and has the course's base model."""
    begin = time.monotonic()
    try:
        service = connect("local", quiet=True)
    except Explained as error:
        return Finding("service", "does not work", str(error))
    seconds = time.monotonic() - begin
    return Finding("service", f"answers at {service.client.base_url} with {LOCAL_MODEL} (after {seconds:.1f} s)")


def _bf16() -> Finding:
    """Whether training can use bf16, which only changes how long it takes."""
    from .local_service.hardware import has_cuda, use_bf16

    bf16 = use_bf16(Settings.from_environment().bf16)
    where = "a GPU" if has_cuda() else "the processor"
    return Finding("training", f"on {where}, {'in bf16' if bf16 else 'in fp32: this processor has no bf16 of its own'}")
