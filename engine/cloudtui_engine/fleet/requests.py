"""The requests of one launch: written down, sent, and looked for where an answer is lost.

Each is a row before it goes out: the exact payload is on the disk, then the state `sent` is, then it is sent.
So whoever is killed anywhere leaves a request that the next engine can look for by its token.
"""

from __future__ import annotations

from typing import Any

from cloudtui_engine import accounts
from cloudtui_engine.fleet import adoption, attempts, ending, orders
from cloudtui_engine.fleet.means import PASSING, Means, as_row, ours, patience
from cloudtui_engine.fleet.reconcile import GRACE_S
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.launch import AttemptState, Launch, LaunchAttempt, LaunchState
from cloudtui_providers.base import Machine, Provider, Token
from cloudtui_providers.errors import ProviderError

LOOK_EVERY_S = 20.0
RESEND_S = 120.0
"""How long a request whose answer is lost is sent again, where the cloud keeps its token: no cloud keeps one
for ever, and what came last has to stay unseen for the whole grace before it counts as absent."""
S = AttemptState
_UNANSWERED = (S.SENT, S.UNRESOLVED)
_MAY_BE_RESENT = frozenset({"", "ambiguous"}) | attempts.PASSING


class Requests:
    """What is sent for one launch. Only what `attempts.next_step` says may be done here."""

    def __init__(self, means: Means, launch_id: str) -> None:
        self._means = means
        self._catalog = means.catalog
        self._id = launch_id
        self._tries = 0
        self._written_here: set[int] = set()
        """Requests that this engine wrote down itself: of others even `planned` is only a belief."""

    def plan(
        self, cloud: Provider, row: Launch, instance: Instance, *, number: int, place: attempts.Candidate
    ) -> None:
        """Write down a request. Preparing it makes no machine, so that may be done any number of times."""
        now = self._means.clock.now()
        self._means.say(f"Preparing {place.type} in {place.zone or place.region}")
        order, host_key = orders.order(self._means, cloud, row, instance, number=number, place=place)
        attempt = LaunchAttempt(
            row.id, number, place.region, place.zone, place.type, place.spot, place.price, planned_at=now
        )
        try:
            payload = cloud.plan(order)
        except PASSING as error:
            self.wait(error)
            return
        except ProviderError as error:
            self._catalog.launches.plan(orders.refused(attempt, ours(error).as_dict(), now))
            return
        with self._catalog.write("instance", durable=True):
            # It was promised at another price, perhaps: before anything is sent the budgets hear of this one.
            price = orders.promised(self._catalog, row.wish, place)
            forbidden = accounts.refusal_of_request(self._catalog, row, instance, price, now)
            if forbidden is not None:
                self._catalog.launches.plan(orders.refused(attempt, forbidden.as_dict(), now))
            elif self._catalog.launches.plan(orders.with_payload(attempt, payload)):
                self._catalog.instances.update(instance.id, host_key=host_key)
                self._written_here.add(number)

    def send(self, cloud: Provider, attempt: LaunchAttempt) -> None:
        """The request goes out, and that it does is on the disk before."""
        if attempt.number not in self._written_here and not self._is_new(cloud, attempt):
            return
        with self._catalog.write("instance", durable=True):
            # Whoever takes the launch back finds it sent, or keeps it from being sent.
            if self._wanted() != "running" or not self._move(
                attempt, S.SENT, (S.PLANNED,), sent_at=self._means.clock.now(), error={}
            ):
                return
        self._means.say(f"Asking for {attempt.type} in {attempt.zone or attempt.region}")
        self._call(cloud, attempt, first=True)

    def resolve(self, cloud: Provider, attempt: LaunchAttempt, *, may_send: bool) -> None:
        """Look for the machine of a request; where the cloud keeps tokens, send the same request again."""
        self._means.say("The answer of the cloud was lost: looking for the machine")
        try:
            machine = cloud.find(attempt.payload)
        except ProviderError as error:
            self.wait(error)
            return
        now = self._means.clock.now()
        if machine is not None:
            self._adopt(attempt, machine)
            return
        if attempt.absent_since is not None and self._means.clock.passed(attempt.absent_since) >= GRACE_S:
            self._move(attempt, S.ABSENT, _UNANSWERED, resolved_at=now)
            return
        if may_send and self._may_resend(cloud, attempt, now):
            # It begins to be absent anew: what goes out now may be seen as late as what went out first.
            if self._move(attempt, S.UNRESOLVED, _UNANSWERED, absent_since=None):
                self._call(cloud, attempt, first=False)
            return
        if attempt.absent_since is None or attempt.absent_since > now:
            self._means.clock.passed(now)  # from here on it is seen to go by
            self._move(attempt, S.UNRESOLVED, _UNANSWERED, absent_since=now)
        self._tries += 1
        self.rest(min(patience(self._tries), LOOK_EVERY_S))

    def wait(self, error: ProviderError) -> None:
        """Let time pass after an error that passes, longer each time."""
        self._tries += 1
        self._means.say(f"Waiting: {as_row(error)['message']}")
        self.rest(patience(self._tries, error))

    def rest(self, seconds: float) -> None:
        """Let time pass; whoever takes the launch back is noticed soon."""
        until = self._means.clock.now() + seconds
        wanted = self._wanted()
        while (left := until - self._means.clock.now()) > 0 and self._wanted() == wanted:
            self._means.wait(min(left, 1.0))

    # -- parts

    def _is_new(self, cloud: Provider, attempt: LaunchAttempt) -> bool:
        """Whether a request that another engine wrote down, or a restored catalog has, was never sent."""
        try:
            machine = cloud.find(attempt.payload)
        except PASSING as error:
            self.wait(error)
            return False
        except ProviderError as error:
            self._answered(attempt, error, first=True)
            return False
        if machine is not None:
            self._adopt(attempt, machine)
            return False
        self._written_here.add(attempt.number)
        return True

    def _may_resend(self, cloud: Provider, attempt: LaunchAttempt, now: float) -> bool:
        """The cloud keeps tokens, still knows this one, and has not said no to it."""
        keeps = cloud.capabilities.token is not Token.LISTED
        age = now - (attempt.sent_at or 0.0)
        return keeps and 0 <= age < RESEND_S and attempt.error.get("code", "") in _MAY_BE_RESENT

    def _call(self, cloud: Provider, attempt: LaunchAttempt, *, first: bool) -> None:
        """Send the payload and write down what came of it."""
        try:
            machine = cloud.launch(attempt.payload)
        except ProviderError as error:
            self._answered(attempt, error, first=first)
            if isinstance(error, PASSING):
                self.wait(error)
        else:
            self._adopt(attempt, machine)

    def _answered(self, attempt: LaunchAttempt, error: ProviderError, *, first: bool) -> None:
        row = ours(error).as_dict()
        if error.code == "ambiguous" or not first:
            # After a lost answer a refusal proves nothing of the first sending: the cloud is looked at.
            self._move(attempt, S.UNRESOLVED, _UNANSWERED, error=row)
        elif error.code in attempts.PASSING:
            self._move(attempt, S.PLANNED, _UNANSWERED, error=row)
        else:
            now = self._means.clock.now()
            self._move(attempt, S.REFUSED, (S.PLANNED, S.SENT), error=row, resolved_at=now)

    def _adopt(self, attempt: LaunchAttempt, machine: Machine) -> None:
        self._tries = 0
        if adoption.adopt(self._catalog, attempt, machine, self._means.clock.now()):
            return
        row = self._catalog.launches.get(self._id)
        current = self._catalog.launches.attempt(attempt.launch_id, attempt.number)
        if row.state is not LaunchState.OPEN and current and current.machine_id != machine.id:
            ending.end_quietly(self._means, row.provider, attempt.region, machine.id)
            self._move(attempt, S.REFUSED, _UNANSWERED, resolved_at=self._means.clock.now())

    def _move(
        self, attempt: LaunchAttempt, to: AttemptState, expected: tuple[AttemptState, ...], **fields: Any
    ) -> bool:
        return self._catalog.launches.move_attempt(
            attempt.launch_id, attempt.number, to, expected=expected, **fields
        )

    def _wanted(self) -> str:
        return self._catalog.instances.get(self._catalog.launches.get(self._id).instance_id).wanted
