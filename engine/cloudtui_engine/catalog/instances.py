"""Machines."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import time
from typing import Any, TypeVar

from cloudtui_engine.catalog.base import Repository, Row, dumps, marks, prefix_end, the_one
from cloudtui_engine.errors import NotFoundError, RefusedError
from cloudtui_engine.ids import new_id
from cloudtui_engine.records.instance import GONE, LOCAL, Address, Instance, LinkState

_COLUMNS = (
    "id, name, provider, address, root, wanted, cloud_state, link_state, link_detail, link_since,"
    " price_usd_per_hour,"
    " facts, gpus, machine_id, clock_offset_s, seen_at, created_at, forgotten_at, cloud_id, region, zone,"
    " machine_type, spot, launch_id, deadline_at, cloud_seen_at, cloud_reason, missing_since, host_key,"
    " idle_since, looked_at"
)
_NAMES = tuple(_COLUMNS.replace(",", " ").split())
_JSON = frozenset({"address", "facts", "gpus"})

_Json = TypeVar("_Json", dict[str, Any], list[Any])


Found = list[Instance]
_NOWHERE = dataclasses.asdict(Address())


class Instances(Repository):
    """The rows of `instance`."""

    def add(self, instance: Instance) -> Instance:
        """Keep a new machine.

        Raises:
            RefusedError: another one has its name.
        """
        values = [_column(name, getattr(instance, name)) for name in _NAMES]
        try:
            with self._catalog.write("instance") as db:
                db.execute(
                    f"INSERT INTO instance ({_COLUMNS}) VALUES ({','.join('?' * len(_NAMES))})", values
                )
        except sqlite3.IntegrityError as error:
            raise _taken(instance.name, error) from error
        return instance

    def get(self, instance_id: str) -> Instance:
        """The instance with this id, forgotten or not."""
        with self._catalog.read() as db:
            row = db.execute(f"SELECT {_COLUMNS} FROM instance WHERE id = ?", (instance_id,)).fetchone()
        if row is None:
            raise NotFoundError(f"There is no instance {instance_id!r}.", "See `cloudtui instance list`.")
        return _instance(row)

    def find(self, text: str) -> Instance:
        """The instance with this name, id or beginning of an id; not a forgotten one."""
        with self._catalog.read() as db:
            rows = db.execute(
                f"SELECT {_COLUMNS} FROM instance WHERE forgotten_at IS NULL AND (name = ? OR id = ?)",
                (text, text),
            ).fetchall()
            if not rows and text:
                rows = db.execute(
                    f"SELECT {_COLUMNS} FROM instance WHERE forgotten_at IS NULL AND id >= ? AND id < ?",
                    (text, prefix_end(text)),
                ).fetchall()
        return _instance(the_one(rows, "instance", text))

    def list(self, include_forgotten: bool = False) -> list[Instance]:
        """All instances: this machine first, then by name."""
        where = "" if include_forgotten else " WHERE forgotten_at IS NULL"
        with self._catalog.read() as db:
            rows = db.execute(
                f"SELECT {_COLUMNS} FROM instance{where} ORDER BY provider != 'local', name, id"
            ).fetchall()
        return [_instance(row) for row in rows]

    def count(self, link_state: LinkState | None = None) -> int:
        """How many are not forgotten: of all, or of those whose link is in this state."""
        where, values = ("", []) if link_state is None else (" AND link_state = ?", [str(link_state)])
        with self._catalog.read() as db:
            sql = f"SELECT COUNT(*) FROM instance WHERE forgotten_at IS NULL{where}"
            return int(db.execute(sql, values).fetchone()[0])

    def rented(self) -> Found:
        """Those of clouds that are not forgotten, without what their hosts told.

        No `gpus`, and of `facts` only whether there are any (`{"known": True}`). The engine asks for them
        many times a second, and reading what hosts told takes most of a list's time.
        """
        return self._rented("launch_id != '' OR cloud_id != ''")

    def spot(self) -> Found:
        """Those of them that were launched here and that their clouds may take back."""
        return self._rented("launch_id != '' AND spot")

    def _rented(self, which: str) -> Found:
        known = """CASE facts WHEN '{}' THEN '{}' ELSE '{"known":true}' END, '[]'"""
        columns = _COLUMNS.replace("facts, gpus", known)
        with self._catalog.read() as db:
            rows = db.execute(
                f"SELECT {columns} FROM instance WHERE forgotten_at IS NULL AND ({which}) ORDER BY name, id"
            ).fetchall()
        return [_instance(row) for row in rows]

    def any_alive(self) -> bool:
        """Whether a cloud's machine runs or may run, or is on its way to its end."""
        with self._catalog.read() as db:
            row = db.execute(
                "SELECT 1 FROM instance WHERE forgotten_at IS NULL AND cloud_id != ''"
                f" AND COALESCE(cloud_state, '') NOT IN ({marks(GONE)})"
                " AND (COALESCE(cloud_state, '') != 'stopped' OR wanted = 'terminated') LIMIT 1",
                sorted(GONE),
            ).fetchone()
        return row is not None

    def update(self, instance_id: str, **fields: Any) -> None:
        """Set fields of the record, by their names.

        Raises:
            NotFoundError: no such instance.
            RefusedError: the new name is taken.
        """
        unknown = fields.keys() - set(_NAMES) | fields.keys() & {"id"}
        if unknown:
            raise ValueError(f"An instance has no such fields to set: {sorted(unknown)}")
        if not fields:
            return
        assigned = ", ".join(f"{name} = ?" for name in fields)
        values = [_column(name, value) for name, value in fields.items()]
        try:
            with self._catalog.write("instance") as db:
                done = db.execute(
                    f"UPDATE instance SET {assigned} WHERE id = ?", (*values, instance_id)
                ).rowcount
        except sqlite3.IntegrityError as error:
            raise _taken(str(fields.get("name")), error) from error
        if not done:
            raise NotFoundError(f"There is no instance {instance_id!r}.", "See `cloudtui instance list`.")

    def forget(self, instance_id: str, at: float) -> None:
        """Take it from the lists and free its name. Runs on it keep pointing to it."""
        self.update(instance_id, forgotten_at=at)

    def ensure_local(self) -> Instance:
        """The instance that is this machine; made at the first call."""
        with self._catalog.read() as db:
            row = self._local(db)
        if row is None:
            with self._catalog.write() as db:
                row = self._local(db)
                if row is None:
                    now = time.time()
                    return self.add(
                        Instance(
                            new_id(), LOCAL, LOCAL, link_state=LinkState.UP, link_since=now, created_at=now
                        )
                    )
        return _instance(row)

    @staticmethod
    def _local(db: sqlite3.Connection) -> Row | None:
        row: Row | None = db.execute(
            f"SELECT {_COLUMNS} FROM instance WHERE name = ? AND forgotten_at IS NULL", (LOCAL,)
        ).fetchone()
        return row


