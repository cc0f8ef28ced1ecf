"""The form of a launch: offers by price, what it costs until its end, and what the cloud cannot do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from rich.text import Text
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Checkbox, Input, Select, Static

from cloudtui.actions import Action
from cloudtui.actions.command import command
from cloudtui.bridge import Bridge, Reader
from cloudtui.dialogs import launching
from cloudtui.dialogs.fields import arguments_of, fields_of
from cloudtui.dialogs.form import Carry, FormDialog
from cloudtui.dialogs.form_field import FormField
from cloudtui.dialogs.launching import Market
from cloudtui.handlers import moments
from cloudtui_engine.errors import CloudtuiError, UsageError
from cloudtui_engine.records.cloud import CloudOffer

LOOK_S = 0.25
_OFFER, _FIND = "offer", "find"
_OF_OFFER = frozenset({"provider", "type", "gpu", "region", "zone"})
"""Arguments that a chosen offer gives."""
_MORE = frozenset({"max_price", "on_demand_cap", "idle", "image", "ssh_from", "disk"})


def fields(action: Action) -> list[FormField]:
    """The lines: what to find, the offer, and of the registry's arguments those that no offer gives."""
    own = {one.name: one for one in fields_of(action, dict.fromkeys(_OF_OFFER), {})}
    find = FormField(_FIND, "Find", "text", "", "words of the offers below: a100, us-east, aws")
    offer = FormField(_OFFER, "Offer  $/h", "choice", "", "the cheapest first", required=True)
    first = [own.pop("name"), find, own.pop("spot"), offer, own.pop("deadline"), own.pop("count")]
    return [*first, *(replace(one, more=one.name in _MORE) for one in own.values())]


class LaunchForm(FormDialog):
    """Asks for the arguments of `instance.launch`. Offers that are old are asked for while it is open."""

    def __init__(self, action: Action, bridge: Bridge, carry: Carry) -> None:
        super().__init__(action, fields(action), {}, "Launch", carry)
        self._bridge = bridge
        self._reader = Reader(self, bridge, self._failed)
        self._market: Market | None = None
        self._shown: tuple[str, ...] | None = None
        self._version = -1
        self._asked: set[bool] = set()
        self._problem: CloudtuiError | None = None

    def below(self) -> Iterable[Widget]:
        """What follows from the choice."""
        yield Static("", id="form-estimate", markup=False)

    def _line(self, field: FormField) -> Horizontal:
        if field.name != _OFFER:
            return super()._line(field)
        label = Static(Text(field.label), markup=False, classes="form-label")
        choice: Select[str] = Select([], prompt="none", allow_blank=True, id=f"field-{_OFFER}", compact=True)
        wrong = Static("", markup=False, id=f"problem-{_OFFER}", classes="form-problem")
        return Horizontal(label, choice, wrong, classes="form-line", id=f"line-{_OFFER}")

    def on_mount(self) -> None:
        """Read what is known, and look for what comes."""
        super().on_mount()
        self._look()
        self.set_interval(LOOK_S, self._look)

    # The market

    @property
    def spot(self) -> bool:
        """Spot machines are wanted."""
        return bool(self.query_one("#field-spot", Checkbox).value)

    def _look(self) -> None:
        version = self._bridge.catalog.data_version()
        if version != self._version:
            self._version = version
            spot, now = self.spot, self._bridge.now()
            self._reader.ask(
                lambda: (spot, launching.read(self._bridge.catalog, now, spot=spot)), self._learned
            )
        elif self._market is not None:
            self._estimate()

    def _learned(self, found: tuple[bool, Market]) -> None:
        spot, market = found
        if spot != self.spot:
            return
        self._market = market
        if spot not in self._asked and market.clouds and market.is_stale(self._bridge.now()):
            self._asked.add(spot)
            self.run_worker(self._ask(spot), exit_on_error=False)
        self._offer_them()
        self._preview()

    async def _ask(self, spot: bool) -> None:
        """Have the clouds asked; the answer comes by the catalog."""
        try:
            await self._bridge.in_thread(_ask_clouds, self._bridge, spot)
        except CloudtuiError as error:
            self._failed(error)

    def _failed(self, error: CloudtuiError) -> None:
        self._problem = error
        self._estimate()

    def _offer_them(self) -> None:
        """Put the offers that fit into their line; the one that was chosen stays where it fits."""
        if self._market is None:
            return
        found = launching.options(self._market, self.query_one(f"#field-{_FIND}", Input).value)
        select = self.query_one(f"#field-{_OFFER}", Select)
        values = tuple(one.value for one in found)
        if values == self._shown:
            return
        self._shown = values
        kept = "" if select.is_blank() else str(select.value)
        select.set_options([(Text(one.text), one.value) for one in found])
        if values:
            select.value = kept if kept in values else launching.begin(self._market, values)

    @property
    def offer(self) -> CloudOffer | None:
        """The one that is chosen."""
        select = self.query_one(f"#field-{_OFFER}", Select)
        if self._market is None or select.is_blank():
            return None
        return launching.chosen(self._market, str(select.value))

    # The form

    def on_input_changed(self, event: Input.Changed) -> None:
        """Other words find other offers."""
        if event.input.id == f"field-{_FIND}":
            self._offer_them()
        super().on_input_changed(event)

    def on_checkbox_changed(self, event: Checkbox.Changed) -> None:
        """Spot machines are other offers."""
        if event.checkbox.id == "field-spot":
            self._market, self._version, self._shown = None, -1, None
            self._look()
        super().on_checkbox_changed(event)

    def _preview(self) -> None:
        super()._preview()
        self._estimate()

    def _estimate(self) -> None:
        colours = self.app.theme_variables
        said: list[launching.Line] = [("Reading…", "muted")] if self._market is None else []
        if self._market is not None:
            said = launching.said(self._market, self.offer, self.values, self._bridge.now())
        if self._problem is not None:
            said = [*said, (f"{self._problem.message} {self._problem.hint}", "bad")]
        text = Text("\n").join(Text(line, style=colours.get(style, "")) for line, style in said)
        self.query_one("#form-estimate", Static).update(text)

    def arguments(self, values: Mapping[str, str]) -> dict[str, Any]:
        """The handler's arguments.

        Raises:
            UsageError: something is missing or wrong.
        """
        asked = [one for one in self.fields if one.name not in {_OFFER, _FIND, "spot"}]
        found = arguments_of(self._action, asked, values)
        offer = self.offer
        if offer is None:
            found_none = bool(self._shown == () and self._market is not None and self._market.offers.offers)
            raise UsageError(
                "No offer has these words." if found_none else "No offer is chosen.",
                "Take words in Find away." if found_none else "Wait for the clouds, or see what they say.",
            )
        moments.lifetime(str(found.get("deadline") or "none"), self._bridge.now())
        return {**found, **launching.arguments(offer)}

    def command(self, values: Mapping[str, str]) -> str:
        """The command line that does the same."""
        try:
            return command(self._action, self.arguments(values))
        except UsageError as error:
            return f"{error.message} {error.hint}"


def _ask_clouds(bridge: Bridge, spot: bool) -> None:
    from cloudtui.handlers import provider
    from cloudtui.handlers.session import Session

    provider.offers(Session(bridge.paths, bridge.catalog, wait=False), spot=spot)
