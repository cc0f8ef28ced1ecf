"""Prices as providers said them last."""

from __future__ import annotations

from collections.abc import Iterable

from cloudtui_engine.catalog.base import Repository
from cloudtui_engine.money.prices import Price

TOPIC = "price"
_COLUMNS = "provider, region, type, spot, rate, as_of, source"


class Prices(Repository):
    """The rows of `price`: the newest word of each provider on each machine."""

    def refresh(self, prices: Iterable[Price]) -> None:
        """Keep what a provider says now."""
        rows = [(p.provider, p.region, p.type, p.spot, p.rate, p.as_of, p.source) for p in prices]
        if not rows:
            return
        with self._catalog.write(TOPIC) as db:
            db.executemany(f"INSERT OR REPLACE INTO price ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def find(self, provider: str, region: str, machine: str, *, spot: bool) -> Price | None:
        """What the provider said last of a machine; None where it was never asked."""
        with self._catalog.read() as db:
            row = db.execute(
                f"SELECT {_COLUMNS} FROM price WHERE provider = ? AND region = ? AND type = ? AND spot = ?",
                (provider, region, machine, spot),
            ).fetchone()
        if row is None:
            return None
        return Price(provider, region, machine, spot, rate=row[4], as_of=row[5], source=row[6])

    def newest(self) -> dict[str, str]:
        """As of when the prices of each provider are, the newest of each."""
        with self._catalog.read() as db:
            return dict(db.execute("SELECT provider, MAX(as_of) FROM price GROUP BY provider").fetchall())