def _taken(name: str, error: sqlite3.IntegrityError) -> RefusedError:
    if "cloud_id" in str(error):
        return RefusedError("That machine of the cloud has a row already.", code="adopted")
    return RefusedError(
        f"There is already an instance named {name!r}.",
        "Choose another name, or forget that one: cloudtui instance forget NAME.",
        code="name_taken",
    )


def _column(name: str, value: Any) -> Any:
    if name == "address" and isinstance(value, Address):
        value = dataclasses.asdict(value)
    if name in _JSON:
        return dumps(value)
    return str(value) if name == "link_state" else value


def _instance(row: Row) -> Instance:
    fields = dict(zip(_NAMES, row, strict=True))
    fields["address"] = _address(_loaded(fields["address"], dict))
    fields["facts"] = _loaded(fields["facts"], dict)
    fields["spot"] = bool(fields["spot"])
    fields["gpus"] = tuple(gpu for gpu in _loaded(fields["gpus"], list) if isinstance(gpu, dict))
    states: list[str] = list(LinkState)
    fields["link_state"] = LinkState(
        fields["link_state"] if fields["link_state"] in states else LinkState.DOWN
    )
    return Instance(**fields)


def _loaded(text: object, kind: type[_Json]) -> _Json:
    """The value of a column of JSON; an empty one where it is no such value.

    Much of it came from a host, and all lists read all rows: one bad row must not take the others with it.
    """
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, kind) else kind()


def _address(value: dict[str, Any]) -> Address:
    return Address(
        **{name: value[name] for name, one in _NOWHERE.items() if type(value.get(name)) is type(one)}
    )
