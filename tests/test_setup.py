"""Set-up: the lists of packages agree, and the files that installation reads say what they should."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

COURSE = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((COURSE / "pyproject.toml").read_text())["project"]
NEEDED = [Requirement(text) for text in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]]]
PINNED = {
    canonicalize_name(name): version
    for name, version in re.findall(r"^([\w.-]+)==(\S+)$", (COURSE / "constraints.txt").read_text(), re.MULTILINE)
}


@pytest.mark.parametrize("requirement", NEEDED, ids=lambda requirement: requirement.name)
def test_every_package_has_one_version_that_will_do(requirement: Requirement) -> None:
    assert requirement.specifier.contains(PINNED[canonicalize_name(requirement.name)], prereleases=True)


def test_constraints_fit_every_platform() -> None:
    lines = [line for line in (COURSE / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert len(lines) == len(PINNED)  # nothing but exact versions: no URLs, no editable package
    assert not [version for version in PINNED.values() if "+" in version]  # no build for one kind of machine


def test_the_conda_environment_adds_nothing_of_its_own() -> None:
    environment = yaml.safe_load((COURSE / "environment.yml").read_text())
    python, pip, packages = environment["dependencies"]
    assert environment["name"] == PROJECT["name"]
    assert python == "python=3.11" and "3.11" in SpecifierSet(PROJECT["requires-python"])
    assert pip == "pip"
    assert packages["pip"] == [
        "--extra-index-url https://download.pytorch.org/whl/cpu",
        "-c constraints.txt",
        "-e .[test]",
    ]


@pytest.mark.parametrize("target", ["course", "test", "lab", "notebooks", "slides", "bench"])
def test_each_make_target_installs_what_it_needs(target: str) -> None:
    shown = subprocess.run(
        ["make", "--dry-run", "--always-make", target], cwd=COURSE, capture_output=True, text=True, check=True
    ).stdout
    install = shown.index("-e '.[test]'")
    assert shown.index("-m venv") < shown.index("torch==") < install < len(shown.rstrip()) - 40
    assert f"torch=={PINNED['torch']}" in shown


def test_make_refuses_an_old_python(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    (tmp_path / "constraints.txt").write_text("torch==1\n")
    (tmp_path / "pyproject.toml").touch()
    found = subprocess.run(
        ["make", "-f", str(COURSE / "Makefile"), f"PYTHON={old}", "course"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert found.returncode != 0 and "needs Python 3.11 or later" in found.stdout
    assert not (tmp_path / ".venv").exists()


@pytest.mark.skipif(os.name == "nt", reason="POSIX file modes")
def test_the_build_machine_runs_make_test_and_nothing_softer() -> None:
    script = COURSE / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    lines = [line.strip() for line in script.read_text().splitlines()]
    assert "set -eu" in lines and lines[-1] == "exec make test"
    assert "|| true" not in script.read_text()


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = "{'torch', 'openai', 'pandas', 'matplotlib'} & set(sys.modules)"
    code = f"import sys, helpers, helpers.local_service.start; print(sorted({heavy}))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"


@pytest.mark.parametrize("name", ["serve", "env", "stop", "doctor", "check", "run", "course", "notebooks", "slides"])
def test_each_command_explains_itself(name: str) -> None:
    shown = subprocess.run([sys.executable, "-m", "helpers"], capture_output=True, text=True)
    assert shown.returncode == 2 and re.search(rf"^  {name} +\w+", shown.stderr, re.MULTILINE)
    helped = subprocess.run([sys.executable, "-m", "helpers", name, "--help"], capture_output=True, text=True)
    assert helped.returncode == 0 and f"usage: python -m helpers {name}" in helped.stdout
