"""What can be done with settings."""

from __future__ import annotations

from cloudtui.actions.action import ONLY_CLI, Action, Argument

_H = "cloudtui.handlers.settings:"
_KEY = Argument(
    "key", "which one, as desktop.theme or keys.run.stop", "settings", required=True, metavar="KEY"
)

ACTIONS = (
    Action("settings.set", "settings", "set", "Change a setting", "change a setting",
           (_KEY, Argument("value", "what it is to be; '' is nothing, - has an address asked for",
                           required=True, metavar="VALUE")),
           handler=_H + "set_value", keys=("e",)),
    Action("settings.reset", "settings", "reset", "Reset a setting", "back to what it is without you",
           (_KEY,),
           handler=_H + "reset", keys=("backspace",)),
    Action("settings.list", "settings", "list", "List", "all settings and what they are",
           handler=_H + "list_all", faces=ONLY_CLI),
    Action("settings.get", "settings", "get", "Get", "what a setting is", (_KEY,),
           handler=_H + "get_value", faces=ONLY_CLI),
)  # fmt: skip
