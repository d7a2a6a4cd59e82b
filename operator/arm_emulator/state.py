"""The state file: every acknowledged write is in it before it is acknowledged.

SQLite with a write-ahead log: a process that is killed loses nothing that was committed; only a machine that loses power
may lose the last writes.
"""

import dataclasses
import sqlite3
from pathlib import Path

import orjson

from arm_emulator.cloud import Cloud
from arm_emulator.errors import Json
from arm_emulator.ids import ResourceId
from arm_emulator.operations import Operation
from arm_emulator.store import Resource, resource

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS resources (position INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT UNIQUE, document BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS operations (id TEXT PRIMARY KEY, document BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS audit (position INTEGER PRIMARY KEY AUTOINCREMENT, document BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS extra_rows (key TEXT PRIMARY KEY, document BLOB NOT NULL);
"""
_PUT = (
    "INSERT INTO resources (key, document) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET document = excluded.document"
)


class StateError(Exception):
    """A file that is no state file."""


class StateFile:
    """Collects what changes and writes it in one transaction when told to."""

    def __init__(self, path: Path) -> None:
        """Opens or makes the file. Raises StateError."""
        try:
            self._database = sqlite3.connect(path, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise StateError(f"{path}: not a state file of the emulator: {error}") from error
        self._meta: dict[str, str] = dict(self._database.execute("SELECT name, value FROM meta"))
        self._dirty: dict[str, Resource | None] = {}
        self._operations: dict[str, Operation] = {}
        self._entries: list[bytes] = []
        self._offset = float(self._meta.get("offset", "0"))
        self._cloud: Cloud | None = None

    @property
    def fresh(self) -> bool:
        """Whether the file holds no Azure yet."""
        return "loaded" not in self._meta

    @property
    def offset(self) -> float:
        """How far the clock had been moved ahead."""
        return self._offset

    def meta(self, name: str, new: str) -> str:
        """What is kept under a name; `new` is kept from now on where there was nothing."""
        if name not in self._meta:
            self._database.execute("INSERT INTO meta VALUES (?, ?)", (name, new))
            self._meta[name] = new
        return self._meta[name]

    def first(self, name: str) -> bool:
        """Whether this is asked for the first time in the life of the file."""
        known = name in self._meta
        self.meta(name, "yes")
        return not known

    def kept(self, name: str) -> str | None:
        """What is kept under a name, None where there is nothing."""
        return self._meta.get(name)

    def keep(self, name: str, value: str) -> None:
        """Keeps something under a name from now on, in place of what was there."""
        self._database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))
        self._meta[name] = value

    def restore(self, cloud: Cloud) -> None:
        """Puts what the file holds into an empty cloud; operations that ran go on."""
        for (document,) in self._database.execute("SELECT document FROM resources ORDER BY position"):
            cloud.store.put(from_document(orjson.loads(document)))
        for (document,) in self._database.execute("SELECT document FROM operations"):
            cloud.operations.adopt(Operation(**orjson.loads(document)))
        for (document,) in self._database.execute("SELECT document FROM audit ORDER BY position"):
            cloud.audit.restore(orjson.loads(document))
        for key, document in self._database.execute("SELECT key, document FROM extra_rows"):
            cloud.extra_rows[key] = orjson.loads(document)

    def follow(self, cloud: Cloud) -> None:
        """Notes every change from now on."""
        self._cloud = cloud
        cloud.store.listeners.append(self._dirty.__setitem__)
        cloud.operations.listeners.append(lambda operation: self._operations.__setitem__(operation.id, operation))
        cloud.audit.listeners.append(self._note)

    def _note(self, entry: Json) -> None:
        # Written down here, so that an entry that cannot be is this request's failure and not that of all to come.
        self._entries.append(orjson.dumps(entry))

    def loaded(self, cloud: Cloud) -> None:
        """Writes a whole cloud, once, and marks the file as holding it."""
        self._dirty.update({item.key: item for item in cloud.store})
        rows = [(key, orjson.dumps(row)) for key, row in cloud.extra_rows.items()]
        self._database.executemany("INSERT OR REPLACE INTO extra_rows VALUES (?, ?)", rows)
        self.save()
        self.meta("loaded", "yes")

    def save(self) -> None:
        """Writes what has changed since the last time; on return it survives the process."""
        offset = self._offset if self._cloud is None else self._cloud.clock.offset
        if not (self._dirty or self._operations or self._entries or offset != self._offset):
            return
        # Before the transaction begins: what cannot be written down must not leave one open.
        resources = [
            (key, None if item is None else orjson.dumps(documented(item))) for key, item in self._dirty.items()
        ]
        operations = [(one.id, orjson.dumps(dataclasses.asdict(one))) for one in self._operations.values()]
        self._database.execute("BEGIN IMMEDIATE")
        try:
            for key, document in resources:
                if document is None:
                    self._database.execute("DELETE FROM resources WHERE key = ?", (key,))
                else:
                    self._database.execute(_PUT, (key, document))
            self._database.executemany("INSERT OR REPLACE INTO operations VALUES (?, ?)", operations)
            entries = [(entry,) for entry in self._entries]
            self._database.executemany("INSERT INTO audit (document) VALUES (?)", entries)
            self._database.execute("INSERT OR REPLACE INTO meta VALUES ('offset', ?)", (str(offset),))
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise
        self._offset = offset
        self._dirty.clear()
        self._operations.clear()
        self._entries.clear()

    def close(self) -> None:
        """Closes the file."""
        self.save()
        self._database.close()


def documented(item: Resource) -> Json:
    """A resource as it is kept."""
    return {
        "subscription": item.id.subscription,
        "group": item.id.group,
        "type": item.id.type,
        "names": item.id.names,
        "extends": item.id.extends,
        "body": item.body,
        "etag": item.etag,
    }


def from_document(kept: Json) -> Resource:
    """The resource that was kept so."""
    names = tuple(kept["names"])
    resource_id = ResourceId(kept["subscription"], kept["group"], kept["type"], names, kept.get("extends", ""))
    item = resource(resource_id, kept["body"])
    item.etag = kept["etag"]
    return item
