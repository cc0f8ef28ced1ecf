"""What the GPUs of machines did of late, and since when a machine is idle."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cloudtui_engine.catalog.base import Repository, dumps
from cloudtui_engine.records.gpu import GpuMinute, GpuSample, samples_of

KEPT_S = 7200.0
"""Minutes that are older go."""
QUIET_BELOW = 5.0
"""A GPU that is used less, in percent, does nothing."""
GAP_S = 180.0
"""Between two looks that are further apart anything may have happened: what was idle begins anew."""


class GpuUse(Repository):
    """The rows of `gpu_minute`, and `idle_since` and `looked_at` of a machine."""

    def add(self, instance_id: str, samples: Iterable[GpuSample], now: float | None = None) -> None:
        """Keep what was measured, but nothing old or of a time to come. Joins a transaction."""
        now = time.time() if now is None else now
        rows = [
            (instance_id, int(one.t // 60), one.gpu, one.utilization, one.memory_used, one.memory)
            for one in samples
            if now - KEPT_S < one.t < now + 60
        ]
        if not rows:
            return
        with self._catalog.write("instance") as db:
            db.executemany(
                "INSERT INTO gpu_minute VALUES (?, ?, ?, 1, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + 1,"
                " used = used + excluded.used, whole = COALESCE(excluded.whole, whole),"
                " memory = MAX(COALESCE(memory, excluded.memory), COALESCE(excluded.memory, memory))",
                rows,
            )
            db.execute(
                "DELETE FROM gpu_minute WHERE instance_id = ? AND minute < ?",
                (instance_id, int((now - KEPT_S) // 60)),
            )

    def since(self, instance_id: str, t: float) -> list[GpuMinute]:
        """What there is from then on, the oldest first."""
        with self._catalog.read() as db:
            rows = db.execute(
                "SELECT minute, gpu, used / n, memory, whole FROM gpu_minute WHERE instance_id = ? AND"
                " minute >= ? ORDER BY minute, gpu",
                (instance_id, int(t // 60)),
            ).fetchall()
        return [GpuMinute(*row) for row in rows]

    def looked(
        self, instance_id: str, gpus: Sequence[Mapping[str, Any]], now: float, *, working: bool
    ) -> float | None:
        """Keep a look at a machine: its GPUs with who uses them, and whether it is idle.

        Args:
            instance_id: the machine.
            gpus: all of them, checked, with their processes.
            now: when it was.
            working: a job of ours is there, or waits for it.

        Returns:
            Since when it is idle; None where it is not.
        """
        uses = [gpu.get("utilization") for gpu in gpus]
        quiet = bool(uses) and all(use is not None and use < QUIET_BELOW for use in uses) and not working
        with self._catalog.write("instance") as db:
            before = db.execute(
                "SELECT idle_since, looked_at FROM instance WHERE id = ?", (instance_id,)
            ).fetchone()
            known, looked = before or (None, None)
            goes_on = known is not None and looked is not None and 0 <= now - looked <= GAP_S
            idle = (known if goes_on else now) if quiet else None
            told = dumps([{**gpu, "t": now} for gpu in gpus]) if gpus else None  # what was seen before stays
            db.execute(
                "UPDATE instance SET gpus = COALESCE(?, gpus), idle_since = ?, looked_at = ?, seen_at = ?"
                " WHERE id = ?",
                (told, idle, now, now, instance_id),
            )
            self.add(instance_id, samples_of(gpus, now), now)
        return idle
