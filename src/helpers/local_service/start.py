"""Having a service: find the one that runs on this home, or start one in a process of its own. Standard library only.

from helpers.local_service.start import ensure_running
address = ensure_running()        # address.url, address.key
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from .address import ServiceAddress, find_running, serving_pid
from .cli import ALREADY_SERVED
from .settings import Settings

IDLE_STOP = 12 * 3600.0  # seconds; a service that nobody uses for half a day ends itself
START_TIMEOUT = 60.0


class ServiceNotStarted(RuntimeError):
    """The service could not be started. The message gives its own words and where its log is."""


def ensure_running(idle_stop: float = IDLE_STOP, timeout: float = START_TIMEOUT) -> ServiceAddress:
    """The address of the service on this home (FINETUNE_HOME), started if none runs.

    A service started here listens on 127.0.0.1, outlives this process, and stops after `idle_stop` seconds without
    work. Raises ServiceNotStarted when none answers within `timeout` seconds, SettingsError for a wrong setting.
    """
    settings = Settings.from_environment()
    address = find_running(settings)
    if address is not None:
        return address
    output = _output_file(settings)
    begin = output.stat().st_size if output.is_file() else 0
    process = _start(idle_stop, output)
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        address = find_running(settings)
        if address is not None:
            ours = serving_pid(settings) in (None, process.pid)
            if not ours and sys.platform != "win32":  # there a venv's python has another pid
                process.terminate()  # somebody else was quicker; ours would serve as soon as theirs is stopped
            return address
        if process.poll() is not None:
            if process.returncode == ALREADY_SERVED:  # somebody else was quicker, and answers soon
                time.sleep(0.2)
                continue
            raise ServiceNotStarted(f"The local service did not start. It said: {_words(output, begin)}")
        time.sleep(0.1)
    raise ServiceNotStarted(
        f"The local service did not answer within {timeout:.0f} seconds. It said: {_words(output, begin)} Its logs are "
        f"in {settings.logs}."
    )


def _output_file(settings: Settings) -> Path:
    """Where the started service's own words go. Raises ServiceNotStarted where the home cannot be written."""
    try:
        settings.logs.mkdir(parents=True, exist_ok=True)
        path = settings.logs / "start.log"
        path.touch()
        return path
    except OSError as error:
        raise ServiceNotStarted(
            f"The service's home folder {settings.home} cannot be written ({error.strerror or error}). Name a folder "
            "that can be in FINETUNE_HOME."
        ) from error


def _start(idle_stop: float, output: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "helpers.local_service", "serve", "--idle-stop", str(idle_stop)]
    with output.open("ab") as stream:
        if sys.platform == "win32":
            flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, creationflags=flags
            )
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True)


def _words(output: Path, begin: int) -> str:
    with output.open("rb") as stream:
        stream.seek(begin)
        lines = stream.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "nothing."
