"""Files and models that notebooks share."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from live_service import LiveService, examples

from helpers.connection import Service
from helpers.errors import Explained
from helpers.workspace import (
    SPLITS,
    build,
    course_folder,
    read_jsonl,
    sample,
    support_splits,
    tuned_model,
    write_jsonl,
)

COURSE = Path(__file__).resolve().parents[1]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build folder of the test's own."""
    monkeypatch.setenv("FINETUNE_BUILD", str(tmp_path / "build"))
    return tmp_path / "build"


def test_the_course_is_found_from_inside_it_and_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "copy" / "data" / "samples").mkdir(parents=True)
    (tmp_path / "copy" / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "copy" / "notebooks")
    assert course_folder() == tmp_path / "copy"
    monkeypatch.chdir(tmp_path)
    assert course_folder() == COURSE
    monkeypatch.delenv("FINETUNE_BUILD", raising=False)
    assert build("a", "b.txt") == COURSE / "build" / "a" / "b.txt"


def test_an_unknown_sample_names_those_there_are() -> None:
    assert (sample("support") / "train.jsonl").is_file()
    with pytest.raises(Explained, match=r"no sample called 'nothing'.*support"):
        sample("nothing")


def test_rows_survive_writing_and_reading(tmp_path: Path) -> None:
    rows = [{"text": "café\u2028\n\x85 line", "n": 1}, {"text": "", "list": [1, None]}, {"text": "half \ud83d \\"}]
    path = write_jsonl(tmp_path / "new" / "rows.jsonl", rows)
    assert read_jsonl(path) == rows
    assert path.read_bytes().count(b"\n") == 3 and b"\r" not in path.read_bytes()
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"a": 1}\n\nnot json\n', "line 3, is not a JSON object"),
        ('{"a": 1}\n[1]\n', "line 2, is not a JSON object .it holds a list"),
        ('[\n  {"a": 1},\n  {"b": 2}\n]\n', "line 1, is not a JSON object"),
        ("[" * 100_000, "line 1, is not a JSON object"),
        ('{"a": 1} {"b": 2}\n', "line 1, is not a JSON object .Extra data"),
    ],
)
def test_a_file_that_is_not_json_lines_is_explained(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(content)
    with pytest.raises(Explained, match=f"bad.jsonl, {said}"):
        read_jsonl(path)


def test_files_that_cannot_be_read_are_explained(tmp_path: Path) -> None:
    with pytest.raises(Explained, match=r"none.jsonl could not be read \(No such file"):
        read_jsonl(tmp_path / "none.jsonl")
    (tmp_path / "latin.jsonl").write_bytes('{"a": "é"}'.encode("latin-1"))
    with pytest.raises(Explained, match=r"latin.jsonl is not UTF-8 text \(byte 7\)"):
        read_jsonl(tmp_path / "latin.jsonl")


def test_a_byte_order_mark_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "bom.jsonl").write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n')
    assert read_jsonl(tmp_path / "bom.jsonl") == [{"a": 1}]


def test_a_full_disk_is_explained_and_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_jsonl(tmp_path / "rows.jsonl", [{"old": True}])

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Explained, match=r"no disk space left to write .*rows.jsonl.*unchanged"):
        write_jsonl(path, [{"new": True}] * 100)
    assert read_jsonl(path) == [{"old": True}]
    assert list(tmp_path.iterdir()) == [path]


def test_rows_that_fail_half_way_leave_the_old_file(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "rows.jsonl", [{"old": True}])
    with pytest.raises(TypeError):
        write_jsonl(path, [{"new": True}, {"bad": object()}])
    assert read_jsonl(path) == [{"old": True}]


def test_splits_are_the_learners_where_they_are_whole(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert support_splits() == {name: sample("support") / f"{name}.jsonl" for name in SPLITS}
    assert "curated" in capsys.readouterr().out
    for name in SPLITS[:-1]:
        write_jsonl(elsewhere / "support" / f"{name}.jsonl", [])
    assert support_splits()["train"] == sample("support") / "train.jsonl"
    write_jsonl(elsewhere / "support" / f"{SPLITS[-1]}.jsonl", [])
    capsys.readouterr()
    assert support_splits() == {name: elsewhere / "support" / f"{name}.jsonl" for name in SPLITS}
    assert "notebook 02 wrote" in capsys.readouterr().out


def test_a_model_is_tuned_once_for_the_same_data_and_settings(
    service: LiveService, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    course = Service("local", service.client, "tiny", True)
    train = write_jsonl(tmp_path / "train.jsonl", examples(12))
    validation = write_jsonl(tmp_path / "validation.jsonl", examples(4, seed=1))

    def tune(seed: int = 1, validation: Path | None = validation) -> str:
        return tuned_model(course, train, validation, suffix="once", n_epochs=1, batch_size=4, seed=seed)

    first = tune()
    assert first.startswith("ft:tiny:local:once:") and "training one now" in capsys.readouterr().out
    assert tune() == first
    assert f"Using {first}, tuned before" in capsys.readouterr().out
    assert len({first, tune(seed=2), tune(validation=None)}) == 3
    train.write_text(train.read_text().replace("number 3", "number 33"))
    other = tune()
    assert other != first
    service.client.models.delete(other)
    capsys.readouterr()
    assert tune() not in (first, other)
    assert "training one now" in capsys.readouterr().out


def test_a_job_under_way_is_waited_for(service: LiveService, tmp_path: Path) -> None:
    course = Service("local", service.client, "tiny", True)
    train = write_jsonl(tmp_path / "train.jsonl", examples(12, seed=5))
    first = tuned_model(course, train, suffix="way", n_epochs=1, batch_size=4)
    done = next(job for job in service.client.fine_tuning.jobs.list() if job.fine_tuned_model == first)
    service.client.models.delete(first)
    again = service.client.fine_tuning.jobs.create(
        model="tiny", training_file=done.training_file, suffix="way", seed=1, metadata=done.metadata
    )
    found = tuned_model(course, train, suffix="way", n_epochs=1, batch_size=4)
    assert found == service.client.fine_tuning.jobs.retrieve(again.id).fine_tuned_model


def test_a_bad_training_file_fails_with_its_reason(service: LiveService, tmp_path: Path) -> None:
    course = Service("local", service.client, "tiny", True)
    train = tmp_path / "bad.jsonl"
    train.write_text((json.dumps({"prompt": "a", "completion": "b"}) + "\n") * 12)
    with pytest.raises(Explained, match=r"failed: .*Prompt/completion"):
        tuned_model(course, train, suffix="bad", n_epochs=1)
    with pytest.raises(Explained, match=r"missing.jsonl could not be read"):
        tuned_model(course, tmp_path / "missing.jsonl", suffix="bad", n_epochs=1)
