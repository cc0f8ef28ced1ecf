"""Actions on what runs on a machine, from here: a shell, its ports, Jupyter."""

from __future__ import annotations

from cloudtui.actions.action import Action, Argument

_H = "cloudtui.handlers.ports:"
_LOCAL = Argument("local", "the port here; default: the same, if it is free, else any", "int",
                  option="--local", metavar="PORT")  # fmt: skip
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
    Action(
        "instance.forward", "instance", "forward", "Forward a port",
        "a port of a machine at 127.0.0.1 here, until it is stopped or the engine ends",
        (
            _INSTANCE,
            Argument("remote", "the port there; 8888:9000 has it at 9000 here", required=True,
                     metavar="PORT[:LOCAL]"),
            _LOCAL,
        ),
        handler=_H + "forward", keys=("f",), when="instance.elsewhere", starts_work=True,
    ),
    Action(
        "instance.jupyter", "instance", "jupyter", "Jupyter",
        "the machine's own Jupyter, started there and forwarded; ends when its forward is stopped",
        (
            _INSTANCE,
            _LOCAL,
            Argument("browse", "open it in a browser", "flag", default=False, option="--open"),
        ),
        handler=_H + "jupyter", keys=("J",), when="instance.reachable", starts_work=True,
    ),
    Action(
        "instance.forwards", "instance", "forwards", "Forwarded ports",
        "ports and Jupyters of machines that are to be had here: list them, open one, stop one",
        (
            Argument("what", "what to do with one; default: list all", "choice", choices=("open", "stop"),
                     metavar="open|stop"),
            Argument("which", "its port here, or its machine where that has only one", metavar="PORT"),
        ),
        handler=_H + "forwards", keys=("F",), lists=True, use=3,
    ),
)  # fmt: skip
