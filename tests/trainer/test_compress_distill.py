"""Teaching a cut network what the whole one says."""

from __future__ import annotations

import copy

import pytest
import torch
from tests.trainer.compress_models import CNN, task_of, trained, write_pictures

from cloudtui_trainer.compress.distill import VIEWS, Lectures, Lesson, distill, mixed_loss
from cloudtui_trainer.compress.kl import divergence
from cloudtui_trainer.compress.others import masks, zeroed
from cloudtui_trainer.compress.rows import TrainRows
from cloudtui_trainer.compress.settings import Settings
from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.models import build
from cloudtui_trainer.stop import Stop, Stopped


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """A task, a teacher, and a narrow student with weights drawn anew."""
    task = task_of(write_pictures(tmp_path_factory.mktemp("distill") / "data"))
    torch.manual_seed(5)
    net = {**CNN, "widths": [6, 8], "dense": 12, "shape": [1, 8, 8], "classes": 4, "features": task.features}
    return task, trained(task), build(net)


def learn(taught, student=None, *, stop=None, held=None, **settings):
    task, teacher, fresh = taught
    lesson = Lesson(Settings(**{"epochs": 6, "batch_size": 40, **settings}), torch.device("cpu"), half=False)
    told = []
    made = distill(
        student or copy.deepcopy(fresh), teacher, TrainRows(task), lesson,
        stop=stop or Stop(), tell=lambda done, epochs: told.append((done, epochs)), masks=held,
    )  # fmt: skip
    return made, told


def apart(taught, model):
    """From the teacher, on rows that neither was taught."""
    task, teacher, _ = taught
    inputs, _ = task.batch("test", torch.arange(160))
    with torch.no_grad():
        return divergence(teacher(inputs).numpy(), model(inputs).numpy())


def test_the_student_comes_near_its_teacher(taught):
    made, told = learn(taught)
    assert apart(taught, made) < 0.2 * apart(taught, copy.deepcopy(taught[2]).eval())
    assert told[-1] == (6.0, 6)
    assert len(told) == 60
    assert not made.training


def test_the_same_seed_teaches_the_same(taught):
    left, right, other = (learn(taught, seed=seed)[0].state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(left[name], right[name]) for name in left)
    assert not all(torch.equal(left[name], other[name]) for name in left)


class Counted(torch.nn.Module):
    """A teacher that counts how often it is asked."""

    def __init__(self, teacher):
        super().__init__()
        self.teacher, self.asked = teacher, 0

    def forward(self, inputs):
        self.asked += 1
        return self.teacher(inputs)


def lectures(taught, epochs, **settings):
    """What the first epochs are, batch by batch; how many make one; how often the teacher was asked."""
    task, teacher, _ = taught
    lesson = Lesson(Settings(batch_size=200, **settings), torch.device("cpu"), half=False)
    counted = Counted(teacher)
    given = Lectures(counted, TrainRows(task), lesson)
    heard = [given.batch(step) for step in range(epochs * given.each)]
    with torch.no_grad():
        assert all(torch.equal(said, teacher(inputs)) for inputs, _, said in heard)
    return [inputs for inputs, _, _ in heard], given.each, counted.asked


def test_the_teacher_is_asked_once_for_each_shape_of_a_row(taught):
    inputs, each, asked = lectures(taught, 3 * VIEWS, augment="yes")
    assert asked == VIEWS * each
    assert torch.equal(inputs[0], inputs[VIEWS * each])
    assert not torch.equal(inputs[0], inputs[each])


@pytest.mark.parametrize(("augment", "epochs"), [("no", 1), ("yes", VIEWS)])
def test_a_whole_course_asks_the_teacher_no_more_than_that(taught, augment, epochs):
    task, teacher, fresh = taught
    counted = Counted(teacher)
    _, told = learn((task, counted, fresh), epochs=VIEWS + 2, batch_size=100, augment=augment)
    assert counted.asked == epochs * len(told) / (VIEWS + 2)


def test_rows_as_they_are_come_in_another_order_each_time(taught):
    inputs, each, asked = lectures(taught, 3, augment="no")
    assert asked == each
    assert not torch.equal(inputs[0], inputs[each])
    first, second = (torch.cat(inputs[at : at + each]).double().flatten(1) for at in (0, each))
    assert torch.equal(first.sum(1).sort().values, second.sum(1).sort().values)  # the same rows


def test_the_teacher_is_asked_again_where_its_word_is_too_long_to_keep(taught, monkeypatch):
    monkeypatch.setattr("cloudtui_trainer.compress.distill._MOST_KEPT", 0)
    _, each, asked = lectures(taught, 3, augment="no")
    assert asked == 3 * each


def test_many_rows_are_shown_as_they_are():
    auto, yes, no = (
        Lesson(Settings(augment=augment), torch.device("cpu"), half=False)
        for augment in ("auto", "yes", "no")
    )
    assert auto.augments(1_257)
    assert not auto.augments(54_000)
    assert yes.augments(54_000)
    assert not no.augments(1_257)


def test_the_teacher_stays_as_it_is(taught):
    before = copy.deepcopy(taught[1].state_dict())
    learn(taught, epochs=1)
    assert all(torch.equal(value, before[name]) for name, value in taught[1].state_dict().items())


def test_what_is_held_at_zero_stays_there(taught):
    student = copy.deepcopy(taught[2])
    held = masks(student, 0.5)
    bare = copy.deepcopy(zeroed(student, held)).eval()
    made, _ = learn(taught, student, held=held)
    assert apart(taught, made) < 0.3 * apart(taught, bare)  # it learned within what is left
    for name, weight in made.named_parameters():
        if name in held:
            assert not (weight[held[name] == 0]).any()


def test_a_wish_to_stop_ends_it(taught):
    stop = Stop()
    stop.requested = True
    with pytest.raises(Stopped):
        learn(taught, stop=stop)


def test_a_loss_that_is_not_finite_is_said(taught):
    student = copy.deepcopy(taught[2])
    with torch.no_grad():
        student.net.dense[-1].bias.fill_(float("inf"))
    with pytest.raises(TrainerError, match=r"not finite\. Set lr lower"):
        learn(taught, student, epochs=1)


def test_epochs_are_many_of_few_rows_and_few_of_many():
    lesson = Lesson(Settings(), torch.device("cpu"), half=False)
    assert lesson.epochs(1_257) > lesson.epochs(20_000) > lesson.epochs(54_000) == lesson.epochs(10**7)
    assert Lesson(Settings(epochs=3), torch.device("cpu"), half=False).epochs(10) == 3


def test_the_loss_is_the_teachers_word_and_the_labels_in_their_shares():
    outputs, labels = torch.randn(6, 4), torch.tensor(0.7)
    alone = mixed_loss(outputs, outputs, labels, Settings(soft=0.75))
    assert alone == pytest.approx(0.25 * 0.7)
    wanted = torch.randn(6, 4)
    soft = mixed_loss(outputs, wanted, labels, Settings(soft=1.0, temperature=1.0))
    assert soft == pytest.approx(divergence(wanted.numpy(), outputs.numpy()), rel=1e-4)
