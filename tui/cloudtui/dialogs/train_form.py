"""The form of a training: it knows what there is, fits its lines to the data, and says how long it takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.text import Text
from textual.widget import Widget
from textual.widgets import Select, Static

from cloudtui.actions import Action, get
from cloudtui.actions.command import command
from cloudtui.dialogs.form import Carry, FormDialog
from cloudtui.dialogs.form_field import FormField
from cloudtui.dialogs.training import Known, built_in, estimate_text, fitting, task_of


class TrainForm(FormDialog):
    """Asks for the arguments of `run.start`; built-in data are named as they will be called once added."""

    def __init__(
        self,
        action: Action,
        fields: Sequence[FormField],
        known: Mapping[str, Any],
        verb: str,
        *,
        carry: Carry,
        there: Known,
    ) -> None:
        super().__init__(action, fields, known, verb, carry)
        self._there = there
        self._fitted_to = ""

    def below(self) -> Iterable[Widget]:
        """The estimate."""
        yield Static("", id="form-estimate", markup=False)

    def on_mount(self) -> None:
        """Fit the lines to the data that are chosen at first."""
        self._fit()

    @property
    def fields(self) -> tuple[FormField, ...]:
        """The lines of the data's task."""
        return tuple(fitting(self._fields, self._fitted_to)) if self._fitted_to else self._fields

    def _fit(self) -> None:
        """Other data may be of another task: other models, other settings."""
        task = task_of(self._there, self._data())
        if task == self._fitted_to:
            return
        self._fitted_to = task
        for field in self.fields:
            if (
                field.kind != "choice"
                or not any(one.tasks for one in field.options)
                or field.name == "dataset"
            ):
                continue
            for select in self.query(f"#field-{field.key}").results(Select):
                kept = str(select.value)
                select.set_options([(Text(one.text), one.value) for one in field.options])
                values = [one.value for one in field.options]
                if values:
                    select.value = kept if kept in values else values[0]
        self._reveal()

    def _data(self) -> str:
        if "dataset" in self._known:
            return str(self._known["dataset"])
        found = self.query("#field-dataset").results(Select)
        return next((str(one.value) for one in found), "")

    def on_select_changed(self, event: Select.Changed) -> None:
        """Other data, or another machine."""
        self._fit()
        super().on_select_changed(event)

    def _preview(self) -> None:
        super()._preview()
        text = estimate_text(self._there, {**self.values, **({"dataset": self._data()})})
        self.query_one("#form-estimate", Static).update(Text(text))

    def command(self, values: Mapping[str, str]) -> str:
        """The command; where the data are built in, the one that adds them before it."""
        name = built_in(values.get("dataset", ""))
        if name is None:
            return super().command(values)
        first = command(get("dataset.add"), {"name": name, "source": name})
        return f"{first} && {super().command({**values, 'dataset': name})}"
