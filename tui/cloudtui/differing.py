"""Two models judged on the same rows: what the second one has more and less than the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloudtui import format as fmt
from cloudtui.comparing import above
from cloudtui.reported import SHARES, figure, label, mapping, mappings, number, ordered
from cloudtui_engine.errors import CloudtuiError, NotFoundError, RefusedError
from cloudtui_engine.records.evaluation import Evaluation
from cloudtui_engine.records.model import Model
from cloudtui_engine.sanitize import clean_line

if TYPE_CHECKING:
    from cloudtui_engine.catalog import Catalog
    from cloudtui_engine.data.answers import Paired, PairedErrors

LESS_IS_BETTER = frozenset({"loss", "ece", "mae", "rmse"})
MORE_IS_BETTER = frozenset({
    "accuracy", "macro_precision", "macro_recall", "macro_f1", "auc", "r2", "precision", "recall", "f1",
})  # fmt: skip
OF_CLASSES = ("precision", "recall", "f1")
_POINTS = 0.5
"""The difference that people ask for."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of both; None where a report lacks it."""

    key: str
    first: float | None
    second: float | None

    @property
    def delta(self) -> float | None:
        """The second one's less the first one's."""
        return None if self.first is None or self.second is None else self.second - self.first

    @property
    def better(self) -> bool | None:
        """Whether the second one's is the better; None where they are equal or nothing says so."""
        if not self.delta or self.key not in LESS_IS_BETTER | MORE_IS_BETTER:
            return None
        return (self.delta > 0) == (self.key in MORE_IS_BETTER)


@dataclass(frozen=True, slots=True)
class OfClass:
    """One class in both."""

    label: str
    rows: int | None
    figures: tuple[Figure, ...]
    """In the order of `OF_CLASSES`."""


@dataclass(frozen=True, slots=True)
class ModelDifference:
    """The second evaluation beside the first, on the same rows."""

    first: Evaluation
    second: Evaluation
    metrics: tuple[Figure, ...]
    classes: tuple[OfClass, ...] = ()
    labels: tuple[str, ...] = ()
    cells: tuple[tuple[int, ...], ...] = ()
    """Rows more (or less) than in the first, by truth and prediction."""
    paired: Paired | None = None
    """Both row by row, where what they answered lies here."""
    errors: PairedErrors | None = None
    """The same of two models that predict a number."""
    untold: str = ""
    """Why they cannot be held against each other row by row."""
    could: int | None = None
    """How many rows would tell half a point."""

    @property
    def rows(self) -> int | None:
        """On how many rows both were judged."""
        return _count(self.first.report.get("n"))


def difference(first: Evaluation, second: Evaluation) -> ModelDifference:
    """What the reports say.

    Raises:
        RefusedError: they are of different rows: nothing would follow from the difference.
    """
    a, b = first.report, second.report
    if not same_rows(first, second):
        raise RefusedError(
            f"{clean_line(first.model, 60)} was judged on {rows_of(first)}, {clean_line(second.model, 60)} on"
            f" {rows_of(second)}: different rows cannot be compared.",
            "Evaluate both on the same dataset and split.", code="different_rows",
        )  # fmt: skip
    ours, theirs = mapping(a.get("metrics")), mapping(b.get("metrics"))
    metrics = [
        Figure(key, number(ours.get(key)), number(theirs.get(key))) for key in ordered({**ours, **theirs})
    ]
    labels, cells = _cells(a, b)
    return ModelDifference(first, second, tuple(metrics), tuple(_classes(a, b)), labels, cells)


def same_rows(first: Evaluation, second: Evaluation) -> bool:
    """Both are of one split of one dataset version, with as many rows."""
    same = first.dataset_id == second.dataset_id
    if first.dataset_id is None:
        told = first.report.get("dataset")
        same = same and isinstance(told, str) and told == second.report.get("dataset")
    return same and first.split == second.split and first.report.get("n") == second.report.get("n")


