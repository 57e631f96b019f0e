"""Stopping the local service. Its files, jobs and models stay on disk, and a job that ran goes on at the next start."""

from __future__ import annotations

import os
import signal
import time

from .errors import Explained
from .local_service.address import answers, find_running, serving_pid
from .local_service.settings import Settings, SettingsError

PATIENCE = 20.0  # seconds; an open request gets five of them to finish


def stop_service() -> str:
    """Stop the service that runs on this home (FINETUNE_HOME) and return a line that says so.

    Raises Explained where it does not end.
    """
    try:
        settings = Settings.from_environment()
    except SettingsError as error:
        raise Explained(str(error)) from error
    address = find_running(settings)  # it answers with this home's key, so its process id is not another program's
    pid = serving_pid(settings)
    if address is None or pid is None:
        return f"No local service runs on {settings.home}."
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if not answers(address, timeout=1.0) and (os.name == "nt" or not settings.running_file.exists()):
            return f"The local service at {address.url} has stopped."
        time.sleep(0.1)
    raise Explained(f"The local service (process {pid}) has not ended after {PATIENCE:.0f} seconds. End it yourself.")
