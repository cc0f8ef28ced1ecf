"""The story of one launch, from a row to a machine that can be reached - and never to two.

It may be begun again from its top at any time, by whichever engine comes next: what is next is read from the
rows alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cloudtui_engine.errors import CloudtuiError, from_dict
from cloudtui_engine.fleet import attempts, closing, installation, ondemand, orders
from cloudtui_engine.fleet.arriving import Arriving
from cloudtui_engine.fleet.means import PASSING, Interrupted, Means, Question, ours
from cloudtui_engine.fleet.requests import Requests
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.launch import Launch, LaunchAttempt, LaunchState
from cloudtui_providers.base import Provider
from cloudtui_providers.errors import ProviderError

STALE_S = 3600.0
"""A launch that is older begins nothing new: nobody expects a machine of it any more."""
AGAIN_S = 600.0
"""After so long a launch that waits for capacity asks again where there was none."""
WAIT_S = 60.0
"""How often it looks whether that time has come, or something else is offered."""
POLL_S = 0.25
"""How often the row is looked at for what reconciling has seen."""


def launch(means: Means, launch_id: str) -> Mapping[str, Any]:
    """Bring a launch to its end.

    Returns:
        `{"instance", "cancelled"}`; cancelled where it was taken back before it was there.

    Raises:
        CloudtuiError: there is no machine, and none is coming.
        Question: this home is a copy.
        Interrupted: the engine is ending.
    """
    if installation.is_copy(means.catalog, means.paths):
        raise Question(installation.question(means.catalog, means.paths))
    return _Launching(means, launch_id).run()


class _Launching:
    """One launch on its way."""

    def __init__(self, means: Means, launch_id: str) -> None:
        self._means = means
        self._catalog = means.catalog
        self._id = launch_id
        self._requests = Requests(means, launch_id)
        self._arriving = Arriving(means)
        self._aside = ""
        """Why no on-demand machine is taken where spot ones are not to be had."""

    def run(self) -> Mapping[str, Any]:
        while True:
            if self._means.closing.is_set():
                raise Interrupted
            row = self._catalog.launches.get(self._id)
            instance = self._catalog.instances.get(row.instance_id)
            if row.state is LaunchState.FAILED:
                raise from_dict({name: str(value) for name, value in row.error.items()})
            if row.state in {LaunchState.READY, LaunchState.CANCELLED}:
                return {"instance": instance.id, "cancelled": row.state is LaunchState.CANCELLED}
            if row.state is LaunchState.ADOPTED:
                self._arrive(row, instance)
            else:
                self._step(row, instance)

    def _arrive(self, row: Launch, instance: Instance) -> None:
        if not self._arriving.step(row, instance, self._too_late(row, instance)):
            self._means.say_state(instance)
            self._requests.rest(POLL_S)

    # -- towards a machine

    def _step(self, row: Launch, instance: Instance) -> None:
        made = self._catalog.launches.attempts(row.id)
        too_late = self._too_late(row, instance)
        cloud = self._cloud(row, made)
        if cloud is None:
            return
        places: list[attempts.Candidate] = []
        if not too_late and all(one.state.is_dead for one in made):
            found = self._places(cloud, row)
            if found is None:
                return
            places = found
        since = self._means.clock.now() - AGAIN_S if row.wish.patience_s else None
        match attempts.next_step(made, places, too_late=too_late, patient_since=since):
            case attempts.Plan(number, place):
                self._requests.plan(cloud, row, instance, number=number, place=place)
            case attempts.Send(attempt):
                self._requests.send(cloud, attempt)
            case attempts.Resolve(attempt):
                self._requests.resolve(cloud, attempt, may_send=not too_late)
            case attempts.Adopted():
                raise AssertionError("An open launch with a machine: adoption writes both at once.")
            case attempts.Wait(why):
                told = f"{why} {self._aside}".strip()
                self._means.say(f"Waiting for one to be had. {told}")
                ondemand.tell(self._catalog, row, instance, told)
                self._requests.rest(WAIT_S)
            case attempts.End(error):
                if instance.wanted == "running":
                    closing.fail(self._means, row, self._explained(error))
                else:
                    closing.over(self._means, row, LaunchState.CANCELLED)

    def _explained(self, error: Mapping[str, str]) -> Mapping[str, str]:
        """With what could be done where no spot machine was to be had."""
        if not self._aside or error["code"] not in {"capacity", "no_offer", "quota"}:
            return error
        way = ondemand.way("", waits=False)
        return {
            **error,
            "message": f"{error['message']} {self._aside}",
            "hint": f"{error['hint']} {way}".strip(),
        }

    def _cloud(self, row: Launch, made: Sequence[LaunchAttempt]) -> Provider | None:
        """None where there is no such provider, and the launch has failed by that."""
        try:
            return self._means.cloud(row.provider)
        except CloudtuiError as error:
            if any(one.state.may_live for one in made):
                raise
            closing.fail(self._means, row, error.as_dict())
            return None

    def _too_late(self, row: Launch, instance: Instance) -> str:
        """Why nothing new is to be begun for it; empty: it may be."""
        now = self._means.clock.now()
        if instance.wanted != "running":
            return "It was taken back before it was there. Nothing was rented."
        if now > row.created_at + max(STALE_S, row.wish.patience_s):
            time = "in the time that it had" if row.wish.patience_s else "within an hour"
            return f"The launch could not be finished {time}. Nothing was rented."
        if instance.deadline_at is not None and now > instance.deadline_at:
            return "Its deadline passed before it was there. Nothing was rented."
        return ""

    def _places(self, cloud: Provider, row: Launch) -> list[attempts.Candidate] | None:
        """Where to try; None after a wait for a cloud that could not say, or where the launch has failed."""
        wish = row.wish
        try:
            spot = cloud.offers(orders.wanted(wish, spot=True)) if wish.spot else []
            capped = not wish.spot or wish.on_demand_cap is not None
            on_demand = cloud.offers(orders.wanted(wish, spot=False)) if capped else []
        except ProviderError as error:
            # What a price list will not say keeps nobody from launching what he has named.
            named = attempts.without_offers(wish)
            if named:
                return named
            if isinstance(error, PASSING):
                self._requests.wait(error)
            else:
                closing.fail(self._means, row, ours(error).as_dict())
            return None
        known = ondemand.known_prices(self._catalog, on_demand)
        on_demand = sorted(on_demand, key=lambda one: ondemand.price_of(one, known) or math.inf)
        self._aside = ondemand.why_not(wish, on_demand, known)
        return attempts.candidates(wish, spot, on_demand, known)
