"""What stands at the top level: the program itself, its engine, and what the desktop does everywhere."""

from __future__ import annotations

from cloudtui.actions.action import ONLY_CLI, ONLY_DESKTOP, Action, Argument

_H = "cloudtui.handlers.home:"
_ENGINE = "cloudtui.handlers.engine:"

_PROGRAM = (
    Action(
        "home.demo", "home", "demo", "Demo",
        "the main job on this machine with real data: train, evaluate, compress",
        (
            Argument("headless", "do not open the desktop; wait and print the report", "flag", default=False,
                     option="--headless"),
            Argument("epochs", "how long to train; default: what the trainer takes", "int", option="--epochs",
                     metavar="N"),
            Argument("max_drop", "how many points of accuracy a smaller variant may lose", "float",
                     default=0.5, option="--max-drop", metavar="POINTS"),
        ),
        handler="cloudtui.handlers.demo:demo", faces=ONLY_CLI, starts_work=True,
    ),
    Action("home.doctor", "home", "doctor", "Doctor",
           "check this machine: python, ssh, keys, catalog integrity, engine, disk",
           handler="cloudtui.handlers.doctor:doctor"),
    Action(
        "home.watch", "home", "watch", "Watch",
        "run the engine here until ctrl-c, or install it as a user service",
        (Argument("install", "write a service of yours (systemd or launchd) instead of running", "flag",
                  default=False, option="--install"),),
        handler=_ENGINE + "watch", faces=ONLY_CLI,
    ),
    Action(
        "home.serve", "home", "serve", "Serve", "the desktop in a browser on this machine, until ctrl-c",
        (Argument("port", "of 127.0.0.1, which is all it listens on; 0: any that is free", "int",
                  default=8000, option="--port", metavar="PORT"),
         Argument("read_only", "the desktop changes nothing", "flag", default=False, option="--read-only")),
        handler="cloudtui.handlers.serving:serve", faces=ONLY_CLI,
    ),
    Action("home.backup", "home", "backup", "Back up", "write the catalog and its files into one file",
           (Argument("file", "where to write it", "path", required=True),), handler=_H + "backup"),
    Action(
        "home.restore", "home", "restore", "Restore a backup", "put a backup in place of this home's catalog",
        (
            Argument("file", "a file that backup wrote", "path", required=True),
            Argument("yes", "replace a catalog that is there", "flag", default=False, option="--yes"),
        ),
        handler=_H + "restore", faces=ONLY_CLI,
    ),
    Action("engine.status", "engine", "status", "Engine", "is an engine running, and what does it hold",
           handler=_ENGINE + "status"),
    Action(
        "action.list", "action", "list", "List",
        "what was done here, newest first: as which command, when, and how it ended",
        (Argument("limit", "at most so many", "int", default=50, option="--limit", metavar="N"),),
        handler="cloudtui.handlers.acting:list_acts", faces=ONLY_CLI,
    ),
    Action(
        "operation.list", "operation", "list", "List", "what was asked for, newest first",
        (
            Argument("all", "those that are over, too", "flag", default=False, option="--all"),
            Argument("limit", "at most so many", "int", default=50, option="--limit", metavar="N"),
        ),
        handler=_ENGINE + "operations", faces=ONLY_CLI,
    ),
    Action(
        "operation.show", "operation", "show", "Show", "one of them: how far it is, or why it failed",
        (Argument("operation", "its id, or the beginning of it", required=True, metavar="OPERATION"),),
        handler=_ENGINE + "operation", faces=ONLY_CLI,
    ),
    Action("engine.stop", "engine", "stop", "Stop the engine",
           "end the engine; work on hosts goes on, and the next engine catches up",
           handler=_ENGINE + "stop", confirm="engine.stop"),
)  # fmt: skip

_DESKTOP = tuple(
    Action(f"home.{verb}", "home", verb, title, text, keys=keys, faces=ONLY_DESKTOP)
    for verb, title, text, keys in (
        ("open", "Open", "open what is under the cursor", ("enter",)),
        ("back", "Back", "one step out", ("escape",)),
        ("mark", "Mark", "mark or unmark what is under the cursor", ("space",)),
        (
            "context",
            "What can be done",
            "the actions of what is under the cursor or marked",
            ("m", "shift+f10"),
        ),
        ("copy", "Copy as command", "copy the command that does this on the command line", ("y",)),
        ("command", "Command", "type any command of the command line, without cloudtui", (":",)),
        ("filter", "Filter", "show only what fits", ("/",)),
        ("help", "Help", "the keys and what they do here", ("?",)),
        ("actions", "Action log", "what was done here, as the command that does it", ("L",)),
        ("jump", "Jump", "a letter on each part of the screen: type it to go there", ("ctrl+o",)),
        ("maximise", "Maximise", "the panel that has the focus alone, or all of them again", ("z",)),
        ("narrower", "List narrower", "give the list less of the screen, and the detail more", ("{",)),
        ("wider", "List wider", "give the list more of the screen, and the detail less", ("}",)),
        ("even", "Border as it was", "the border between list and detail where it is without you", ("|",)),
        ("previous", "Area before", "the area that was shown before this one", ("-",)),
        ("palette", "Search or run", "find a run, a machine or an action", ("ctrl+p",)),
        ("questions", "What waits for you", "the questions that were left open, once more", ("!",)),
        ("since", "Since you left", "what happened to your runs since the desktop was closed", ()),
        ("quit", "Quit", "close the desktop; work goes on", ("ctrl+q", "q")),
    )
)

_PICTURE = Action(
    "home.picture", "home", "picture", "Picture of the panel",
    "write the panel that has the focus into a file, as SVG",
    (Argument("file", "where to write it", "path", required=True),), keys=("P",), faces=ONLY_DESKTOP,
)  # fmt: skip

ACTIONS = (*_PROGRAM, *_DESKTOP, _PICTURE)
