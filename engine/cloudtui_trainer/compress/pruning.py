"""Which channels to cut, and how many of each layer: by what cutting does to the outputs, not by one ratio.

At half of the channels a first layer can cost sixty points and a late one less than one. So each unit is cut
alone, by steps, on train rows, and the divergence of the outputs from the whole network's is what it costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from cloudtui_trainer.compress.coupling import NARROWEST, State, Unit, silenced
from cloudtui_trainer.compress.kl import divergence
from cloudtui_trainer.compress.rows import TrainRows

PRICES = (0.25, 0.25, 0.5)
"""Of multiplications, of weights, and of numbers that layers hand on, in the cost."""
GRAIN = 16
"""Wide units keep a multiple of so many channels: what a vector register holds; others are slower."""


@dataclass(frozen=True)
class Curve:
    """What cutting one unit does."""

    unit: Unit
    ranking: torch.Tensor
    """Its channels, the least important first."""
    criterion: str
    kept: tuple[int, ...]
    """Widths it may have, the whole one first."""
    divergences: tuple[float, ...]
    """At each of these widths."""

    @property
    def at_half(self) -> float:
        """The divergence with about half of its channels."""
        return self.divergences[
            min(range(len(self.kept)), key=lambda at: abs(2 * self.kept[at] - self.unit.width))
        ]


def steps(width: int) -> tuple[int, ...]:
    """The widths that a unit may be cut to: eighths, of a wide one in multiples of `GRAIN`; last its half."""
    if width % GRAIN == 0 and width > GRAIN:
        wide = range(width, 0, -max(GRAIN, width // 8 // GRAIN * GRAIN))
        return (*wide, *(narrow for narrow in (32, 16, 8) if narrow < wide[-1]))
    eighths = (max(NARROWEST, round(width * part / 8)) for part in range(8, 0, -1))
    return tuple(dict.fromkeys(eighths))


def curves(
    model: nn.Module,
    found: Iterable[Unit],
    rows: TrainRows,
    *,
    count: int,
    seed: int,
    tell: Callable[[str], None] = lambda _: None,
    look: Callable[[], None] = lambda: None,
) -> list[Curve]:
    """Measure every unit: three ways of ranking its channels, the best of them at half; then step by step.

    `look` is called before each measurement, and ends it by raising.
    """
    inputs = rows.sample(count, seed)
    state: State = {name: tensor.detach() for name, tensor in model.state_dict().items()}
    with torch.no_grad():
        expected = model(inputs).numpy()
    gradients = _gradients(model, rows, count, seed)

    def cost(unit: Unit, channels: torch.Tensor) -> float:
        look()
        with torch.no_grad():
            outputs = torch.func.functional_call(model, silenced(state, unit, channels), (inputs,))
        return divergence(expected, outputs.numpy())

    done = []
    for unit in found:
        tell(unit.name)
        rankings = {name: score.argsort() for name, score in importances(unit, state, gradients).items()}
        half = unit.width // 2
        at_half = {name: cost(unit, ranking[:half]) for name, ranking in rankings.items()}
        best = min(at_half, key=lambda name: at_half[name])
        kept = steps(unit.width)
        worst, found_at = 0.0, [0.0]
        for width in kept[1:]:
            worst = max(worst, cost(unit, rankings[best][: unit.width - width]))
            found_at.append(worst)
        done.append(Curve(unit, rankings[best], best, kept, tuple(found_at)))
    return done


def importances(
    unit: Unit, state: Mapping[str, torch.Tensor], gradients: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """A score a channel by each criterion that applies: scale of the norm, length of the weights, Taylor."""
    scale, squares, taylor = (torch.zeros(unit.width) for _ in range(3))
    normed = False
    for touch in unit.writers(state):
        weights = state[touch.tensor].reshape(unit.width, -1)
        if state[touch.tensor].dim() > 1:
            squares += weights.square().sum(1)
        elif touch.tensor.endswith(".weight"):
            scale += weights.abs().sum(1)
            normed = True
        if touch.tensor in gradients:
            taylor += (weights * gradients[touch.tensor].reshape(unit.width, -1)).sum(1)
    found = {"weights": squares.sqrt(), "taylor": taylor.abs()}
    return found | {"norm": scale} if normed else found


def cost_of(model: nn.Module, inputs: torch.Tensor) -> Callable[[Mapping[Unit, int]], float]:
    """A function that gives the share of the cost that a network of some widths has left.

    Cost is multiplications, weights, and numbers that layers hand on, as shares of the whole network's, by
    their `PRICES`. The second is size; the others are time, and in int8 the third is most of it.
    """
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    positions = _positions(model, inputs)
    weights = {name for name, _ in model.named_parameters()}

    def totals(widths: Mapping[Unit, int]) -> tuple[float, float, float]:
        sides = {name: list(shapes[name]) for name in weights}
        for unit, width in widths.items():
            for touch in unit.touches:
                if touch.tensor in sides:
                    sides[touch.tensor][touch.side] = width * touch.each
        sizes = {name: float(torch.Size(side).numel()) for name, side in sides.items()}
        return (
            sum(sizes[name] * count for name, count in positions.items()),
            sum(sizes.values()),
            float(sum(sides[name][0] * count for name, count in positions.items())),
        )

    whole = totals({})

    def share(widths: Mapping[Unit, int]) -> float:
        parts = zip(PRICES, totals(widths), whole, strict=True)
        return sum(price * left / all_ for price, left, all_ in parts)

    return share


def widths(
    measured: list[Curve], target: float, share: Callable[[Mapping[Unit, int]], float]
) -> dict[Unit, int]:
    """Cut what diverges least for what it saves, until `target` of the cost is left, or less.

    A last cut may go far beyond the target; then what others lost is given back as far as that lasts.
    """
    place = [0] * len(measured)
    left = share({})
    while left > target and (move := _best_move(measured, place, share, forward=True)):
        place[move[0]] += move[1]
        left = share(_at(measured, place))
    while move := _best_move(measured, place, share, forward=False, most=target):
        place[move[0]] += move[1]
    return _at(measured, place)


def _best_move(
    measured: list[Curve],
    place: list[int],
    share: Callable[[Mapping[Unit, int]], float],
    *,
    forward: bool,
    most: float = 1.0,
) -> tuple[int, int] | None:
    """The unit and steps with the best rate of divergence to cost: least to cut, most to give back.

    More than one step is looked at, for a curve may be flat behind a hill.
    """
    now = share(_at(measured, place))
    rates = {}
    for number, curve in enumerate(measured):
        here = place[number]
        for more in range(1, len(curve.kept) - here) if forward else range(-1, -here - 1, -1):
            then = share(_at(measured, [*place[:number], here + more, *place[number + 1 :]]))
            if then != now and then <= most:
                worse = curve.divergences[here + more] - curve.divergences[here]
                rates[number, more] = worse / (now - then)
    if not rates:
        return None
    return min(rates, key=lambda move: rates[move]) if forward else max(rates, key=lambda move: rates[move])


def _at(measured: list[Curve], place: list[int]) -> dict[Unit, int]:
    return {curve.unit: curve.kept[at] for curve, at in zip(measured, place, strict=True)}


def kept_channels(measured: list[Curve], chosen: Mapping[Unit, int]) -> dict[Unit, torch.Tensor]:
    """The most important channels of each unit, in the order in which they lie."""
    return {curve.unit: curve.ranking[-chosen[curve.unit] :].sort().values for curve in measured}


def _gradients(model: nn.Module, rows: TrainRows, count: int, seed: int) -> dict[str, torch.Tensor]:
    """Of the task's loss on some rows of train, by the weights; the model stays as it is."""
    chance = torch.Generator().manual_seed(seed)
    inputs, targets = rows.batch(torch.randperm(rows.count, generator=chance)[:count])
    loss = rows.loss(model(inputs.cpu()), targets.cpu())
    named = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    found = torch.autograd.grad(loss, list(named.values()))
    return dict(zip(named, (gradient.detach() for gradient in found), strict=True))


def _positions(model: nn.Module, inputs: torch.Tensor) -> dict[str, int]:
    """At how many places each weight of a convolution or matrix is used for one row."""
    found: dict[str, int] = {}
    names = {module: name for name, module in model.named_modules()}

    def seen(module: nn.Module, _inputs: Any, output: torch.Tensor) -> None:
        weight = module.get_parameter("weight")
        found[f"{names[module]}.weight"] = output[0].numel() // weight.shape[0]

    heavy = [module for module in model.modules() if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Linear)]
    hooks = [module.register_forward_hook(seen) for module in heavy]
    try:
        with torch.no_grad():
            model(inputs[:1])
    finally:
        for hook in hooks:
            hook.remove()
    return found
