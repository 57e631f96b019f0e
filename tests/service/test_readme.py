"""The service's README says what there is: every route with its module and its tests, every variable, every table."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from helpers import local_service
from helpers.local_service.limits import MOST_IN_FLIGHT, MOST_UNFINISHED_JOBS
from helpers.local_service.migrations import MIGRATIONS

PACKAGE = Path(local_service.__file__).parent
README = (PACKAGE / "README.md").read_text(encoding="utf-8")
TESTS = Path(__file__).parent
ROW = re.compile(r"^\| `(?P<path>/[^`]*)` \| (?P<modules>[^|]+) \|.*\| (?P<tests>[^|]+) \|$", re.MULTILINE)
ROWS = {row["path"]: row for row in ROW.finditer(README)}
OFFERED = ("files", "uploads", "jobs", "models", "chat", "batches", "graders", "status")


@pytest.mark.parametrize("name", OFFERED)
def test_every_route_is_in_the_table_with_its_module(name: str) -> None:
    router = import_module(f"helpers.local_service.routes.{name}").router
    assert router.routes
    for route in router.routes:
        assert isinstance(route, APIRoute)
        listed = max((path for path in ROWS if route.path.startswith(path)), key=len)
        assert f"routes/{name}.py" in ROWS[listed]["modules"], route.path


@pytest.mark.parametrize("path", ROWS)
def test_the_modules_and_tests_in_the_table_exist(path: str) -> None:
    for module in ROWS[path]["modules"].split(", "):
        assert (PACKAGE / module).exists(), module
    for name in ROWS[path]["tests"].strip().split(", "):
        assert any((folder / f"{name}.py").is_file() for folder in (TESTS, TESTS.parent)), name


def test_every_variable_and_table_is_named() -> None:
    read = set(re.findall(r'"(FINETUNE_\w+)"', (PACKAGE / "settings.py").read_text(encoding="utf-8")))
    assert read == set(re.findall(r"^\| `(FINETUNE_\w+)` \|", README, re.MULTILINE))
    (tables,) = re.findall(r"tables in migrations.py: ([^)]*)\)", README)
    assert set(tables.split(", ")) == set(re.findall(r"CREATE TABLE (\w+)", "".join(MIGRATIONS)))


def test_a_classs_limits_are_those_of_the_code() -> None:
    said = f"{MOST_UNFINISHED_JOBS} unfinished jobs and {MOST_IN_FLIGHT} requests under way"
    assert said in README
    threats = (PACKAGE / "threat_model.md").read_text(encoding="utf-8")
    assert f"at most {MOST_IN_FLIGHT} requests under way" in threats
    assert f"at most {MOST_UNFINISHED_JOBS} unfinished jobs" in threats
