"""Actions on what runs on a machine, from here: a shell, its ports, Jupyter."""

from __future__ import annotations

from cloudtui.actions.action import Action, Argument

_INSTANCE = Argument("instance", "name or id of the instance", "instance", required=True, metavar="NAME")

ACTIONS = (
    Action(
        "instance.shell", "instance", "shell", "Shell",
        "a shell on a machine, in this terminal, or one command; ~. at the beginning of a line leaves it",
        (
            _INSTANCE,
            Argument("command", "what to run there; one word is a line for its shell", "words",
                     metavar="CMD"),
        ),
        handler="cloudtui.handlers.shell:shell", keys=("S",), when="instance.reachable",
    ),
)  # fmt: skip