def identity(one: Evaluation) -> str:
    """What an evaluation is called in lists: a run has one for each split."""
    return f"{one.run_id}/{one.split}"


def rows_of(one: Evaluation) -> str:
    """`fashion-mnist test (10,000 rows)`."""
    return clean_line(
        f"{one.dataset} {one.split} ({fmt.count(number(one.report.get('n')))} rows)".strip(), 80
    )


def pick(
    catalog: Catalog, first: Model, second: Model, dataset_id: str | None = None, split: str | None = None
) -> tuple[Evaluation, Evaluation]:
    """The newest evaluations of two models on the same rows.

    Raises:
        NotFoundError: one was never judged there. RefusedError: they were never judged on the same rows.
    """
    found = [
        [
            one
            for one in catalog.models.evaluations(model.id)
            if dataset_id in {None, one.dataset_id} and split in {None, one.split}
        ]
        for model in (first, second)
    ]
    for model, those in zip((first, second), found, strict=True):
        if not those:
            raise _not_judged(catalog, model, dataset_id, split)
    for one in found[0]:
        for other in found[1]:
            if same_rows(one, other):
                return one, other
    newest = found[0][0]
    raise RefusedError(
        f"{first.label} and {second.label} were never judged on the same rows: {rows_of(newest)} and"
        f" {rows_of(found[1][0])}.",
        f"Judge {second.label} there: cloudtui model evaluate {second.label} --dataset"
        f" {clean_line(newest.dataset, 60)} --split {newest.split}",
        code="different_rows",
    )


def _not_judged(catalog: Catalog, model: Model, dataset_id: str | None, split: str | None) -> NotFoundError:
    where = "" if dataset_id is None and split is None else " on these rows"
    words = f"cloudtui model evaluate {model.label}"
    if dataset_id is not None:
        dataset = catalog.datasets.get(dataset_id)
        words += f" --dataset {dataset.name}@{dataset.version}"
    if split is not None:
        words += f" --split {split}"
    return NotFoundError(f"{model.label} has not been judged{where}.", f"Evaluate it first: {words}")


def with_answers(catalog: Catalog, found: ModelDifference) -> ModelDifference:
    """The same, with both row by row where their answers and the truth lie here. Reads files."""
    from cloudtui_engine.data.answers import pair_answers, pair_numbers, rows_that_could

    numbers = any(one.key == "mae" for one in found.metrics)
    if not found.labels and not numbers:
        return replace(found, untold="Their reports have no classes to judge by.")
    try:
        if found.first.dataset_id is None:
            raise NotFoundError("It is not known which rows these are.", "")
        dataset = catalog.datasets.get(found.first.dataset_id)
        ones = [_answered(catalog, one) for one in (found.first, found.second)]
        if numbers:
            return replace(found, errors=pair_numbers(catalog.paths, dataset, found.first.split, *ones))
        paired = pair_answers(catalog.paths, dataset, found.first.split, *ones)
    except CloudtuiError as error:
        return replace(found, untold=clean_line(f"{error.message} {error.hint}".strip(), 300))
    return replace(found, paired=paired, could=rows_that_could(paired, _POINTS))


def _answered(catalog: Catalog, one: Evaluation) -> Any:
    from cloudtui_engine.data.answers import Answered

    files = catalog.runs.get(one.run_id).artifacts
    local = next((file.local for file in files if file.name == "report.json"), None)
    if local is None:
        raise NotFoundError(
            f"What {clean_line(one.model, 60)} answered row by row is not on this machine.",
            f"Fetch it: cloudtui run pull {one.run_id}",
        )
    return Answered(clean_line(one.model, 60), Path(local), one.report)


