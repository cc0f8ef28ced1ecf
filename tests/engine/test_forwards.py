"""What is asked for of forwarded ports, without an engine: rows, and the file with a token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudtui_engine import forwards
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import FailedError
from cloudtui_engine.operations import engine_status
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.forward import END_JUPYTER, FORWARD, JUPYTER
from cloudtui_engine.records.instance import Address, Instance
from cloudtui_engine.records.operation import OperationState

BOX = Instance(id="box0001", name="box", provider="ssh", address=Address("box"), created_at=1.0)
ENGINE = 4711


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = Catalog.open(Paths(tmp_path))
    opened.instances.add(BOX)
    yield opened
    opened.close()


def test_asking_again_is_the_same_one_and_another_port_is_another(catalog: Catalog) -> None:
    first = forwards.ask_for(catalog, FORWARD, BOX, 8888)
    assert forwards.ask_for(catalog, FORWARD, BOX, 8888).id == first.id
    assert forwards.ask_for(catalog, FORWARD, BOX, 8889).id != first.id
    assert forwards.ask_for(catalog, FORWARD, BOX, 8888, 9000).id != first.id
    assert forwards.ask_for(catalog, JUPYTER, BOX).id == forwards.ask_for(catalog, JUPYTER, BOX).id
    forwards.stop(catalog, forwards.told(catalog, first, ENGINE))
    assert forwards.ask_for(catalog, FORWARD, BOX, 8888).id != first.id


def test_only_the_living_engines_word_counts(catalog: Catalog) -> None:
    one = forwards.ask_for(catalog, FORWARD, BOX, 8888)
    catalog.operations.take(one.id)
    open_ = {"state": "open", "local": 8888, "remote": 8888, "engine": ENGINE}
    catalog.operations.set_progress(one.id, open_)
    states = [forwards.live(catalog, engine)[0].state for engine in (ENGINE, ENGINE + 1, None)]
    assert states == ["open", "starting", "waiting"]
    status = engine_status(catalog.paths, catalog)
    assert (status.forwards, status.pending) == (1, 0)  # it is no work that will be done some time


def test_a_stopped_jupyter_is_ended_on_its_host_by_whichever_engine(catalog: Catalog) -> None:
    one = forwards.ask_for(catalog, JUPYTER, BOX)
    forwards.stop(catalog, forwards.told(catalog, one, ENGINE))
    assert catalog.operations.get(one.id).state is OperationState.DONE
    forwards.end_jupyter(catalog, BOX.id, one.id)  # its own handler sees it, too
    assert [end.kind for end in catalog.operations.pending()] == [END_JUPYTER]
    assert catalog.operations.pending()[0].args == {"of": one.id}


def test_a_token_is_made_once_for_its_user_alone_and_goes_with_it(catalog: Catalog) -> None:
    one = forwards.ask_for(catalog, JUPYTER, BOX)
    token = forwards.make_token(catalog.paths, one.id)
    assert len(token) >= 40
    assert forwards.make_token(catalog.paths, one.id) == token
    told = forwards.told(catalog, one, ENGINE)
    assert forwards.address(catalog.paths, told).endswith(f"/?token={token}")
    page = forwards.page(catalog.paths, told)
    assert token in page.read_text()
    assert all(file.stat().st_mode & 0o077 == 0 for file in (page.parent, *page.parent.iterdir()))
    forwards.forget_token(catalog.paths, one.id)
    assert list(page.parent.iterdir()) == []
    with pytest.raises(FailedError, match="not here any more"):
        forwards.token(catalog.paths, one.id)
