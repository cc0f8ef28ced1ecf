"""What clouds list: when each region was looked at, and machines of ours that no row speaks of."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection

from cloudtui_engine.catalog.base import Repository, Row, dumps, marks, prefix_end, the_one
from cloudtui_engine.records.instance import Address
from cloudtui_engine.records.launch import Listing, Orphan

TOPIC = "instance"
_ORPHAN = (
    "provider, region, cloud_id, token, name, type, spot, state, address, price, first_seen_at, seen_at,"
    " missing_since"
)
Orphans_ = list[Orphan]


class Listings(Repository):
    """The rows of `listing`: the newest look at each region."""

    def save(self, listing: Listing) -> None:
        """Keep how the newest look went."""
        with self._catalog.write(TOPIC) as db:
            db.execute("INSERT OR REPLACE INTO listing VALUES (?, ?, ?, ?, ?)", dataclasses.astuple(listing))

    def list(self, provider: str | None = None) -> list[Listing]:
        """The newest look at each region, of one provider or of all."""
        where, values = ("", ()) if provider is None else (" WHERE provider = ?", (provider,))
        with self._catalog.read() as db:
            rows = db.execute(
                "SELECT provider, region, asked_at, complete, problem FROM listing"
                f"{where} ORDER BY provider, region",
                values,
            ).fetchall()
        return [Listing(name, region, at, bool(whole), why) for name, region, at, whole, why in rows]


class Orphans(Repository):
    """The rows of `orphan`."""

    def save(self, orphan: Orphan) -> None:
        """Keep what is known of it now."""
        values = (
            *dataclasses.astuple(dataclasses.replace(orphan, address=Address()))[:8],
            dumps(dataclasses.asdict(orphan.address)), orphan.price, orphan.first_seen_at, orphan.seen_at,
            orphan.missing_since,
        )  # fmt: skip
        with self._catalog.write(TOPIC) as db:
            db.execute(f"INSERT OR REPLACE INTO orphan ({_ORPHAN}) VALUES ({marks(values)})", values)

    def drop(self, provider: str, cloud_ids: Collection[str]) -> None:
        """They are gone, or have a row now."""
        with self._catalog.write(TOPIC) as db:
            db.executemany(
                "DELETE FROM orphan WHERE provider = ? AND cloud_id = ?",
                [(provider, one) for one in cloud_ids],
            )

    def list(self, provider: str | None = None) -> Orphans_:
        """All, the oldest first, of one provider or of all."""
        where, values = ("", ()) if provider is None else (" WHERE provider = ?", (provider,))
        with self._catalog.read() as db:
            rows = db.execute(
                f"SELECT {_ORPHAN} FROM orphan{where} ORDER BY first_seen_at, provider, cloud_id", values
            ).fetchall()
        return [_orphan(row) for row in rows]

    def find(self, text: str) -> Orphan:
        """The one with this id of the cloud's, or whose id alone begins so."""
        with self._catalog.read() as db:
            rows = db.execute(
                "SELECT cloud_id, name, provider FROM orphan WHERE cloud_id >= ? AND cloud_id < ? LIMIT 6",
                (text, prefix_end(text)),
            ).fetchall()
            rows = [row for row in rows if row[0] == text] or rows
            cloud_id, _, provider = the_one(rows if text else [], "orphan", text)
            row = db.execute(
                f"SELECT {_ORPHAN} FROM orphan WHERE provider = ? AND cloud_id = ?", (provider, cloud_id)
            ).fetchone()
        return _orphan(row)


def _orphan(row: Row) -> Orphan:
    provider, region, cloud_id, token, name, kind, spot, state, address, *rest = row
    return Orphan(
        provider,
        region,
        cloud_id,
        token,
        name,
        kind,
        bool(spot),
        state,
        Address(**json.loads(address)),
        *rest,
    )