def _classes(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[OfClass]:
    theirs = {label(one.get("label"), 24): one for one in mappings(b.get("classes"))}
    found = []
    for ours in mappings(a.get("classes")):
        name = label(ours.get("label"), 24)
        other = mapping(theirs.get(name))
        figures = tuple(Figure(key, number(ours.get(key)), number(other.get(key))) for key in OF_CLASSES)
        found.append(OfClass(name, _count(ours.get("support")), figures))
    return found


def _count(value: Any) -> int | None:
    found = number(value)
    return None if found is None else int(found)


def _cells(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
    """All classes, and the second one's counts less the first one's; nothing where one has none."""
    ours, theirs = _counts(a), _counts(b)
    if ours is None or theirs is None:
        return (), ()
    labels = tuple(dict.fromkeys((*ours[0], *theirs[0])))
    return labels, tuple(
        tuple(theirs[1].get((truth, said), 0) - ours[1].get((truth, said), 0) for said in labels)
        for truth in labels
    )


def _counts(report: Mapping[str, Any]) -> tuple[tuple[str, ...], dict[tuple[str, str], int]] | None:
    labels = tuple(label(one.get("label"), 24) for one in mappings(report.get("classes")))
    rows = report.get("confusion")
    whole = isinstance(rows, list) and len(rows) == len(labels) > 0 and len(set(labels)) == len(labels)
    if not whole or not all(isinstance(row, list) and len(row) == len(labels) for row in rows or ()):
        return None
    return labels, {
        (truth, said): int(number(count) or 0)
        for truth, row in zip(labels, rows or (), strict=True)
        for said, count in zip(labels, row, strict=True)
    }


def sentences(found: ModelDifference) -> Sequence[str]:
    """What follows, the most important first; no more than the rows can tell."""
    one, other = clean_line(found.first.model, 40), clean_line(found.second.model, 40)
    if found.errors is not None:
        return _of_errors(found.errors, one, other)
    if found.paired is None:
        return [f"Not compared row by row. {found.untold}" if found.untold else ""]
    pair = found.paired
    n = f"{pair.n:,} rows"
    if pair.low > 0:
        said = f"{other} is right more often than {one}."
    elif pair.high < 0:
        said = f"{other} is right less often than {one}."
    else:
        said = f"{n} cannot tell which is better."
    between = f"[{pair.low * 100:+.2f}, {pair.high * 100:+.2f}]"
    figures = f"{pair.delta * 100:+.2f} points {between}, McNemar p {p_value(pair.p)}"
    alone = f"Of {n}, {pair.only_variant:,} only {other} has right, {pair.only_baseline:,} only {one}."
    more = ""
    if found.could is not None and found.could > pair.n and pair.low <= 0 <= pair.high:
        more = f" A difference of {_POINTS} point would take {found.could:,}."
    return [said + more, f"Accuracy {figures}.", alone]


def _of_errors(found: PairedErrors, one: str, other: str) -> Sequence[str]:
    n = f"{found.n:,} rows"
    said = {
        -1: f"{other} is closer than {one}.",
        1: f"{other} is less close than {one}.",
        0: f"{n} cannot tell which is closer.",
    }[found.mae.sign]
    named = (("MAE", found.mae), ("RMSE", found.rmse))
    gaps = " and ".join(f"{name} {above(g.delta)} [{above(g.low)}, {above(g.high)}]" for name, g in named)
    closer = f"Of {n}, {other} is closer in {found.closer_second:,}, {one} in {found.closer_first:,}."
    return [said, f"{gaps}, by drawing these rows anew.", closer]


def shown(key: str, value: float | None) -> str:
    """A figure of a model or of a class as people write it."""
    return fmt.percent(value, 2) if key in OF_CLASSES else figure(key, value)


def change(one: Figure) -> str:
    """What the second one's is above the first one's, with its sign; shares in points."""
    if one.delta is not None and one.key in SHARES.union(OF_CLASSES):
        return f"{one.delta * 100:+.2f}"
    return above(one.delta)


def p_value(p: float) -> str:
    """`0.034`, `< 0.001`."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
