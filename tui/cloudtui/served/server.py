"""A server for one person on this machine: bound to 127.0.0.1, behind an address nobody can guess."""

from __future__ import annotations

import hmac
import secrets
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web
from textual_serve.server import Server

LOOPBACK = "127.0.0.1"
_HERE = Path(__file__).parent
_CLOSING_S = 2.0
"""How long browsers that are open are waited for at the end."""
_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " font-src 'self'; img-src 'self' data:; connect-src 'self' ws://{host}; frame-ancestors 'none'",
}
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class DesktopServer(Server):
    """Serves one command to browsers that know the address.

    Args:
        command: what is run for each browser, as a shell reads it.
        listening: a bound socket; its address is the only one that is answered for.
    """

    def __init__(self, command: str, listening: socket.socket) -> None:
        port = listening.getsockname()[1]
        self.token = secrets.token_urlsafe(24)
        self.host_port = f"{LOOPBACK}:{port}"
        self._listening = listening
        super().__init__(command, host=LOOPBACK, port=port, title="cloudtui", templates_path=_HERE)

    @property
    def address(self) -> str:
        """What to open: who has it, has the desktop."""
        return f"{self.public_url}/{self.token}/"

    async def on_startup(self, app: web.Application) -> None:
        """Whoever started it says where it is."""

    async def make_app(self) -> web.Application:
        """Everything lies below the token: page, files and websocket."""
        outer = web.Application(middlewares=[self._guard])
        inner = await self._make_app()
        inner.router.add_get("/focus.js", self._focus)
        outer.add_subapp(f"/{self.token}", inner)
        outer.on_response_prepare.append(self._say_headers)
        return outer

    def run(self) -> None:
        """Serve until ctrl-c."""
        web.run_app(
            self.make_app(), sock=self._listening, print=None, access_log=None, shutdown_timeout=_CLOSING_S
        )

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Whoever comes under another name (DNS rebinding), from another page, or without the token goes."""
        origin = request.headers.get("Origin")
        if request.headers.get("Host", "") != self.host_port:
            raise web.HTTPForbidden(text="Open the address that cloudtui serve printed.\n")
        if origin is not None and origin != self.public_url:
            raise web.HTTPForbidden(text="Another page cannot use this desktop.\n")
        given = request.path.split("/")[1].encode()
        if not hmac.compare_digest(given, self.token.encode()):
            raise web.HTTPForbidden(text="Open the address that cloudtui serve printed.\n")
        return await handler(request)

    async def _focus(self, _request: web.Request) -> web.StreamResponse:
        return web.FileResponse(_HERE / "focus.js")

    async def _say_headers(self, _request: web.Request, response: web.StreamResponse) -> None:
        for name, value in _HEADERS.items():
            response.headers[name] = value.replace("{host}", self.host_port)


def bound(port: int) -> socket.socket:
    """A socket on 127.0.0.1 and nowhere else; port 0 is any that is free.

    Raises:
        OSError: the port is taken, or not ours to take.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((LOOPBACK, port))
    except OSError:
        listening.close()
        raise
    return listening
