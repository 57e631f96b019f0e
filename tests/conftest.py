"""Fixtures for every test: no test touches the user's own data, and one live local service serves them all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from hypothesis import settings
from live_service import LiveService, live_service

HERE = Path(__file__).parent
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is imported: tests share their cores with services
# Property tests try the same examples at every run; HYPOTHESIS_SEED=random looks for new ones.
settings.register_profile("same", derandomize=os.environ.get("HYPOTHESIS_SEED") != "random", deadline=None)
settings.load_profile("same")
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that runs tests in the background has it ignored


@pytest.fixture(scope="session", autouse=True)
def home_of_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """FINETUNE_HOME for the whole run: a folder that goes away."""
    home = tmp_path_factory.mktemp("home")
    saved = {name: os.environ.get(name) for name in ("FINETUNE_HOME", "FINETUNE_SERVICE", "FINETUNE_BASES")}
    os.environ["FINETUNE_HOME"] = str(home)
    for name in ("FINETUNE_SERVICE", "FINETUNE_BASES"):
        os.environ.pop(name, None)
    yield home
    for name, value in saved.items():
        os.environ.pop(name, None) if value is None else os.environ.update({name: value})


@pytest.fixture(scope="session")
def tiny_bases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two random-weight bases: `tiny`, trained whole, and `tiny-lora`, trained with an adapter."""
    folder = tmp_path_factory.mktemp("bases")
    subprocess.run([sys.executable, str(HERE / "tiny_base.py"), str(folder)], check=True)
    return folder


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, tiny_bases: Path) -> Iterator[LiveService]:
    """A running local service with the tiny bases: `.client` (openai.OpenAI), `.url`, `.key`, `.home`, `.env`."""
    with live_service(tmp_path_factory.mktemp("service"), tiny_bases) as running:
        yield running


@pytest.fixture(scope="session")
def client(service: LiveService) -> openai.OpenAI:
    """An SDK client of the running service."""
    return service.client
