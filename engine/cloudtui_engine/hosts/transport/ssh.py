"""SSH by paramiko, with what it leaves out: deadlines, a tuned socket, checked jumps, clear errors."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator

import paramiko
from paramiko.ssh_exception import IncompatiblePeer

from cloudtui_engine.errors import AuthError, CloudtuiError, LinkTimeoutError, UnreachableError
from cloudtui_engine.hosts.known_hosts import KnownHosts
from cloudtui_engine.hosts.pinned import PinnedKey
from cloudtui_engine.hosts.transport import algorithms, network
from cloudtui_engine.hosts.transport.channel import SshChannel
from cloudtui_engine.hosts.transport.keys import Keys, PassphraseError
from cloudtui_engine.sanitize import clean_line
from cloudtui_engine.ssh_config import BY_OWN_SSH, NEEDS_SSH, Endpoint

KEEPALIVE_S = 5
LOOK_S = 1.0
"""How often a connection's thread looks whether it is closed; paramiko's own is ten times a second."""

# What goes wrong is raised where it is handled; paramiko would print it a second time.
logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)


class SshTransport:
    """A connection to one endpoint, through its jumps.

    Args:
        endpoint: where to; see `ssh_config.resolve`.
        known: host keys that were confirmed.
        keys: the user's keys, shared by the connections to one host so that a passphrase is asked once.
        accept: fingerprints that the user accepted: an unknown key with one of them is kept.
        pinned: the only key that the endpoint itself may show; None: what `known` says of it.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        known: KnownHosts,
        keys: Keys | None = None,
        accept: Collection[str] = (),
        pinned: PinnedKey | None = None,
    ) -> None:
        self.name = endpoint.name
        self.python = ""
        self.endpoint = endpoint
        self._known = known
        self._keys = keys or Keys()
        self._accept = tuple(accept)
        self.pinned = pinned
        self._chain: list[paramiko.Transport] = []
        self._socket: socket.socket | None = None
        self._closing = threading.Event()

    @property
    def is_alive(self) -> bool:
        """Whether every hop is up, as far as is known."""
        return bool(self._chain) and all(hop.is_active() for hop in self._chain)

    @property
    def cipher(self) -> str:
        """What the connection is encrypted with."""
        return str(getattr(self._chain[-1], "remote_cipher", "")) if self._chain else ""

    def connect(self, timeout: float) -> None:
        """Connect, check each hop's key, log in."""
        self.close()
        self._closing.clear()
        deadline = time.monotonic() + timeout
        try:
            for hop in (*self.endpoint.jumps, self.endpoint):
                self._connect_hop(hop, deadline)
        except CloudtuiError as error:
            self.close()
            if type(error) is AuthError and self.endpoint.beyond and error.code != NEEDS_SSH:
                why = f"Your SSH configuration has {self.endpoint.beyond} for it, which cloudtui passes over."
                raise AuthError(error.message, f"{why} {BY_OWN_SSH}", code=NEEDS_SSH) from error
            raise

    def open(self, command: str, timeout: float) -> SshChannel:
        """Run `command` by the user's login shell."""
        return SshChannel(self.session(timeout, lambda one: one.exec_command(command)), self.name)

    def session(self, timeout: float, begin: Callable[[paramiko.Channel], None]) -> paramiko.Channel:
        """A session in which `begin` has asked for what is to run."""
        if not self.is_alive:
            raise UnreachableError(f"The connection to {self.name} is down.")
        try:
            with network.deadline(timeout, self.close):
                channel = self._chain[-1].open_session(timeout=timeout)
                begin(channel)
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise self._no_channel(error, timeout) from error
        return channel

    def dial(self, host: str, port: int, timeout: float) -> paramiko.Channel:
        """A connection that the host makes; paramiko.ChannelException where it makes none."""
        if not self.is_alive:
            raise UnreachableError(f"The connection to {self.name} is down.")
        return self._chain[-1].open_channel("direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=timeout)

    def second(self) -> SshTransport:
        """Another connection to the same endpoint, so that no bulk byte is ever in a control frame's way."""
        return SshTransport(self.endpoint, self._known, self._keys, pinned=self.pinned)

    def close(self) -> None:
        """End it at once: the socket first, so that no writer holds it up."""
        self._closing.set()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        while self._chain:
            # A hop behind a jump says goodbye over what is shut down already.
            with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
                self._chain.pop().close()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    # -- one hop

    def _connect_hop(self, hop: Endpoint, deadline: float) -> None:
        sock: socket.socket | paramiko.Channel
        if self._chain:
            sock = self._through(hop, deadline)
        else:
            sock = self._socket = network.connect(hop.host, hop.port, hop.name, _left(deadline, hop.name))
            network.check_greeting(sock, hop.name, hop.port, _left(deadline, hop.name))
        transport = paramiko.Transport(sock)
        self._chain.append(transport)
        transport.banner_timeout = transport.handshake_timeout = _left(deadline, hop.name)
        key_host = hop.host_key_alias or hop.host
        key_port = 22 if hop.host_key_alias else hop.port
        known = self._known_for(hop)
        algorithms.prefer(transport, known.known_types(key_host, key_port))
        self._handshake(transport, hop, deadline)
        transport.sock.settimeout(LOOK_S)
        transport.set_keepalive(KEEPALIVE_S)
        key = transport.get_remote_server_key()
        known.require(key_host, key_port, key.get_name(), key.asbytes(), name=hop.name, accept=self._accept)
        self._log_in(transport, hop, deadline)
        _forget_login(transport)

    def _known_for(self, hop: Endpoint) -> KnownHosts | PinnedKey:
        """The user's own choice of known_hosts files counts where there is one."""
        if self.pinned is not None and hop is self.endpoint:
            return self.pinned
        return KnownHosts(self._known.own, (*self._known.user_files, *hop.known_hosts_files))

    def _through(self, hop: Endpoint, deadline: float) -> paramiko.Channel:
        timeout = _left(deadline, hop.name)
        try:
            channel = self.dial(hop.host, hop.port, timeout)
        except paramiko.ChannelException as error:
            raise UnreachableError(
                f"The jump host gives no way to {hop.name} (port {hop.port}): {clean_line(str(error), 120)}.",
                "Is that machine running, and does the jump host allow forwarding (AllowTcpForwarding)?",
            ) from error
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise self._no_channel(error, timeout) from error
        return channel

    def _handshake(self, transport: paramiko.Transport, hop: Endpoint, deadline: float) -> None:
        timeout = _left(deadline, hop.name)
        try:
            transport.start_client(timeout=timeout)
        except IncompatiblePeer as error:
            raise UnreachableError(
                f"{hop.name} and cloudtui share no secure algorithm: {clean_line(str(error), 160)}.",
                "Update the SSH server there.",
            ) from error
        except (paramiko.SSHException, EOFError, OSError) as error:
            text = clean_line(str(error), 160)
            if "Indecipherable" in text or "Invalid SSH banner" in text:
                raise UnreachableError(
                    f"What listens on port {hop.port} of {hop.name} is not an SSH server.", "Check the port."
                ) from error
            if time.monotonic() >= deadline - 0.2:
                raise _too_slow(hop.name, timeout) from error
            raise UnreachableError(
                f"{hop.name} ended the connection during the key exchange{': ' + text if text else ''}.",
                "The machine may still be starting, or its SSH server has too many connections.",
            ) from error
        if not transport.initial_kex_done:
            raise _too_slow(hop.name, timeout)

    # -- logging in

    def _log_in(self, transport: paramiko.Transport, hop: Endpoint, deadline: float) -> None:
        tried: list[str] = []
        offers = self._keys.offers(hop.key_file, hop.identity_files, hop.identities_only)
        with contextlib.closing(offers):
            self._try_keys(transport, hop, deadline, offers, tried)

    def _try_keys(
        self,
        transport: paramiko.Transport,
        hop: Endpoint,
        deadline: float,
        offers: Iterator[tuple[str, paramiko.PKey]],
        tried: list[str],
    ) -> None:
        for name, key in offers:
            transport.auth_timeout = _left(deadline, hop.name)
            tried.append(name)
            try:
                further = transport.auth_publickey(hop.user, key)
            except paramiko.BadAuthenticationType as error:
                allowed = clean_line(", ".join(error.allowed_types), 80)
                raise AuthError(
                    f"{hop.name} takes no keys for {hop.user}, only: {allowed}.",
                    "cloudtui logs in by key. Let the SSH server there take keys (PubkeyAuthentication).",
                ) from error
            except paramiko.AuthenticationException as error:
                if time.monotonic() >= deadline - 0.2:
                    raise _too_slow(hop.name, 0.0) from error
                if not transport.is_active():
                    raise self._refused(hop, tried) from error
                continue
            except (paramiko.SSHException, EOFError, OSError) as error:
                # A key that cannot sign (an agent that was locked) must not stand in the way of the next one.
                if transport.is_active():
                    self._keys.problems.append(f"{name}: {clean_line(str(error), 80)}")
                    continue
                raise self._refused(hop, tried) from error
            if not further:
                return
            raise AuthError(
                f"{hop.name} took the key and asks for more: {clean_line(', '.join(further), 80)}.",
                f"cloudtui gives no second factor. {BY_OWN_SSH}",
                code=NEEDS_SSH,
            )
        raise self._refused(hop, tried)

    def _refused(self, hop: Endpoint, tried: list[str]) -> AuthError:
        who = f"{hop.user}@{hop.host}"
        if self._keys.locked:
            file = self._keys.locked[0]
            wrong = any("passphrase" in problem for problem in self._keys.problems)
            return PassphraseError(
                f"The passphrase for {file} is wrong." if wrong else f"The key {file} needs its passphrase.",
                "Give it when asked, or add the key to your agent: ssh-add " + file,
                file,
            )
        problems = "; ".join(self._keys.problems)
        if not tried:
            return AuthError(
                f"There is no key to show to {hop.name}{': ' + problems if problems else ''}.",
                "Give one with --key, or make one: ssh-keygen -t ed25519, and put it there: ssh-copy-id "
                + who,
            )
        what = "the key" if len(tried) == 1 else f"all {len(tried)} keys"
        return AuthError(
            f"{hop.name} refused {what} for the user {hop.user} ({clean_line(', '.join(tried), 200)})"
            f"{'; ' + problems if problems else ''}.",
            "Check the user name, and put your key there: ssh-copy-id " + who,
        )

    def _no_channel(self, error: BaseException, timeout: float) -> UnreachableError:
        if self._closing.is_set() and not self.is_alive:
            return LinkTimeoutError(f"{self.name} opened no session within {timeout:.0f} s.")
        if isinstance(error, paramiko.ChannelException):
            return UnreachableError(
                f"{self.name} opens no session: {clean_line(str(error), 120)}.",
                "Its SSH server may limit sessions (MaxSessions) or allow no commands for this user.",
            )
        return UnreachableError(
            f"The connection to {self.name} broke: {clean_line(str(error), 120) or 'it ended'}."
        )


def _forget_login(transport: paramiko.Transport) -> None:
    """Let go of what only logging in needed, the user's key first: of hundreds of connections it adds up."""
    transport.kex_engine = transport.completion_event = None
    if transport.auth_handler is not None:
        transport.auth_handler.private_key = transport.auth_handler.auth_event = None


def _left(deadline: float, name: str) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise LinkTimeoutError(f"{name} was too slow: the time for connecting is over.", "Try again.")
    return left


def _too_slow(name: str, timeout: float) -> LinkTimeoutError:
    within = f" within {timeout:.0f} s" if timeout else " in time"
    return LinkTimeoutError(
        f"{name} answers, but its SSH server did not finish the login{within}.",
        "The machine may be overloaded.",
    )
