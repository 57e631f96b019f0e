"""SQLite as the service uses it: one connection, one lock, migrations on opening, rows as dicts, cursor paging."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .migrations import MIGRATIONS

Row = dict[str, Any]
JSON_COLUMNS = {"hyperparameters", "metadata", "data", "metrics", "error", "errors"}


class DatabaseError(Exception):
    """The database cannot be used. The message says which file, why, and what to do."""


class UnknownCursor(LookupError):
    """`after` names a row that does not exist."""


class Database:
    """An SQLite file with this service's schema. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        try:
            self._connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
            self._connection.row_factory = sqlite3.Row
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON"):
                self._connection.execute(f"PRAGMA {pragma}")
            self._migrate()
        except sqlite3.DatabaseError as error:
            raise DatabaseError(
                f"The database {path} cannot be used ({error}). Move it away and start again: the service then begins "
                "with an empty one, and puts the files and models that are there into a folder kept-… beside it."
            ) from error

    def _migrate(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise DatabaseError(f"{self.path} was written by a newer version of the service; update the package.")
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            self._connection.executescript(f"BEGIN; {script}; PRAGMA user_version = {number}; COMMIT;")

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; may be nested (the outermost one counts)."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def execute(self, sql: str, *values: Any) -> int:
        """Run one statement; return how many rows it changed."""
        with self._lock:
            return self._connection.execute(sql, values).rowcount

    def rows(self, sql: str, *values: Any) -> list[Row]:
        with self._lock:
            found = self._connection.execute(sql, values).fetchall()
        return [_decoded(row) for row in found]

    def row(self, sql: str, *values: Any) -> Row | None:
        found = self.rows(sql, *values)
        return found[0] if found else None

    def insert(self, table: str, or_ignore: bool = False, **columns: Any) -> bool:
        """Add a row; JSON columns are encoded. Returns whether it was added (`or_ignore`: a repeat is not)."""
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        verb = "INSERT OR IGNORE" if or_ignore else "INSERT"
        return self.execute(f"{verb} INTO {table} ({names}) VALUES ({marks})", *_encoded(columns).values()) > 0

    def update(self, table: str, identifier: str, **columns: Any) -> None:
        assignments = ", ".join(f"{name} = ?" for name in columns)
        self.execute(f"UPDATE {table} SET {assignments} WHERE id = ?", *_encoded(columns).values(), identifier)

    def move(self, table: str, identifier: str, status: str, sources: tuple[str, ...], **columns: Any) -> bool:
        """Give a row a new status, and other columns with it, if it still has one of `sources`; tell whether it had."""
        values = {"status": status, **_encoded(columns)}
        assignments, marks = ", ".join(f"{name} = ?" for name in values), ", ".join("?" * len(sources))
        sql = f"UPDATE {table} SET {assignments} WHERE id = ? AND status IN ({marks})"
        return self.execute(sql, *values.values(), identifier, *sources) > 0

    def page(
        self, table: str, *, where: str = "1", values: tuple[Any, ...] = (), after: str | None, limit: int, newest: bool
    ) -> tuple[list[Row], bool]:
        """Up to `limit` rows that follow the row `after`, and whether more follow. Raises UnknownCursor."""
        with self._lock:
            clause, bounds = where, list(values)
            if after is not None:
                cursor = self.row(f"SELECT seq FROM {table} WHERE id = ? AND {where}", after, *values)
                if cursor is None:
                    raise UnknownCursor(after)
                clause += f" AND seq {'<' if newest else '>'} ?"
                bounds.append(cursor["seq"])
            order = "DESC" if newest else "ASC"
            sql = f"SELECT * FROM {table} WHERE {clause} ORDER BY seq {order} LIMIT ?"
            found = self.rows(sql, *bounds, limit + 1)
        return found[:limit], len(found) > limit


def _encoded(columns: dict[str, Any]) -> dict[str, Any]:
    return {
        name: json.dumps(value) if name in JSON_COLUMNS and value is not None else value
        for name, value in columns.items()
    }


def _decoded(row: sqlite3.Row) -> Row:
    return {
        name: json.loads(row[name]) if name in JSON_COLUMNS and row[name] is not None else row[name]
        for name in row.keys()  # noqa: SIM118 - iterating a sqlite3.Row gives its values
    }
