"""Networks, a file each, built from a spec and from nothing else.

A spec is JSON: `{"model": "resnet", ...sizes, a width for every layer, classes, features}`. It stands in the
metadata of the weights and of the exported file, so a network is rebuilt without its dataset, and a pruned
one is the same spec with other widths. A further network is a file with `build(net)` and a line in `MODELS`;
the module that it returns takes raw input and keeps its spec as `spec`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from torch import nn

from cloudtui_trainer.errors import TrainerError

MODELS = {
    "cnn": "cloudtui_trainer.models.cnn",
    "mlp": "cloudtui_trainer.models.mlp",
    "resnet": "cloudtui_trainer.models.resnet",
}


def build(net: Mapping[str, Any]) -> nn.Module:
    """A new network with the sizes of `net`, on the CPU, its weights drawn anew.

    Raises:
        TrainerError: the spec is of no network here, or makes no sense.
    """
    name = net.get("model")
    if name not in MODELS:
        raise TrainerError(f"There is no network {name!r}.", f"Networks: {', '.join(MODELS)}.")
    try:
        built: nn.Module = importlib.import_module(MODELS[name]).build(dict(net))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise TrainerError(f"The spec of this {name} network makes no sense: {error!r}.") from None
    return built


def spec_of(model: nn.Module) -> dict[str, Any]:
    """The spec that rebuilds a network."""
    spec = model.__dict__.get("spec")
    if not isinstance(spec, dict):
        raise TrainerError(f"A {type(model).__name__} has no spec to rebuild it from.")
    return spec
