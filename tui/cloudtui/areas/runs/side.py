"""The sheet beside the charts: machine, pace, time left, cost. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cloudtui import format as fmt
from cloudtui.areas.runs.rows import status
from cloudtui.reported import number
from cloudtui.widgets.facts import Fact
from cloudtui.widgets.gauge import gauge
from cloudtui_engine.records.run import Run
from cloudtui_engine.sanitize import clean_line


def side_facts(run: Run, gpus: Sequence[Mapping[str, Any]], now: float) -> list[Fact]:
    """What concerns all charts of a run."""
    word, style = status(run, now)
    found = [Fact("status", word, style), Fact("on", clean_line(", ".join(run.instances), 40) or fmt.MISSING)]
    if run.reason:
        found.append(Fact("why", clean_line(run.reason, 160), "bad" if run.status == "failed" else ""))
    found.append(Fact("progress", fmt.run_progress(run)))
    share = fmt.run_share(run)
    if share is not None and not run.status.is_finished:
        found.append(Fact("", "".join(gauge(share, 12)) + f" {fmt.percent(share)}"))
    found.append(Fact("took", fmt.duration(fmt.elapsed(run, now))))
    left = time_left(run, share, now)
    if left is not None:
        found.append(Fact("left", f"about {fmt.duration(left)}"))
    if run.cost_usd is not None:
        found.append(Fact("cost", f"${fmt.money(run.cost_usd)}"))
    if not run.status.is_finished and run.stale_since is None:
        found += gpu_facts(gpus)
    return found


def time_left(run: Run, share: float | None, now: float) -> float | None:
    """Seconds to the end if it goes on as it has; None where nothing tells."""
    eta = run.progress.get("eta_s")
    if run.status.is_finished or run.stale_since is not None:
        return None
    if isinstance(eta, int | float):
        return float(eta)
    elapsed = fmt.elapsed(run, now)
    if not share or elapsed is None:
        return None
    return elapsed * (1 - share) / share


def gpu_facts(gpus: Sequence[Mapping[str, Any]]) -> list[Fact]:
    """A heading and two bars for each GPU."""
    found: list[Fact] = []
    for gpu in gpus:
        name = clean_line(str(gpu.get("name", "")), 24)
        found.append(Fact(f"GPU {gpu.get('index', len(found))}  {name}", style="heading"))
        use = number(gpu.get("utilization"))
        found.append(Fact("util", "".join(gauge(None if use is None else use / 100)) + f"  {_percent(use)}"))
        used, whole = number(gpu.get("memory_used_bytes")), number(gpu.get("memory_bytes"))
        share = used / whole if used is not None and whole else None
        found.append(Fact("mem", "".join(gauge(share)) + f"  {fmt.size(used)}"))
        temperature = number(gpu.get("temperature_c"))
        if temperature is not None:
            found.append(Fact("temp", f"{temperature:.0f} °C", "warn" if temperature >= 85 else ""))
    return found


def _percent(value: float | None) -> str:
    return fmt.MISSING if value is None else f"{value:.0f}%"
