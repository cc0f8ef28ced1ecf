"""What came of an action, told: the area that shows it, a notice, or a result's facts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from cloudtui.actions import Action
from cloudtui.areas.evaluation.beside import DIFFERENCE
from cloudtui.carrying import Outcome
from cloudtui.comparing import Comparison
from cloudtui.differing import ModelDifference, identity
from cloudtui.underway import Underway
from cloudtui_engine.records.fetch import FETCH
from cloudtui_engine.records.forward import LASTING
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.records.run import Run
from cloudtui_engine.sanitize import clean_line

if TYPE_CHECKING:
    from textual.app import App

STARTS = frozenset({"run.start", "run.script", "run.again", "model.evaluate", "model.compress"})
"""Actions that answer with the run that was begun."""
_LAUNCHES = frozenset({"instance.launch", "instance.replace"})
"""Actions that answer with machines which are on the list from then on."""
_LISTS = {**dict.fromkeys(LASTING, "instance.forwards"), FETCH: "dataset.fetches"}
"""Kinds of operations that are seen in a list of their own: the action that it is."""
_SHOWN = (Comparison, ModelDifference)
_TOLD = 4
"""Refusals that are told in full when there are several."""


def _place_of(run: Run | Comparison | ModelDifference) -> tuple[str, str]:
    """The area that shows a run that was just started, or what was compared, and its key there."""
    if isinstance(run, Comparison):
        return "compare", run.runs[0].id
    if isinstance(run, ModelDifference):
        return "evaluation", f"{DIFFERENCE}{identity(run.first)}"
    if run.kind == "compress":
        return "compression", run.id
    if run.kind == "evaluate":
        return "evaluation", f"{run.id}/{run.spec.get('split') or 'test'}"
    return "runs", run.id


class Outcomes:
    """Tells the desktop's user what became of what was asked for."""

    def __init__(
        self,
        app: App[Any],
        underway: Underway,
        show: Callable[[str, str], None],
        open_list: Callable[[str], None],
    ) -> None:
        self._app = app
        self._underway = underway
        self._show = show
        self._open_list = open_list

    def tell(self, action: Action, results: Sequence[Any], *, several: bool = False) -> None:
        """Show what was begun or made, each where it is at home; follow what is under way."""
        for result in results:
            if isinstance(result, Operation):
                self._underway.follow(result, action.title)
                if result.kind in _LISTS:
                    self._open_list(_LISTS[result.kind])
            elif isinstance(result, Run) and result.kind == "prepare":
                self._underway.follow_reading(result)
            elif action.id in _LAUNCHES:
                first = result[0] if isinstance(result, list) else result
                self._show("instances", first.id)
                return
            elif isinstance(result, _SHOWN) or (isinstance(result, Run) and action.id in STARTS):
                self._show(*_place_of(result))
        if len(results) == 1 and not several and not isinstance(results[0], (Operation, Run, *_SHOWN)):
            self._show_result(action, results[0])
        self._underway.changed()

    def tell_refused(self, action: Action, selected: Sequence[Any], outcome: Outcome) -> None:
        """Why it was not done with some of them."""
        whole = len(outcome.done) + len(outcome.refused)
        lines = [
            clean_line(f"{selected[index].name}: {error.message} {error.hint}".strip(), 200)
            for index, error in outcome.refused[:_TOLD]
        ]
        if len(outcome.refused) > _TOLD:
            lines.append(f"and {len(outcome.refused) - _TOLD} more")
        self._app.notify(
            "\n".join(lines),
            title=f"{action.title}: {len(outcome.done)} of {whole} done, {len(outcome.refused)} not.",
            severity="error",
            timeout=12,
            markup=False,
        )

    def _show_result(self, action: Action, result: Any) -> None:
        from cloudtui.dialogs.results import result_facts

        facts = result_facts(result)
        file = getattr(result, "file", None)
        if file is not None:
            self._app.notify(clean_line(str(file)), title=f"{action.title}: written", timeout=8, markup=False)
        elif facts:
            from cloudtui.dialogs.help import HelpScreen

            self._app.push_screen(HelpScreen(action.title, facts))
        else:
            self._app.notify(f"{action.title.removesuffix('…')}: done.", timeout=3, markup=False)
