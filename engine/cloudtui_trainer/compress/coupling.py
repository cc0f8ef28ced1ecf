"""Which channels of a network hang together, found by building it a little narrower, and cutting them out.

A network is rebuilt from its spec, so nothing has to be traced: a width in the spec is made smaller by one,
and the tensors whose shapes change are those that the channel runs through. It holds for any network whose
spec has its widths, without a line about it here. Widths that only change together (two ends of a shortcut)
are found as pairs. What is cut is proved on the way: the smaller network must give what the whole one gives
with these channels silent.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.models import build, spec_of

Path = tuple[str | int, ...]
State = dict[str, torch.Tensor]
OUTSIDE = frozenset({"shape", "classes", "features", "columns", "target", "outputs"})
"""Parts of a spec that the data decides: no width is looked for there."""
NARROWEST = 2


@dataclass(frozen=True)
class Touch:
    """A side of a tensor that a unit's channels lie along, so many entries a channel, one after another."""

    tensor: str
    side: int
    each: int


@dataclass(frozen=True)
class Unit:
    """Channels that are kept or cut together."""

    paths: tuple[Path, ...]
    """Where the spec has their number."""
    width: int
    touches: tuple[Touch, ...]

    @property
    def name(self) -> str:
        """For people."""
        return "+".join(".".join(str(word) for word in path) for path in self.paths)

    def writers(self, state: Mapping[str, torch.Tensor]) -> list[Touch]:
        """Where a channel is made: rows of weights, biases, norms."""
        return [
            touch for touch in self.touches if touch.side == 0 and state[touch.tensor].is_floating_point()
        ]

    def readers(self, state: Mapping[str, torch.Tensor]) -> list[Touch]:
        """Where a channel is read: columns of weights."""
        return [touch for touch in self.touches if touch.side == 1 and state[touch.tensor].dim() > 1]


def units(net: Mapping[str, Any]) -> list[Unit]:
    """All groups of channels of a network that can be made narrower."""
    whole = _shapes(net)
    if whole is None:
        raise TrainerError("The spec of this network cannot be built.")
    found, alone = [], []
    for path in _numbers(net, ()):
        width = _at(net, path)
        if width <= NARROWEST:
            continue
        unit = _unit(net, whole, (path,), width)
        if unit:
            found.append(unit)
        else:
            alone.append((path, width))
    for (first, width), (second, other) in itertools.combinations(alone, 2):
        unit = _unit(net, whole, (first, second), width) if width == other else None
        if unit:
            found.append(unit)
    return found


def narrowed(net: Mapping[str, Any], widths: Mapping[Unit, int]) -> dict[str, Any]:
    """The spec with other widths."""
    smaller: dict[str, Any] = copy.deepcopy(dict(net))
    for unit, width in widths.items():
        for path in unit.paths:
            _at(smaller, path[:-1])[path[-1]] = width
    return smaller


def cut(
    net: Mapping[str, Any], state: Mapping[str, torch.Tensor], keep: Mapping[Unit, torch.Tensor]
) -> nn.Module:
    """The network with only the channels that are kept, its weights taken from `state`.

    Raises:
        TrainerError: its parts would no longer fit together.
    """
    smaller = narrowed(net, {unit: len(channels) for unit, channels in keep.items()})
    tensors = dict(state)
    for unit, channels in keep.items():
        for touch in unit.touches:
            places = (channels[:, None] * touch.each + torch.arange(touch.each)).flatten()
            tensors[touch.tensor] = tensors[touch.tensor].index_select(touch.side, places)
    if _shapes(smaller) != {name: tuple(tensor.shape) for name, tensor in tensors.items()}:
        raise TrainerError("The narrower network would be of another shape than its spec says.")
    model = build(smaller)
    model.load_state_dict(tensors)
    return model.eval()


def silenced(
    state: Mapping[str, torch.Tensor], unit: Unit, channels: torch.Tensor, into: State | None = None
) -> State:
    """The same weights, with no one reading these channels; tensors that do not change are shared."""
    changed = dict(state) if into is None else into
    for touch in unit.readers(state):
        places = (channels[:, None] * touch.each + torch.arange(touch.each)).flatten()
        changed[touch.tensor] = changed[touch.tensor].index_fill(touch.side, places, 0.0)
    return changed


def prove(
    whole: nn.Module, smaller: nn.Module, keep: Mapping[Unit, torch.Tensor], inputs: torch.Tensor
) -> None:
    """See that what was cut is what was meant, on some inputs.

    Raises:
        TrainerError: the smaller network differs from the whole one with these channels silent.
    """
    state = whole.state_dict()
    silent: State = dict(state)
    for unit, channels in keep.items():
        dropped = torch.ones(unit.width, dtype=torch.bool)
        dropped[channels] = False
        silenced(state, unit, dropped.nonzero().flatten(), silent)
    with torch.no_grad():
        expected = torch.func.functional_call(whole, silent, (inputs,))
        found = smaller(inputs)
    if not torch.allclose(found, expected, atol=1e-3, rtol=1e-3):
        off = (found - expected).abs().max().item()
        raise TrainerError(f"Cutting channels changed more than these: the outputs differ by {off:.2g}.")


def provable(whole: nn.Module, found: Sequence[Unit], inputs: torch.Tensor) -> list[Unit]:
    """Those units of which half can be cut with exactly the effect that was meant.

    Where a network lays out its channels in another order than thought here, or norms across them, the proof
    fails, and the unit is left as it is.
    """
    fine = []
    for unit in found:
        keep = {unit: torch.arange(0, unit.width, 2)}
        try:
            prove(whole, cut(spec_of(whole), whole.state_dict(), keep), keep, inputs)
        except TrainerError:
            continue
        fine.append(unit)
    return fine


def _unit(
    net: Mapping[str, Any], whole: Mapping[str, tuple[int, ...]], paths: tuple[Path, ...], width: int
) -> Unit | None:
    """The unit of widths that can change together, or None."""
    bare = Unit(paths, width, ())
    less = _shapes(narrowed(net, {bare: width - 1}))
    if less is None or set(less) != set(whole) or less == whole:
        return None
    touches = []
    for name, shape in whole.items():
        if len(shape) != len(less[name]):
            return None
        for side, (before, after) in enumerate(zip(shape, less[name], strict=True)):
            # A side on which other channels lie, too, has no simple place for these: left as they are.
            if before != after and before != (before - after) * width:
                return None
            if before != after:
                touches.append(Touch(name, side, before - after))
    unit = Unit(paths, width, tuple(touches))
    sides = {touch.side for touch in touches}
    return unit if sides == {0, 1} else None


def _shapes(net: Mapping[str, Any]) -> dict[str, tuple[int, ...]] | None:
    """The shapes of a network's tensors, without making them; None where the spec makes no sense."""
    try:
        with torch.device("meta"):
            return {name: tuple(tensor.shape) for name, tensor in build(net).state_dict().items()}
    except TrainerError:
        return None


def _numbers(value: Any, path: Path) -> Iterator[Path]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            if path or key not in OUTSIDE:
                yield from _numbers(part, (*path, key))
    elif isinstance(value, list | tuple):
        for place, part in enumerate(value):
            yield from _numbers(part, (*path, place))
    elif isinstance(value, int) and not isinstance(value, bool):
        yield path


def _at(net: Any, path: Sequence[str | int]) -> Any:
    for word in path:
        net = net[word]
    return net
