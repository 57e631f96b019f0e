"""`python -m helpers doctor`: what it finds on a machine that is ready, and what it says to mend on one that is not."""

from __future__ import annotations

import errno
import importlib.metadata
import shutil
import socket
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from live_service import LiveService

from helpers import doctor, tokens


@pytest.fixture(autouse=True)
def ready(service: LiveService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine where a service runs and all is well."""
    monkeypatch.setenv("FINETUNE_HOME", str(service.home))
    monkeypatch.setenv("FINETUNE_BUILD", str(tmp_path))


def found(name: str) -> doctor.Finding:
    return next(finding for finding in doctor.findings() if finding.name == name)


def test_a_machine_that_is_ready_is_told_so_in_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    begin = time.monotonic()
    assert doctor.examine() == 0
    said = capsys.readouterr().out
    assert "Ready." in said and "MEND" not in said
    assert time.monotonic() - begin < 30
    for name in ("Python", "packages", "notebooks", "folder", "home", "memory", "network", "prices", "service"):
        assert f"ok   {name}" in said or f"note {name}" in said
    assert "bf16" in said


def test_a_missing_and_an_old_package_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name == "ftfy":
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.0.0" if name == "openai" else real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert doctor.examine() == 1
    said = capsys.readouterr().out
    assert "ftfy is missing" in said and "openai is 1.0.0, needed is" in said and "pip install" in said
    assert "1 to mend." in said and "training " not in said  # which could not start either


def test_a_home_that_cannot_be_written_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("FINETUNE_HOME", str(tmp_path / "file" / "home"))
    assert "FINETUNE_HOME" in found("home").mend


def test_a_wrong_setting_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINETUNE_BF16", "yes")
    assert "FINETUNE_BF16 is 'yes'" in found("home").mend


def test_little_disk_space_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**8))
    assert "Make room" in found("home").mend


def test_little_memory_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=10**8, total=10**9))
    finding = found("memory")
    assert "Close other programs" in finding.mend and not finding.fatal


def test_a_results_folder_that_cannot_be_written_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("FINETUNE_BUILD", str(tmp_path / "file" / "build"))
    assert "could not be written" in found("folder").mend


def test_a_blocked_network_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket, "create_connection", refuse)
    assert "firewall" in found("network").mend


def test_old_prices_are_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "price_age", lambda: 200)
    finding = found("prices")
    assert "200 days old" in finding.found and finding.mend and not finding.fatal


def test_a_service_that_does_not_start_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FINETUNE_HOME", str(tmp_path / "new"))
    monkeypatch.setenv("FINETUNE_BASES", str(tmp_path / "no_such_folder"))
    assert "FINETUNE_BASES" in found("service").mend
