"""Actions on models."""

from __future__ import annotations

from cloudtui.actions.action import Action, Argument

_H = "cloudtui.handlers.model:"
_MODEL = Argument(
    "model", "name, name@version, alias or id of the model", "model", required=True, metavar="MODEL"
)

ACTIONS = (
    Action("model.list", "model", "list", "List", "all model versions", handler=_H + "list_all",
           faces=frozenset({"cli"})),
    Action("model.show", "model", "show", "Show", "one model version", (_MODEL,), handler=_H + "show",
           faces=frozenset({"cli"})),
    Action(
        "model.export", "model", "export", "Export",
        "copy a model's file; the ending chooses which: .safetensors, .onnx, .json",
        (
            _MODEL,
            Argument("file", "where to write it", "path", required=True),
            Argument("yes", "replace a file that is there", "flag", default=False, option="--yes"),
        ),
        handler=_H + "export", keys=("e",),
    ),
    Action(
        "model.alias", "model", "alias", "Alias", "give a model version a name that can move, such as best",
        (_MODEL, Argument("alias", "the alias", required=True)),
        handler=_H + "alias", keys=("t",),
    ),
)  # fmt: skip
