"""The desktop in a browser: on loopback alone, behind an address nobody can guess, closed to others."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from cloudtui.cli.main import main
from cloudtui.handlers.serving import serve
from cloudtui.handlers.session import Session
from cloudtui.served.server import DesktopServer, bound
from cloudtui_engine.errors import RefusedError, UsageError
from cloudtui_engine.paths import Paths

COMMAND = f"{sys.executable} -c 'print(\"nothing\")'"


@asynccontextmanager
async def served() -> AsyncIterator[tuple[DesktopServer, aiohttp.ClientSession]]:
    """A server that listens, and somebody who asks it."""
    listening = bound(0)
    server = DesktopServer(COMMAND, listening)
    runner = web.AppRunner(await server.make_app())
    await runner.setup()
    await web.SockSite(runner, listening).start()
    try:
        async with aiohttp.ClientSession() as session:
            yield server, session
    finally:
        await runner.cleanup()


async def test_the_page_needs_nothing_from_elsewhere() -> None:
    async with served() as (server, session):
        async with session.get(server.address) as answer:
            text = await answer.text()
            assert answer.status == 200
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert text.count("http://") == text.count(f"http://{server.host_port}/{server.token}/")
        assert "https://" not in text
        for path in ("static/js/textual.js", "static/css/xterm.css", "focus.js"):
            async with session.get(server.address + path) as answer:
                assert answer.status == 200, path


@pytest.mark.parametrize("path", ["", "ws", "static/js/textual.js", "focus.js"])
async def test_without_the_token_there_is_nothing(path: str) -> None:
    async with served() as (server, session):
        for token in ("", "wrong/", f"{server.token}x/", f"{server.token[:-1]}/", "ws/../"):
            async with session.get(f"http://{server.host_port}/{token}{path}") as answer:
                assert answer.status == 403
                assert server.token not in await answer.text()


async def test_other_names_and_other_pages_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def connected(_server: DesktopServer, request: web.Request) -> web.WebSocketResponse:
        answer = web.WebSocketResponse()
        await answer.prepare(request)
        await answer.close()
        return answer

    monkeypatch.setattr(DesktopServer, "handle_websocket", connected)
    strange: list[dict[str, str]] = [
        {"Host": "evil.example"},
        {"Host": "localhost"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
    ]
    async with served() as (server, session):
        for headers in strange:
            async with session.get(server.address, headers=headers) as answer:
                assert answer.status == 403, headers
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(server.address + "ws", headers=headers)
            assert refused.value.status == 403
        async with session.ws_connect(
            server.address + "ws", headers={"Origin": server.public_url}
        ) as socket_:
            assert not socket_.closed


async def test_it_listens_on_loopback_alone() -> None:
    async with served() as (server, _session):
        assert server._listening.getsockname()[0] == "127.0.0.1"
        with pytest.raises(OSError, match=r"refused|Cannot assign|unreachable"):
            socket.create_connection(("127.0.0.2", server.port), timeout=5)


def test_there_is_no_other_address_to_listen_on(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--host", "0.0.0.0"], ["--bind", "::"], ["0.0.0.0"]):  # noqa: S104 - refused
        assert main(["serve", *words, "--json"]) == 2
        assert json.loads(capsys.readouterr().out)["error"]["code"] == "usage"


def test_a_port_that_is_taken_or_none_is_refused(tmp_path: Path) -> None:
    session = Session(Paths(tmp_path))
    with bound(0) as taken:
        taken.listen()
        with pytest.raises(RefusedError, match="is taken") as refused:
            serve(session, taken.getsockname()[1])
    assert refused.value.code == "taken"
    with pytest.raises(UsageError, match="65535"):
        serve(session, 65536)


@pytest.mark.parametrize("package", ["textual_serve.server", "aiohttp"])
def test_without_the_package_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "cloudtui.served.server")
    with pytest.raises(RefusedError, match="is not installed") as refused:
        serve(Session(Paths(tmp_path)), 0)
    assert refused.value.exit_status == 4
    assert "pip install 'cloudtui[serve]'" in refused.value.hint


def test_it_says_where_it_is_and_how_it_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    said: list[str] = []
    monkeypatch.setattr(DesktopServer, "run", lambda self: ran.append(self.command))
    tell: Callable[[str, float | None], None] = lambda text, _share: said.append(text)  # noqa: E731
    result = serve(Session(Paths(tmp_path / "a home"), on_progress=tell), 0)
    assert result.address in said[0]
    assert result.address.startswith(f"http://127.0.0.1:{result.port}/")
    assert f"'{tmp_path / 'a home'}'" in ran[0]
    assert "--read-only" not in ran[0]
    serve(Session(Paths(tmp_path / "a home")), 0, read_only=True)
    assert ran[1] == f"{ran[0]} --read-only"
