"""The database: migrations, order that no clock can disturb, events that happen once, paging, and damage."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from helpers.local_service.database import Database, DatabaseError, UnknownCursor
from helpers.local_service.migrations import MIGRATIONS
from helpers.local_service.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "s.sqlite3")


def add_job(store: Store, name: str, **more: Any) -> None:
    fields = {"model": "m", "base": "m", "root": "m", "method": "supervised", "hyperparameters": {"n_epochs": 1}}
    fields |= {"seed": 1, "training_file": "file-1", "tag": "abcdefgh", **more}
    store.add_job(name, **fields)


def test_a_database_keeps_everything_over_a_reopening(tmp_path: Path) -> None:
    first = Store(tmp_path / "s.sqlite3")
    add_job(first, "job", metadata={"a": "b"})
    first.add_event("job", "created", "Created")
    first.close()
    second = Store(tmp_path / "s.sqlite3")
    job = second.job("job")
    assert job is not None
    assert (job["status"], job["hyperparameters"], job["metadata"]) == ("validating_files", {"n_epochs": 1}, {"a": "b"})
    assert second.database.row("PRAGMA user_version") == {"user_version": len(MIGRATIONS)}


def test_a_database_of_the_oldest_version_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite3"
    connection = sqlite3.connect(path)
    connection.executescript(MIGRATIONS[0] + "PRAGMA user_version = 1;")
    connection.close()
    assert Store(path).next_job("queued") is None


def test_what_was_there_before_learners_is_the_owners(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite3"
    connection = sqlite3.connect(path)
    connection.executescript(MIGRATIONS[0] + MIGRATIONS[1] + "PRAGMA user_version = 2;")
    connection.execute(
        "INSERT INTO files (id, filename, purpose, bytes, lines, created_at) VALUES ('f', 'a', 'p', 1, 1, 1)"
    )
    connection.commit()
    connection.close()
    store = Store(path)
    assert store.file("f") is not None and store.seen_by("Ana").file("f") is None


def test_learners_find_their_own_rows_only(store: Store) -> None:
    for learner in ("Ana", "Bo"):
        add_job(store.seen_by(learner), f"{learner}'s")
        store.seen_by(learner).add_file(f"{learner}.jsonl", filename="a", purpose="p", bytes=1, lines=1)
    ana = store.seen_by("Ana")
    assert ana.job("Ana's") is not None and ana.job("Bo's") is None and store.job("Bo's") is not None
    assert [row["id"] for row in ana.jobs(metadata={}, after=None, limit=9)[0]] == ["Ana's"]
    assert ana.unfinished_jobs() == 1 and store.unfinished_jobs() == 2
    files = lambda view: [row["id"] for row in view.files(purpose=None, after=None, limit=9, newest=False)[0]]  # noqa: E731
    assert files(ana) == ["Ana.jsonl"] and files(store) == ["Ana.jsonl", "Bo.jsonl"]
    with pytest.raises(UnknownCursor):
        ana.files(purpose=None, after="Bo.jsonl", limit=9, newest=False)


def test_the_next_job_is_of_the_learner_who_has_trained_least_recently(store: Store) -> None:
    for name in ("Ana 1", "Ana 2", "Ana 3", "Bo 1", "Bo 2", "Chi 1"):
        add_job(store.seen_by(name.split()[0]), name)
        store.move_job(name, "queued", "validating_files")
    assert not store.take_turn("none")
    trained = []
    while waiting := [row["id"] for row in store.queue()]:
        assert store.take_turn(waiting[0]) and not store.take_turn(waiting[0])
        store.move_job(waiting[0], "succeeded", "running")
        assert waiting[1:] == [row["id"] for row in store.queue()]  # nothing came in, so the order stands
        trained.append(waiting[0])
    assert trained == ["Ana 1", "Bo 1", "Chi 1", "Ana 2", "Bo 2", "Ana 3"]
    for name in ("Ana 4", "Bo 3", "Dee 1"):
        add_job(store.seen_by(name.split()[0]), name)
        store.move_job(name, "queued", "validating_files")
    assert [row["id"] for row in store.queue()] == ["Dee 1", "Bo 3", "Ana 4"]


def test_without_learners_it_is_first_come_first_served(store: Store) -> None:
    for name in ("first", "second", "third"):
        add_job(store, name)
        store.move_job(name, "queued", "validating_files")
    assert store.take_turn("first") and store.move_job("first", "queued", "running")  # paused and resumed, say
    assert [row["id"] for row in store.queue()] == ["first", "second", "third"]


def test_a_newer_or_damaged_database_is_refused_with_a_reason(tmp_path: Path) -> None:
    newer = tmp_path / "new.sqlite3"
    sqlite3.connect(newer).executescript("PRAGMA user_version = 999;")
    with pytest.raises(DatabaseError, match="newer version"):
        Database(newer)
    damaged = tmp_path / "bad.sqlite3"
    damaged.write_bytes(b"not a database at all" * 100)
    with pytest.raises(DatabaseError, match="Move it away"):
        Database(damaged)
    assert damaged.read_bytes().startswith(b"not a database")


def test_an_event_is_recorded_once(store: Store) -> None:
    add_job(store, "job")
    assert store.add_event("job", "step 1", "Step 1/2", data={"step": 1})
    assert not store.add_event("job", "step 1", "Step 1/2 again", data={"step": 1})
    assert store.add_event("job", "step 2", "Step 2/2", data={"step": 2})
    rows, more = store.events("job", after=None, limit=10)
    assert ([row["message"] for row in rows], more) == (["Step 2/2", "Step 1/2"], False)
    assert store.metrics("job") == [{"step": 1}, {"step": 2}]


def test_paging_goes_on_behind_the_cursor_and_knows_the_end(store: Store) -> None:
    add_job(store, "job")
    for number in range(5):
        store.add_event("job", str(number), str(number))
    seen, after = [], None
    for expected_more in (True, True, False):
        rows, more = store.events("job", after=after, limit=2)
        seen += [row["message"] for row in rows]
        after = rows[-1]["id"]
        assert more == expected_more
    assert seen == ["4", "3", "2", "1", "0"]
    add_job(store, "other")
    for job, cursor in (("job", "none"), ("other", after)):
        with pytest.raises(UnknownCursor):
            store.events(job, after=cursor, limit=2)


def test_jobs_are_found_by_metadata_and_served_in_order(store: Store) -> None:
    add_job(store, "first", metadata={"team": "a", "no": "1"})
    add_job(store, "second", metadata={"team": "a"})
    add_job(store, "third")
    names = lambda **metadata: [row["id"] for row in store.jobs(metadata=metadata, after=None, limit=9)[0]]  # noqa: E731
    assert names() == ["third", "second", "first"]
    assert names(team="a") == ["second", "first"]
    assert names(team="a", no="1") == ["first"]
    assert names(team="b") == []
    oldest = store.next_job("validating_files")
    assert oldest is not None and oldest["id"] == "first"


def test_a_finished_job_cannot_be_moved(store: Store) -> None:
    add_job(store, "job")
    assert store.move_job("job", "cancelled", "validating_files", "queued")
    assert not store.move_job("job", "queued", "validating_files")
    assert not store.has_unfinished_job()


def test_the_last_three_checkpoints_are_kept(store: Store) -> None:
    add_job(store, "job")
    for step in range(1, 6):
        model = {"id": f"ft:{step}", "folder": f"job/step-{step}", "base": "m", "adapter": 0}
        store.add_checkpoint("job", step, model, {"step": step}, f"checkpoint-{step}")
        store.add_checkpoint("job", step, model, {"step": step}, f"checkpoint-{step}")
    assert store.drop_old_checkpoints("job") == ["job/step-2", "job/step-1"]
    rows, _ = store.checkpoints("job", after=None, limit=10)
    assert [row["step"] for row in rows] == [5, 4, 3]
    assert [row["id"] for row in store.models()] == ["ft:3", "ft:4", "ft:5"]


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    add_job(store, "job")
    with pytest.raises(RuntimeError), store.transaction():
        store.add_event("job", "1", "one")
        with store.transaction():
            store.add_event("job", "2", "two")
        raise RuntimeError
    assert store.events("job", after=None, limit=10)[0] == []
