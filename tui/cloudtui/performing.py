"""An action from its key or menu line to its end: arguments, confirmation, handler, result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from cloudtui.actions import Action, get
from cloudtui.actions.command import command
from cloudtui.actions.consequences import consequence
from cloudtui.bridge import Bridge
from cloudtui.carrying import Outcome, called, carry_out, targets_of
from cloudtui.lending import LENT, lend_all
from cloudtui.menus import possible, takes_target, why_not
from cloudtui.outcomes import STARTS, Outcomes
from cloudtui.underway import Underway
from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.sanitize import clean_line

if TYPE_CHECKING:
    from textual.app import App

    from cloudtui.dialogs.form import FormDialog
    from cloudtui.handlers.session import Session

_ASKS = STARTS | {"instance.add", "dataset.add", "instance.deadline"}
"""Actions that show their form even where nothing is missing."""
_ENDS = frozenset({"instance.stop", "instance.terminate"})
"""Actions of which the catalog has to say what goes with them."""
_OWN_DIALOG = {
    "settings.set": frozenset({"value"}),
    "view.columns": frozenset({"columns", "reset"}),
}
"""Actions that have a value chosen in a dialog of their own, as long as none of these arguments is there."""


class Performer:
    """Carries out actions of the registry for the desktop."""

    def __init__(self, app: App[Any], bridge: Bridge, show: Callable[[str, str], None]) -> None:
        self._app = app
        self._bridge = bridge
        self.underway = Underway(app, bridge, self.say_error)
        self._outcomes = Outcomes(app, self.underway, show, self._list_of)

    def perform(
        self, action: Action, noun: str, selected: Sequence[Any], arguments: Mapping[str, Any]
    ) -> None:
        """Ask for what is missing, confirm what needs it, and do it in a thread."""
        listed = action.lists and "what" not in arguments
        if not possible(action, noun, selected) or (action.off and not listed):
            text = why_not(action, noun, selected)
            self._app.notify(text, severity="warning", timeout=4, markup=False)
            return
        if listed:
            self._list(action)
            return
        if action.id in LENT:
            self._lend(action, selected, arguments)
            return
        self._app.run_worker(
            self._perform(action, list(selected), dict(arguments)), group="action", exit_on_error=False
        )

    def command_of(self, action: Action, selected: Sequence[Any]) -> str:
        """The command line of an action on what is selected."""
        known = {action.arguments[0].name: called(selected[0])} if takes_target(action) and selected else {}
        return command(action, known)

    def operations_changed(self) -> None:
        """Say of what was started here what has ended."""
        self.underway.changed()

    def say_error(self, error: CloudtuiError) -> None:
        """What failed and what to do, for as long as it takes to read."""
        self._app.notify(
            clean_line(error.hint) or " ",
            title=clean_line(error.message),
            severity="error",
            timeout=12,
            markup=False,
        )

    async def _perform(self, action: Action, selected: list[Any], arguments: dict[str, Any]) -> None:
        own = _OWN_DIALOG.get(action.id)
        chosen = own is not None and own.isdisjoint(arguments)
        if chosen:
            asked = await self._ask_its_own(action, selected, arguments)
            if asked is None:
                return
            selected, arguments = selected[:1], {**arguments, **asked}
        try:
            form = None if chosen else await self._form(action, selected, arguments)
            outcome: Outcome | None = await (
                self._app.push_screen_wait(form) if form else self._carry(action, selected, arguments)
            )
        except CloudtuiError as error:
            self.say_error(error)
            return
        if outcome is None:
            return
        self._outcomes.tell(action, outcome.done, several=len(targets_of(action, selected)) > 1)
        if outcome.refused:
            self._outcomes.tell_refused(action, selected, outcome)

    async def _carry(
        self, action: Action, selected: Sequence[Any], arguments: Mapping[str, Any]
    ) -> Outcome | None:
        """Confirm what needs it, then do it; None where a person thought better of it."""
        told = selected if takes_target(action) else [arguments]
        if action.id in _ENDS:
            told = await self._bridge.in_thread(self._stakes, action, selected)
            arguments = {**arguments, "lose": [run for one in told for run in one.runs]}
        sentence = consequence(action.confirm, told)
        if sentence and not await self._confirmed(action, selected, sentence):
            return None
        if action.id == "run.start":
            self._say_adding(arguments)
        names = {record.id: called(record) for record in selected} if takes_target(action) else {}
        return await self._try(action, targets_of(action, selected) or [{}], arguments, names)

    def _lend(self, action: Action, selected: Sequence[Any], arguments: Mapping[str, Any]) -> None:
        """Let it have the terminal; not in a thread, for there is no desktop meanwhile."""
        names = {record.id: called(record) for record in selected}
        works = [partial(carry_out, self._session(), action, [target], arguments, names)
                 for target in targets_of(action, selected)]  # fmt: skip
        lent = list(zip(names.values(), works, strict=True))
        for outcome in lend_all(self._app, lent, self.say_error, action.verb):
            if action.starts_work:
                self._outcomes.tell(action, outcome.done)

    def _list(self, action: Action) -> None:
        """The list that an action is as long as nobody says what to do, unless it is there already."""
        from cloudtui.dialogs.fetches import FetchesScreen
        from cloudtui.dialogs.forwards import ForwardsScreen
        from cloudtui.dialogs.orphans import OrphansScreen

        screen = {"instance.orphans": OrphansScreen, "dataset.fetches": FetchesScreen}.get(
            action.id, ForwardsScreen
        )
        if not isinstance(self._app.screen, screen):
            self._app.push_screen(screen(self._bridge, partial(self.perform, action, action.noun, ())))

    def _list_of(self, action_id: str) -> None:
        self._list(get(action_id))

    def _stakes(self, action: Action, selected: Sequence[Any]) -> list[Any]:
        """What goes with machines that are ended: told before, and no more than that is lost."""
        from cloudtui.handlers.fleet import stakes
        from cloudtui_engine.fleet import market

        if action.id == "instance.stop":
            market.require_stop(selected)
        return list(stakes(self._session(), selected))

    def _session(self) -> Session:
        from cloudtui.handlers.session import Session

        return Session(self._bridge.paths, self._bridge.catalog, wait=False)

    async def _try(
        self,
        action: Action,
        targets: Sequence[Mapping[str, Any]],
        arguments: Mapping[str, Any],
        names: Mapping[str, str],
    ) -> Outcome | None:
        """Do it; where something of that name is there already, once more after a word that it may go."""
        try:
            return await self._bridge.in_thread(carry_out, self._session(), action, targets, arguments, names)
        except CloudtuiError as error:
            asks = error.code == "exists" and any(one.name == "yes" for one in action.arguments)
            if not asks or arguments.get("yes"):
                raise
            from cloudtui.dialogs.confirm import may_replace

            if not await may_replace(self._app, error):
                return None
        return await self._try(action, targets, {**arguments, "yes": True}, names)

    async def _ask_its_own(
        self, action: Action, selected: Sequence[Any], arguments: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """What is chosen in an action's own dialog."""
        if action.id == "view.columns":
            from cloudtui.dialogs import columns

            return await columns.ask(self._app, self._bridge, str(arguments.get("view") or ""))
        from cloudtui.dialogs import setting

        value = await setting.ask(self._app, self._bridge, selected[0]) if selected else None
        return None if value is None else {"value": value}

    async def _form(
        self, action: Action, selected: Sequence[Any], arguments: Mapping[str, Any]
    ) -> FormDialog | None:
        """The form that asks for what is missing, if anything is."""
        from cloudtui.dialogs import choosing
        from cloudtui.dialogs.fields import fields_of

        async def carry(filled: dict[str, Any]) -> Outcome | None:
            return await self._carry(action, selected, {**arguments, **filled})

        if action.id == "instance.launch" and "provider" not in arguments:
            from cloudtui.dialogs.launch_form import LaunchForm

            return LaunchForm(action, self._bridge, carry)
        targets = targets_of(action, selected)
        if len(targets) > 1:
            return None
        target = targets[0] if targets else {}
        known = {**target, **arguments}
        missing = [
            a for a in action.arguments if a.name not in known and (a.required or (a.many and not a.option))
        ]
        if not missing and action.id not in _ASKS:
            return None
        there, choices = await self._bridge.in_thread(choosing.read, self._bridge.catalog, action, known)
        fields = fields_of(action, known, choices)
        if not fields:
            return None
        from cloudtui.dialogs.files import suggested
        from cloudtui.dialogs.form import FormDialog
        from cloudtui.dialogs.train_form import TrainForm

        names = [called(one) for one in selected]
        named = {key: names if isinstance(value, list) else names[0] for key, value in target.items()}
        fields = suggested(fields, action, "-".join(names[:3]))
        verb = "Start" if action.id in STARTS else "OK"
        shown = {**arguments, **named}
        if action.id == "run.start":
            return TrainForm(action, fields, shown, verb, carry=carry, there=there)
        return FormDialog(action, fields, shown, verb, carry)

    async def _confirmed(self, action: Action, selected: Sequence[Any], sentence: str) -> bool:
        from cloudtui.dialogs.confirm import ConfirmDialog

        name = clean_line(selected[0].name, 60) if len(selected) == 1 else f"{len(selected)} {action.noun}s"
        title = f"{action.title} {name}?" if takes_target(action) else f"{action.title}?"
        dialog = ConfirmDialog(title, clean_line(sentence), action.title)
        answer: bool = await self._app.push_screen_wait(dialog)
        return answer

    def _say_adding(self, arguments: Mapping[str, Any]) -> None:
        from cloudtui.dialogs.training import built_in

        name = built_in(str(arguments.get("dataset", "")))
        if name is not None:
            self._app.notify(f"{name} is added first. It is read once.", timeout=4, markup=False)
