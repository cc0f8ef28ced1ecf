"""Machines that were asked for, and every request for one. Requests are durable before they are sent."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from cloudtui_engine.catalog.base import Repository, Row, dumps, marks
from cloudtui_engine.errors import NotFoundError
from cloudtui_engine.records.launch import AttemptState, Launch, LaunchAttempt, LaunchState, Wish

TOPIC = "instance"
Launches_ = list[Launch]
Attempts_ = list[LaunchAttempt]

_LAUNCH = "id, group_id, instance_id, provider, wish, state, error, created_at, ended_at"
_ATTEMPT = (
    "launch_id, number, region, zone, type, spot, price, payload, state, machine_id, error, planned_at,"
    " sent_at, absent_since, resolved_at"
)
_FREE = frozenset(_ATTEMPT.replace(",", " ").split()[9:])
"""Columns of an attempt that change after it was planned, beside its state."""
MAY_LIVE = tuple(state for state in AttemptState if state.may_live)


class Launches(Repository):
    """The rows of `launch` and `launch_attempt`."""

    def add(self, launch: Launch) -> Launch:
        """Keep a new launch."""
        row = (
            launch.id, launch.group_id, launch.instance_id, launch.provider, dumps(launch.wish.as_dict()),
            str(launch.state), dumps(launch.error), launch.created_at, launch.ended_at,
        )  # fmt: skip
        with self._catalog.write(TOPIC, durable=True) as db:
            db.execute(f"INSERT INTO launch ({_LAUNCH}) VALUES ({marks(row)})", row)
        return launch

    def get(self, launch_id: str) -> Launch:
        """The launch with this id."""
        found = self._launches("id = ?", (launch_id,))
        if not found:
            raise NotFoundError(f"There is no launch {launch_id!r}.")
        return found[0]

    def open(self) -> Launches_:
        """Those that are not over, the oldest first."""
        return self._launches("ended_at IS NULL", ())

    def failed(self, since: float) -> Launches_:
        """Those of which no machine came, and that ended since then, the oldest first."""
        return self._launches("state = 'failed' AND ended_at >= ?", (since,))

    def recent(self, limit: int = 50) -> Launches_:
        """The newest, newest first: those that failed are nowhere else."""
        with self._catalog.read() as db:
            rows = db.execute(
                f"SELECT {_LAUNCH} FROM launch ORDER BY created_at DESC, id DESC LIMIT ?", (limit,)
            ).fetchall()
        return [_launch(row) for row in rows]

    def group(self, group_id: str) -> Launches_:
        """All that were asked for together, and what replaced them, the oldest first."""
        return self._launches("group_id = ?", (group_id,))

    def replacing(self) -> Launches_:
        """Those in the place of lost machines, of machines that are on the lists, the oldest first."""
        return self._launches(
            "json_extract(wish, '$.replaces') != '' AND instance_id IN"
            " (SELECT id FROM instance WHERE forgotten_at IS NULL)",
            (),
        )

    def providers(self) -> list[str]:
        """Those that something was ever asked of, or taken up in."""
        with self._catalog.read() as db:
            rows = db.execute(
                "SELECT provider FROM launch UNION SELECT provider FROM instance WHERE cloud_id != ''"
                " ORDER BY provider"
            ).fetchall()
        return [row[0] for row in rows]

    def move(
        self,
        launch_id: str,
        to: LaunchState,
        *,
        expected: Collection[LaunchState],
        error: Mapping[str, Any] | None = None,
        ended_at: float | None = None,
    ) -> bool:
        """Say how far it is; False where it is not in one of the `expected` states any more."""
        states = [str(state) for state in expected]
        with self._catalog.write(TOPIC, durable=True) as db:
            done = db.execute(
                "UPDATE launch SET state = ?, error = ?, ended_at = ?"
                f" WHERE id = ? AND state IN ({marks(states)})",
                (str(to), dumps(error or {}), ended_at, launch_id, *states),
            ).rowcount
        return done == 1

    def rewrite_wish(self, launch_id: str, wish: Wish) -> None:
        """Another wish of a launch that has no machine yet."""
        with self._catalog.write(TOPIC, durable=True) as db:
            db.execute(
                "UPDATE launch SET wish = ? WHERE id = ? AND state = ?",
                (dumps(wish.as_dict()), launch_id, str(LaunchState.OPEN)),
            )

    # -- attempts

    def plan(self, attempt: LaunchAttempt) -> bool:
        """Write down a request before it is sent.

        Returns:
            False, with nothing written, where an earlier one of the launch may have made a machine, or one
            with this number is there already.
        """
        row = (
            attempt.launch_id, attempt.number, attempt.region, attempt.zone, attempt.type, attempt.spot,
            attempt.price, dumps(attempt.payload), str(attempt.state), attempt.machine_id,
            dumps(attempt.error), attempt.planned_at, attempt.sent_at, attempt.absent_since,
            attempt.resolved_at,
        )  # fmt: skip
        dead = [str(state) for state in AttemptState if state.is_dead]
        with self._catalog.write(TOPIC, durable=True) as db:
            done = db.execute(
                f"INSERT INTO launch_attempt ({_ATTEMPT}) SELECT {marks(row)} WHERE NOT EXISTS"
                f" (SELECT 1 FROM launch_attempt WHERE launch_id = ? AND (number >= ?"
                f" OR state NOT IN ({marks(dead)})))",
                (*row, attempt.launch_id, attempt.number, *dead),
            ).rowcount
        return done == 1

    def attempts(self, launch_id: str) -> Attempts_:
        """The requests of a launch, the first one first."""
        return self._attempts("launch_id = ? ORDER BY number", (launch_id,))

    def attempt(self, launch_id: str, number: int) -> LaunchAttempt | None:
        """One request."""
        found = self._attempts("launch_id = ? AND number = ?", (launch_id, number))
        return found[0] if found else None

    def by_tokens(self, tokens: Collection[str]) -> dict[str, LaunchAttempt]:
        """The requests that these tokens stand for, as far as they are ours."""
        ids = sorted({token.rpartition("-")[0] for token in tokens})
        found: list[LaunchAttempt] = []
        for first in range(0, len(ids), 500):
            some = ids[first : first + 500]
            found += self._attempts(f"launch_id IN ({marks(some)})", some)
        return {one.token: one for one in found if one.token in tokens}

    def may_live(self, provider: str | None = None) -> Attempts_:
        """The requests that were sent and not answered, of one provider or of all."""
        states = [str(AttemptState.SENT), str(AttemptState.UNRESOLVED)]
        whose = "" if provider is None else " AND launch_id IN (SELECT id FROM launch WHERE provider = ?)"
        return self._attempts(
            f"state IN ({marks(states)}){whose} ORDER BY launch_id, number",
            (*states, *(() if provider is None else (provider,))),
        )

    def move_attempt(
        self,
        launch_id: str,
        number: int,
        to: AttemptState,
        *,
        expected: Collection[AttemptState],
        **fields: Any,
    ) -> bool:
        """Say what is known of a request now, on the disk when this returns.

        Returns:
            False, with nothing written, where it is not in one of the `expected` states any more.
        """
        unknown = fields.keys() - _FREE
        if unknown:
            raise ValueError(f"An attempt has no such fields to set: {sorted(unknown)}")
        states = [str(state) for state in expected]
        assigned = "".join(f", {name} = ?" for name in fields)
        values = [dumps(value) if name == "error" else value for name, value in fields.items()]
        with self._catalog.write(TOPIC, durable=True) as db:
            done = db.execute(
                f"UPDATE launch_attempt SET state = ?{assigned}"
                f" WHERE launch_id = ? AND number = ? AND state IN ({marks(states)})",
                (str(to), *values, launch_id, number, *states),
            ).rowcount
        return done == 1

    def rewrite_payload(self, launch_id: str, number: int, payload: Mapping[str, Any]) -> None:
        """Keep this in the place of a request that will not be sent again."""
        dead = [str(state) for state in AttemptState if state.is_dead or state is AttemptState.ADOPTED]
        with self._catalog.write(TOPIC) as db:
            db.execute(
                "UPDATE launch_attempt SET payload = ? WHERE launch_id = ? AND number = ?"
                f" AND state IN ({marks(dead)})",
                (dumps(payload), launch_id, number, *dead),
            )

    def _launches(self, where: str, values: Sequence[Any]) -> Launches_:
        with self._catalog.read() as db:
            rows = db.execute(
                f"SELECT {_LAUNCH} FROM launch WHERE {where} ORDER BY created_at, id", values
            ).fetchall()
        return [_launch(row) for row in rows]

    def _attempts(self, where: str, values: Sequence[Any]) -> Attempts_:
        with self._catalog.read() as db:
            rows = db.execute(f"SELECT {_ATTEMPT} FROM launch_attempt WHERE {where}", values).fetchall()
        return [_attempt(row) for row in rows]


def _launch(row: Row) -> Launch:
    key, group, instance, provider, wish, state, error, created, ended = row
    return Launch(
        key, group, instance, provider, Wish.from_dict(json.loads(wish)), LaunchState(state),
        json.loads(error), created, ended,
    )  # fmt: skip


def _attempt(row: Row) -> LaunchAttempt:
    launch, number, region, zone, kind, spot, price, payload, state, machine, error, *times = row
    return LaunchAttempt(
        launch, number, region, zone, kind, bool(spot), price, json.loads(payload), AttemptState(state),
        machine, json.loads(error), *times,
    )  # fmt: skip
