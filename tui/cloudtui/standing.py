"""How a machine stands: what is wanted of it, what its cloud says, and its link, in a word. Pure."""

from __future__ import annotations

from cloudtui.format import LINK_MARKS, MISSING, Mark, since
from cloudtui_engine.records.instance import LOCAL, NOTICED, PREEMPTED, VANISHED, Instance, LinkState
from cloudtui_engine.records.launch import AttemptState, Launch, LaunchAttempt, LaunchState

FAILURES = {
    "capacity": "no capacity",
    "quota": "quota",
    "auth": "no login",
    "permission": "not allowed",
    "no_offer": "no offer",
}
"""What a launch failed by, in a word or two."""
TELLING = {"engine": "the engine", "cloud": "its cloud", "machine": "the machine itself"}
"""Who ends a machine, as `Told.who` names them."""
OLD_S = 180.0
"""A cloud that lists a machine once a minute and has not for so long has not been asked."""


def mark(instance: Instance, launch: Launch | None = None, attempt: LaunchAttempt | None = None) -> Mark:
    """One glyph and word for a machine: the cloud's where it does not run, else the link's.

    Args:
        instance: the machine.
        launch: what made it, or is to make it.
        attempt: the newest request of that.
    """
    if instance.name == LOCAL or not instance.is_rented:
        return LINK_MARKS[instance.link_state]
    if launch is not None and launch.state is LaunchState.FAILED:
        return Mark("✗", FAILURES.get(str(launch.error.get("code", "")), "failed"), "bad")
    return _ended(instance) or _coming(instance, attempt) or _running(instance)


def _ended(instance: Instance) -> Mark | None:
    state = instance.cloud_state
    if state == VANISHED:
        return Mark("?", "vanished", "bad")
    if state == "terminated":
        taken = instance.cloud_reason == PREEMPTED
        return Mark("■", "preempted", "bad") if taken else Mark("■", "terminated", "quiet")
    if instance.wanted == "terminated" or state == "terminating":
        return Mark("●", "terminating", "warn")
    if state == "stopped":
        return (
            Mark("◌", "starting", "busy") if instance.wanted == "running" else Mark("■", "stopped", "quiet")
        )
    if state == "stopping" or (instance.wanted == "stopped" and state is not None):
        return Mark("●", "stopping", "warn")
    return None


def _coming(instance: Instance, attempt: LaunchAttempt | None) -> Mark | None:
    if instance.cloud_state is None:
        if attempt is not None and attempt.state is AttemptState.UNRESOLVED:
            return Mark("?", "no answer", "warn")
        return Mark("◌", "asked", "busy")
    return Mark("◌", "pending", "busy") if instance.cloud_state == "pending" else None


def _running(instance: Instance) -> Mark:
    if instance.cloud_reason == NOTICED:
        return Mark("⚠", "taken soon", "warn")
    link = instance.link_state
    return Mark("●", "running", "busy") if link is LinkState.DOWN else LINK_MARKS[link]


def is_coming(instance: Instance, launch: Launch | None) -> bool:
    """It was asked for and cannot be used yet."""
    waits = launch is not None and launch.state in {LaunchState.OPEN, LaunchState.ADOPTED}
    return waits and instance.wanted == "running" and not instance.is_gone


def text(
    instance: Instance, now: float, launch: Launch | None = None, attempt: LaunchAttempt | None = None
) -> str:
    """The mark; with the age of the wish where it is on its way, of the last word where it is silent."""
    shown = mark(instance, launch, attempt)
    found = str(shown)
    if shown is LINK_MARKS[LinkState.SILENT] and instance.seen_at is not None:
        return f"{found} {since(instance.seen_at, now)}"
    if launch is None or not is_coming(instance, launch):
        return found
    return f"{found} {since(launch.created_at, now)}"


def deadline(instance: Instance, now: float) -> str:
    """`in 3h 10m`, `in 20d`, `12m ago`, in nine cells; a line where there is none."""
    at = instance.deadline_at
    if at is None or instance.is_gone:
        return MISSING
    if at <= now:
        return f"{since(at, now)} ago"
    left = int(at - now)
    days, hours, minutes = left // 86400, left % 86400 // 3600, left % 3600 // 60
    if days:
        return f"in {days}d {hours:02}h" if days < 10 else f"in {days:,}d"
    if hours:
        return f"in {hours}h {minutes:02}m"
    return f"in {minutes}m" if minutes else f"in {left}s"


def shut_out(instance: Instance) -> str:
    """What may keep this machine out, of one behind a firewall that runs and does not answer; else empty."""
    silent = instance.link_state in {LinkState.DOWN, LinkState.SILENT} and bool(instance.link_detail)
    if not silent or instance.cloud_state != "running" or instance.wanted != "running":
        return ""
    return f"Are you in another network than before? cloudtui instance open {instance.name} lets you in."


def place(instance: Instance) -> str:
    """`aws us-east-1b`, `ssh lab-gpu3`, `this machine`."""
    if instance.name == LOCAL:
        return "this machine"
    if instance.is_rented:
        return f"{instance.provider} {instance.zone or instance.region}".strip()
    return f"{instance.provider} {instance.address}"


def seen_at(instance: Instance) -> float | None:
    """When anything was heard of it last: by its link or by its cloud."""
    heard = [at for at in (instance.seen_at, instance.cloud_seen_at) if at is not None]
    return max(heard, default=None)


def is_old(instance: Instance, now: float) -> bool:
    """What is shown of a rented machine that lives may not be so any more: nobody has asked its cloud."""
    if not instance.cloud_id or instance.is_gone or instance.cloud_seen_at is None:
        return False
    return now - instance.cloud_seen_at > OLD_S
