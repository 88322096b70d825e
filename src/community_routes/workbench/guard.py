"""Who may speak to the workbench: this machine's own page and whoever holds the session's token, in requests of a sane size.

Any page that is open in a browser can send requests to 127.0.0.1, and a foreign name can be made to point there. So the Host must
be ours, the Origin (where a browser gives one) must be that Host, every call of the API carries the token in a header, which
no foreign page can read or send, and nothing is ever allowed to other origins.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
import socket
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

TOKEN_HEADER = "X-Community-Routes-Token"
MOST_BYTES = 1_000_000
BODY_S = 20.0
"""A body that takes longer to arrive is not waited for."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
REPORT_CSP = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts allow-popups allow-downloads"
)
"""A report carries its scripts with it; it runs apart from everything, the API too."""


@dataclass(frozen=True)
class Allowed:
    """To whom the server answers.

    Attributes
    ----------
    token : str
    port : int
    hosts : tuple of str
        Names by which it may be called.
    any_address : bool
        Whether every plain IP address is such a name: no foreign page can stand behind one but the machine itself.
    """

    token: str
    port: int
    hosts: tuple[str, ...] = LOOPBACK
    any_address: bool = False

    @classmethod
    def at(cls, host: str, port: int, token: str) -> Allowed:
        """Of a server that listens at a host: this machine's own names alone, or those by which others reach it."""
        if host in LOOPBACK:
            return cls(token, port)
        return cls(token, port, (*LOOPBACK, host.lower(), socket.gethostname().lower(), socket.getfqdn().lower()), True)

    def host(self, given: str) -> bool:
        """Whether a Host header names this server."""
        name, port = _host_and_port(given)
        if port != self.port:
            return False
        return name in self.hosts or (self.any_address and _is_address(name))

    def holds_token(self, given: str) -> bool:
        """Whether the token is that of the session; the time it takes tells nothing."""
        return hmac.compare_digest(given.encode(), self.token.encode())


def _host_and_port(given: str) -> tuple[str, int]:
    name, colon, port = given.strip().lower().rpartition(":")
    if not colon or "]" in port:
        name, port = given.strip().lower(), "80"
    return name.strip("[]"), int(port) if port.isascii() and port.isdigit() and len(port) < 6 else -1


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class _Refused(Exception):  # noqa: N818 - it becomes an answer
    """A request that is not let in."""

    def __init__(self, status: int, kind: str, message: str, cure: str) -> None:
        self.status, self.kind, self.message, self.cure = status, kind, message, cure


@dataclass
class Guard:
    """Lets requests in or refuses them, and puts the security headers on every answer."""

    app: App
    allowed: Allowed
    waiting: int = 0
    most_waiting: int = 32
    _open: tuple[str, ...] = field(default=("/static/", "/report/"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            raise RuntimeError("no web sockets here")
        send = _with_headers(send, str(scope["path"]))
        try:
            self._check(scope)
            body = await self._body(scope, receive)
        except _Refused as no:
            await _answer(send, no)
            return
        self.waiting += 1
        try:
            await self.app(scope, _again(body, receive), send)
        finally:
            self.waiting -= 1

    def _check(self, scope: Scope) -> None:
        headers = _headers(scope)
        path, host = str(scope["path"]), headers.get("host", [])
        if len(host) != 1 or not self.allowed.host(host[0]):
            raise _Refused(
                400, "foreign_host", "this server is not called by that name", "open the address that was printed"
            )
        for origin in headers.get("origin", []):
            if origin != f"http://{host[0]}":
                raise _Refused(403, "foreign_origin", "another page may not speak to this server", "use its own page")
        site = headers.get("sec-fetch-site", ["none"])[0]
        if site not in ("same-origin", "none") and path != "/":
            raise _Refused(403, "foreign_origin", "another page may not speak to this server", "use its own page")
        if path.startswith(self._open):
            return
        token = headers.get(TOKEN_HEADER.lower(), [""])[0]
        if path == "/":
            token = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if not self.allowed.holds_token(token):
            raise _Refused(
                401,
                "no_token",
                "the token of the session is missing or wrong",
                "open the address that was printed, which holds it",
            )
        if self.waiting >= self.most_waiting:
            raise _Refused(503, "busy", "too many requests wait for an answer", "try again in a moment")

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        """The whole body, within the limits."""
        headers = _headers(scope)
        large = _Refused(413, "too_large", f"a body has at most {MOST_BYTES:,} bytes here", "send less")
        length = headers.get("content-length", ["0"])[0]
        if not (length.isascii() and length.isdigit()) or int(length[:20]) > MOST_BYTES:
            raise large
        if scope["method"] in ("POST", "PUT") and (
            headers.get("content-type", [""])[0].partition(";")[0].strip().lower() != "application/json"
        ):
            raise _Refused(415, "not_json", "a body must be JSON", "send it with Content-Type: application/json")
        body = bytearray()

        async def read() -> None:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _Refused(400, "gone", "the request was broken off", "")
                body.extend(message.get("body", b""))
                if len(body) > MOST_BYTES:
                    raise large
                if not message.get("more_body", False):
                    return

        try:
            await asyncio.wait_for(read(), BODY_S)
        except TimeoutError:
            raise _Refused(408, "too_slow", "the body took too long to arrive", "send it again") from None
        return bytes(body)


def _headers(scope: Scope) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    pairs: Iterable[tuple[bytes, bytes]] = scope["headers"]
    for name, value in pairs:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _again(body: bytes, receive: Receive) -> Receive:
    """What was read of a request, to be read by the application; then whatever else comes."""
    given = False

    async def next_message() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return next_message


def _with_headers(send: Send, path: str) -> Send:
    policy = REPORT_CSP if path.startswith("/report/") else CSP
    added = [
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"cache-control", b"no-store"),
    ]

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *added]
        await send(message)

    return sent


async def _answer(send: Send, no: _Refused) -> None:
    fault = {
        "severity": "error", "kind": no.kind, "message": no.message, "file": "", "line": None, "column": None, "field": "",
        "cure": no.cure,
    }  # fmt: skip
    body = json.dumps({"detail": [fault]}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if no.status in (408, 413):
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": no.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
