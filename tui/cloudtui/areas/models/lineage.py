"""Families of models: what was made from one stands below it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from cloudtui_engine.records.model import Model


def in_families(models: Sequence[Model]) -> list[tuple[Model, int]]:
    """The models in the order they come, each followed by what was made from it; with the depth of each.

    One whose parent is not among them begins a family. A circle, which no catalog should hold, loses nobody.
    """
    known = {model.id for model in models}
    children: dict[str, list[Model]] = {}
    roots = []
    for model in models:
        if model.parent_id in known and model.parent_id != model.id:
            children.setdefault(str(model.parent_id), []).append(model)
        else:
            roots.append(model)
    found: list[tuple[Model, int]] = []
    seen: set[str] = set()

    def add(first: Model) -> None:
        stack = [(first, 0)]
        while stack:
            model, depth = stack.pop()
            if model.id in seen:
                continue
            seen.add(model.id)
            found.append((model, depth))
            stack += [(child, depth + 1) for child in reversed(children.get(model.id, []))]

    for model in (*roots, *models):
        add(model)
    return found
