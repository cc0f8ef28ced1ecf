"""A real Chromium without a window, driven over its DevTools protocol."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

CHROMIUM = shutil.which("chromium") or ""
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0",
    "--disable-dev-shm-usage", "--no-proxy-server",
)  # fmt: skip
_LISTENS = re.compile(rb"DevTools listening on ws://([0-9.:]+)/")
# The page keeps its terminal to itself: whoever sets a property of this name hands it to the test.
_WATCH = """
Object.defineProperty(Object.prototype, 'terminal', {configurable: true, set(value) {
  Object.defineProperty(this, 'terminal', {value, writable: true, configurable: true, enumerable: true});
  window.watched = value;
}});
"""
_TEXT = """(() => {
  if (!window.watched) return '';
  const buffer = window.watched.buffer.active, lines = [];
  for (let y = 0; y < window.watched.rows; y++) {
    const line = buffer.getLine(buffer.viewportY + y);
    lines.push(line ? line.translateToString(true) : '');
  }
  return lines.join('\\n');
})()"""
_PLACE = """(() => {
  const box = document.querySelector('.xterm-screen').getBoundingClientRect();
  return [box.left, box.top, box.width / window.watched.cols, box.height / window.watched.rows];
})()"""


class Page:
    """One page of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self.requested: list[str] = []
        """Every address that the page asked for."""

    async def call(self, method: str, **params: Any) -> Any:
        """One command of the protocol, and what came of it."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        while True:
            said = await asyncio.wait_for(self._socket.receive_json(), 30)
            if said.get("method") == "Network.requestWillBeSent":
                self.requested.append(said["params"]["request"]["url"])
            if said.get("id") == self._number:
                assert "error" not in said, said
                return said["result"]

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page."""
        said = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return said["result"].get("value")

    async def open(self, address: str) -> None:
        """Go there; from now on the text of its terminal can be read."""
        await self.call("Network.enable")
        await self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        await self.call("Page.enable")
        await self.call("Page.addScriptToEvaluateOnNewDocument", source=_WATCH)
        await self.call("Page.navigate", url=address)

    async def text(self) -> str:
        """What stands in the terminal."""
        return str(await self.evaluate(_TEXT))

    async def until(self, true: Callable[[str], object], timeout: float = 20.0) -> str:
        """The terminal's text, once this holds of it."""
        deadline = time.monotonic() + timeout
        while not true(text := await self.text()):
            if time.monotonic() > deadline:
                raise AssertionError(f"Not in time. The terminal:\n{text}")
            await asyncio.sleep(0.05)
        return text

    async def press(self, character: str) -> None:
        """A key of the keyboard."""
        for kind in ("keyDown", "keyUp"):
            text = {"text": character} if kind == "keyDown" else {}
            await self.call("Input.dispatchKeyEvent", type=kind, key=character, **text)

    async def click(self, row: int, column: int) -> None:
        """The left button on a cell of the terminal."""
        left, top, width, height = await self.evaluate(_PLACE)
        x, y = left + (column + 0.5) * width, top + (row + 0.5) * height
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            button = "none" if kind == "mouseMoved" else "left"
            await self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, clickCount=1)


@asynccontextmanager
async def browser(folder: Path, size: tuple[int, int] = (1280, 800)) -> AsyncIterator[Page]:
    """A browser with nothing in it, and its one page."""
    window = f"--window-size={size[0]},{size[1]}"
    process = await asyncio.create_subprocess_exec(
        CHROMIUM, *_FLAGS, window, f"--user-data-dir={folder}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    drain: asyncio.Task[bytes] | None = None
    try:
        assert process.stderr is not None
        where = await asyncio.wait_for(_listening(process.stderr), 60)
        drain = asyncio.create_task(process.stderr.read())
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://{where}/json/list") as answer:
                pages = [one for one in await answer.json(content_type=None) if one["type"] == "page"]
            async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                yield Page(socket)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        if drain is not None:
            await drain


async def _listening(stream: asyncio.StreamReader) -> str:
    while line := await stream.readline():
        if found := _LISTENS.search(line):
            return found[1].decode()
    raise AssertionError("Chromium ended before it listened.")
