"""The config tab: what the run was given, and where it comes from."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Sequence

from cloudtui import format as fmt
from cloudtui.areas.runs.rows import status
from cloudtui.areas.runs.tab import RunTab
from cloudtui.bridge import Bridge
from cloudtui.widgets.facts import Fact, Facts
from cloudtui_engine.records.event import Event
from cloudtui_engine.records.run import Attempt, Run
from cloudtui_engine.sanitize import clean_line

_LEVELS = {"warning": "warn", "error": "bad"}


class ConfigTab(RunTab):
    """A sheet of facts."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.body = self.facts = Facts()

    def load(self) -> None:
        """The list's record has neither command nor checkpoint, attempts and events are read here anyway."""
        run = self.run_shown
        if run is None:
            return
        catalog = self.bridge.catalog

        def work() -> tuple[str, list[Fact]]:
            attempts, events = catalog.runs.attempts(run.id), catalog.events.list(run.id)
            whole = catalog.runs.get(run.id)
            told = dataclasses.replace(run, spec=whole.spec, checkpoint=whole.checkpoint)
            return run.id, facts(told, attempts, events, self.bridge.now())

        self.reader.ask(work, self._show)

    def _show(self, found: tuple[str, list[Fact]]) -> None:
        if found[0] == self.shown_id:
            self.show_body(True)
            self.facts.show(found[1])


def facts(run: Run, attempts: Sequence[Attempt], events: Sequence[Event], now: float) -> list[Fact]:
    """All that is known of a run in words."""
    word, style = status(run, now)
    found = [
        Fact("Run", style="heading"),
        Fact("name", clean_line(run.name)),
        Fact("id", run.id, "muted"),
        Fact("status", word, style),
        *_optional(run),
        Fact("created", fmt.moment(run.created_at)),
        Fact("took", fmt.duration(fmt.elapsed(run, now))),
    ]
    if run.params:
        found += [Fact("Settings", style="heading")]
        found += [
            Fact(clean_line(str(key), 40), fmt.setting(value)) for key, value in sorted(run.params.items())
        ]
    command = run.spec.get("command")
    if isinstance(command, list | tuple):
        from cloudtui.commanding.telling import guarded  # after the first paint

        told = shlex.join(guarded([str(word) for word in command]))
        found += [Fact("Command", style="heading"), Fact("runs", clean_line(told))]
    if len(attempts) > 1:
        found += [Fact("Attempts", style="heading")]
        found += [_attempt(one) for one in attempts]
    if events:
        found += [Fact("What happened", style="heading")]
        found += [_event(event, now) for event in events]
    return found


def _optional(run: Run) -> list[Fact]:
    known = {
        "why": run.reason,
        "dataset": run.dataset or "",
        "task": run.task or "",
        "model": run.model or "",
        "on": ", ".join(run.instances),
        "tags": ", ".join(run.tags),
        "note": run.note,
        "checkpoint here": fmt.checkpoint(run.checkpoint),
    }
    found = [Fact(name, clean_line(text)) for name, text in known.items() if text]
    if run.exit_code is not None:
        found.append(Fact("exit status", str(run.exit_code), "" if run.exit_code == 0 else "bad"))
    return found


def _attempt(attempt: Attempt) -> Fact:
    text = f"{fmt.RUN_MARKS[attempt.state]}  {fmt.moment(attempt.started_at)}"
    if attempt.from_step:
        text += f"  from step {fmt.count(attempt.from_step)}"
    return Fact(
        f"{attempt.number}", text + (f"  {clean_line(attempt.reason, 120)}" if attempt.reason else "")
    )


def _event(event: Event, now: float) -> Fact:
    text = clean_line(event.text or event.name, 300)
    return Fact(f"{fmt.since(event.t, now)} ago", text, _LEVELS.get(event.level, ""))
