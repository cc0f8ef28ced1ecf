"""What a person can set, as data: its key, what it may be, and what it is without them. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from cloudtui_engine.errors import NotFoundError, UsageError
from cloudtui_engine.records.notice import (
    ABOUT,
    COMMAND,
    IDLE_AFTER,
    IDLE_MINUTES,
    KINDS,
    TOLD_BY_DEFAULT,
    WEBHOOK,
)
from cloudtui_engine.sanitize import clean_line

THEME, READ_ONLY, CONFIRM_QUIT = "desktop.theme", "desktop.read_only", "desktop.confirm_quit"
TOAST, BELL, OSC9 = "notify.toast", "notify.bell", "notify.osc9"
ASKED = "-"
"""An address that is typed so is asked for: a command line is seen by others."""
KEYS = "keys."
"""Settings that begin so hold the keys of an action, by its id."""
LOOKS = ("dark", "light", "colour-blind", "16-colours")
_FLAGS: Mapping[str, bool] = {
    "yes": True, "no": False, "true": True, "false": False, "on": True, "off": False,
}  # fmt: skip
_LONGEST = 2000
_WEEK_MIN = 7 * 24 * 60


@dataclass(frozen=True, slots=True)
class Preference:
    """One setting."""

    key: str
    title: str
    help: str
    kind: Literal["flag", "choice", "words", "command", "address", "keys", "minutes"]
    default: Any
    choices: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """What it may be, in a few words."""
        return {
            "flag": "yes or no",
            "choice": ", ".join(self.choices),
            "words": "any of " + ", ".join(self.choices) + ", apart by commas; nothing for none",
            "command": "a command as for a shell, or nothing; no shell runs it",
            "address": "an http or https address, or nothing",
            "minutes": "minutes, up to a week of them; 0 for never",
            "keys": "keys apart by commas, as s, S, f5, ctrl+s; nothing for none",
        }[self.kind]

    def parse(self, text: str) -> Any:
        """A text as the value that is kept.

        Raises:
            UsageError: it cannot be one; the hint says what can.
        """
        text = text.strip()
        value = self._value(text) if len(text) <= _LONGEST and clean_line(text, _LONGEST) == text else None
        if value is None:
            shown = "that" if self.kind == "address" else f"'{clean_line(text, 80)}'"
            raise UsageError(f"{self.key} cannot be {shown}.", f"It takes {self.allowed}.")
        return value

    def _value(self, text: str) -> Any:
        if self.kind in {"flag", "choice"}:
            return _FLAGS.get(text.lower()) if self.kind == "flag" else text if text in self.choices else None
        if self.kind == "minutes":
            return int(text) if text.isascii() and text.isdigit() and int(text) <= _WEEK_MIN else None
        if self.kind == "words":
            words = [word for word in text.replace(",", " ").split() if word]
            return words if set(words) <= set(self.choices) else None
        if self.kind == "keys":
            keys = [one for word in text.split(",") if (one := word.strip())]
            return keys if all(is_key(one) for one in keys) else None
        if self.kind == "command":
            return text if _splits(text) else None
        return text if not text or _is_address(text) else None

    def valid(self, value: Any) -> Any:
        """A value that was kept, or the default where it cannot be one: others may write settings, too."""
        try:
            return self.default if value is None else self.parse(self.written(value))
        except UsageError:
            return self.default

    def written(self, value: Any) -> str:
        """A value as `parse` takes it."""
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, list | tuple):
            return ", ".join(str(one) for one in value)
        return str(value)

    def shown(self, value: Any) -> str:
        """A value for people: of an address only the host, for the rest of it is as good as a password."""
        if self.kind == "address" and value:
            parts = urlsplit(str(value))
            return f"{parts.scheme}://{parts.hostname or ''}/…"
        if self.kind == "minutes":
            return f"{value} min" if value else "never"
        if self.kind == "command" and value:
            from cloudtui.secrecy import without_told  # nobody has one before the first screen is there

            return clean_line(without_told(str(value)), 200)
        return clean_line(self.written(value), 200)


def is_key(text: str) -> bool:
    """Whether a key can be called so: one character, or words such as `ctrl+s`, `f5`, `pageup`."""
    if len(text) == 1:
        return text.isprintable() and not text.isspace() and text != ","
    *modifiers, last = text.split("+")
    named = last in _NAMED or (bool(modifiers) and len(last) == 1 and last.isalnum() and last.isascii())
    return named and set(modifiers) <= {"ctrl", "shift", "alt"}


_NAMED = frozenset({
    "space", "enter", "tab", "escape", "backspace", "delete", "insert", "home", "end", "pageup", "pagedown",
    "up", "down", "left", "right", *(f"f{number}" for number in range(1, 13)),
})  # fmt: skip


def _splits(text: str) -> bool:
    try:
        shlex.split(text)
    except ValueError:
        return False
    return True


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and " " not in text and parts.port != 0
        )
    except ValueError:
        return False


PREFERENCES: tuple[Preference, ...] = (
    Preference(THEME, "Theme", "how the desktop looks; 16-colours takes the colours of your terminal",
               "choice", "dark", LOOKS),
    Preference(READ_ONLY, "Read only",
               "the desktop changes nothing: what would is refused, and shown in grey", "flag", False),
    Preference(CONFIRM_QUIT, "Ask before quitting",
               "ask before the desktop closes while runs are live; they go on", "flag", False),
    Preference(TOAST, "Say it here", "say in a corner of the desktop what happened to runs", "flag", True),
    Preference(BELL, "Ring the bell", "ring the terminal's bell when a run has ended or is in trouble",
               "flag", True),
    Preference(OSC9, "Notification", "ask the terminal for a notification of your system (OSC 9)",
               "flag", True),
    Preference(ABOUT, "Tell of", "what you are told of: here, by the command and by the webhook", "words",
               list(TOLD_BY_DEFAULT), KINDS),
    Preference(IDLE_AFTER, "Idle after",
               "tell of a machine that does nothing for so many minutes; 0: never", "minutes", IDLE_MINUTES),
    Preference(COMMAND, "Command",
               "run with the notice as JSON on stdin and as CLOUDTUI_KIND, CLOUDTUI_TEXT, CLOUDTUI_RUN and "
               "so on; ten seconds at most; a secret belongs into a file that it reads, not into this line",
               "command", ""),
    Preference(WEBHOOK, "Webhook",
               "an address that the notice is sent to as JSON; in no catalog and no backup", "address", ""),
)  # fmt: skip
_BY_KEY = {one.key: one for one in PREFERENCES}


def preference(key: str) -> Preference:
    """The setting with this key, the keys of an action included.

    Raises:
        NotFoundError: there is none.
    """
    if key in _BY_KEY:
        return _BY_KEY[key]
    if key.startswith(KEYS):
        from cloudtui.actions import bindable

        for action in bindable():
            if action.id == key.removeprefix(KEYS):
                help_ = f"the keys of {action.title}: {action.help}"
                return Preference(
                    key, f"{action.noun.capitalize()}: {action.title}", help_, "keys", list(action.keys)
                )
    raise NotFoundError(f"There is no setting {clean_line(key, 80)!r}.", "See `cloudtui settings list`.")


def every() -> list[Preference]:
    """All settings in the order in which they are shown."""
    from cloudtui.actions import bindable

    return [*PREFERENCES, *(preference(KEYS + action.id) for action in bindable())]
