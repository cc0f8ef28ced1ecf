"""What an action is: data that menus, palette, help, forms and the command line are all made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "run", "instance", "dataset", "model", "settings", "views", "text", "int", "float", "choice", "path",
    "flag", "pairs", "words",
]  # fmt: skip

CLI = "cli"
DESKTOP = "desktop"
BOTH = frozenset({CLI, DESKTOP})
ONLY_CLI = frozenset({CLI})
ONLY_DESKTOP = frozenset({DESKTOP})


@dataclass(frozen=True, slots=True)
class Argument:
    """One value that an action takes.

    `run`, `instance`, `dataset` and `model` are names or ids (the handler looks them up). `pairs` reaches the
    handler as a mapping of text to text (or to typed values, from a form), `words` as a list of words, and
    any argument with `many` as a list. `views` is the name of a saved view.
    """

    name: str
    """The name of the handler's parameter."""
    help: str
    kind: Kind = "text"
    required: bool = False
    many: bool = False
    least: int = 1
    """Of `many`: how many objects must be selected on the desktop."""
    choices: tuple[str, ...] = ()
    default: Any = None
    option: str | None = None
    """Its flag on the command line, `--name`; None where it is positional."""
    short: str = ""
    """A second, short flag: `-f`."""
    metavar: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a person can do."""

    id: str
    """`run.stop`"""
    noun: str
    """`run`; `home` for what stands at the top level."""
    verb: str
    title: str
    """What menus show: `Stop`."""
    help: str
    arguments: tuple[Argument, ...] = ()
    handler: str = ""
    """`cloudtui.handlers.run:stop`; empty where the desktop alone carries it out."""
    keys: tuple[str, ...] = ()
    """Keys on the desktop while an area of this noun has the focus; those of `home` go everywhere."""
    when: str = ""
    """The name of a predicate (`actions.predicates`) over the object it acts on; empty: always."""
    confirm: str = ""
    """The name of a builder of consequences (`actions.consequences`); empty: done at once."""
    faces: frozenset[str] = BOTH
    off: str = ""
    """Why it cannot be done on this desktop at all; empty: it can."""
    starts_work: bool = False
    """It commits an operation and needs a living engine."""
    lists: bool = False
    """As long as nobody says what to do with one it is a list, which changes nothing."""
    use: Literal[1, 2, 3] = 2
    """How often it is wanted: the footer has room for those with 1 first."""

    @property
    def command(self) -> tuple[str, ...]:
        """The words of its command: `("run", "stop")`, `("doctor",)`."""
        return (self.verb,) if self.noun == "home" else (self.noun, self.verb)
