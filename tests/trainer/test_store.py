"""Rows from wherever they fit: the same rows, whoever reads them and when."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudtui_trainer.store import Store

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def arrays(tmp_path_factory):
    """A split mapped from its file."""
    path = tmp_path_factory.mktemp("arrays") / "x.npy"
    np.save(path, np.arange(200 * 6, dtype=np.uint8).reshape(200, 1, 2, 3))
    return {"train": (np.load(path, mmap_mode="r"), np.arange(200))}


LEFT = set()
"""Readers of trainings that were stopped before, in this process: they would end with one of their own."""


@pytest.fixture(autouse=True)
def left():
    LEFT.update(readers())


def readers():
    return [thread for thread in threading.enumerate() if thread.name == "reader" and thread not in LEFT]


def wait_until_none_reads():
    for thread in readers():
        thread.join(30)
    assert not readers()


@pytest.mark.parametrize(
    ("wish", "free", "where"),
    [
        ("auto", 10**6, "device"), ("auto", 5000, "streamed"), ("auto", 5602, "device"),
        ("memory", 0, "device"), ("stream", 10**6, "streamed"),
    ],
)  # fmt: skip
def test_where_the_rows_are(arrays, monkeypatch, wish, free, where):
    monkeypatch.setattr("cloudtui_trainer.store.free_bytes", lambda _device: free)
    store = Store(arrays, CPU, wish)
    assert store.told() == {"data": where, "data_bytes": 1200 + 1600, "free_bytes": free}
    x, y = store.batch("train", torch.tensor([7, 3, 7]))
    assert y.tolist() == [7, 3, 7]
    assert np.array_equal(x.numpy(), np.array(arrays["train"][0])[[7, 3, 7]])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 199), min_size=1, max_size=9), max_size=12), st.data())
def test_reading_ahead_changes_nothing(arrays, batches, data):
    """Asked in the order that was told, in another, twice, or for other rows: the right ones come."""
    store = Store(arrays, CPU, "stream")
    told = [torch.tensor(rows) for rows in batches]
    store.expect("train", told)
    try:  # an example may be given up at any draw
        for rows in told:
            asked = data.draw(st.sampled_from([rows, rows, rows.flip(0), torch.tensor([1, 2])]))
            x, y = store.batch("train", asked)
            assert torch.equal(y, asked)
            assert torch.equal(x.flatten(1)[:, 0], (asked * 6).to(torch.uint8))
    finally:
        store.expect("train", [])
    wait_until_none_reads()


def test_batches_come_from_the_thread_that_reads_ahead(arrays, monkeypatch):
    store = Store(arrays, CPU, "stream")
    names = []
    right = store._gathered
    monkeypatch.setattr(
        store, "_gathered", lambda *given: (names.append(threading.current_thread().name), right(*given))[1]
    )
    told = [torch.tensor([number]) for number in range(20)]
    store.expect("train", told)
    assert [int(store.batch("train", rows)[1]) for rows in told] == list(range(20))
    assert names == ["reader"] * 20
    wait_until_none_reads()


def test_what_fails_while_reading_ahead_is_raised_where_it_is_asked_for(arrays):
    store = Store(arrays, CPU, "stream")
    told = [torch.tensor([0]), torch.tensor([1000])]
    store.expect("train", told)
    store.batch("train", told[0])
    with pytest.raises(IndexError, match="out of bounds"):
        store.batch("train", told[1])


def test_a_failure_that_passes_costs_the_reading_ahead_and_nothing_else(arrays, monkeypatch):
    store = Store(arrays, CPU, "stream")
    right = store._gathered

    def fail(split, rows):
        if threading.current_thread().name == "reader" and int(rows) == 3:
            raise MemoryError
        return right(split, rows)

    monkeypatch.setattr(store, "_gathered", fail)
    told = [torch.tensor([number]) for number in range(9)]
    store.expect("train", told)
    assert [int(store.batch("train", rows)[1]) for rows in told] == list(range(9))


@pytest.mark.usefixtures("no_export", "small")
def test_streamed_training_is_the_same_to_the_bit(home):
    assert home.run(data="memory", batch_size=100) == 0
    other = home.beside("streamed")
    assert other.run(data="stream", batch_size=100) == 0
    assert other.events()["started"]["data"] == "streamed"
    assert home.weights() == other.weights()
    wait_until_none_reads()
