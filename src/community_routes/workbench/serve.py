"""The workbench started: a socket of this machine, the study read while the page opens, Ctrl-C to end."""

from __future__ import annotations

import secrets
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from community_routes.base.errors import UsageError
from community_routes.base.notices import Notice
from community_routes.evaluation.case import Study
from community_routes.workbench.app import Workbench, make_app
from community_routes.workbench.desk import Desk
from community_routes.workbench.files import Folder
from community_routes.workbench.guard import LOOPBACK, Allowed
from community_routes.workbench.jobs import Jobs

try:
    import uvicorn
except ImportError:  # pragma: no cover - the extra is there in development
    raise UsageError(
        'the workbench needs an extra that is not installed; install it with: pip install "community-routes[workbench]"'
    ) from None

_SHORTEST_TOKEN = 16


@dataclass(frozen=True)
class Address:
    """Where the workbench listens.

    Attributes
    ----------
    host : str
        A name or address of this machine; another than loopback lets others in, so it needs a token.
    port : int
        0 for a free one.
    token : str
        Empty for one that is made up.
    """

    host: str = "127.0.0.1"
    port: int = 0
    token: str = ""

    def check(self) -> None:
        """A server that others can reach needs a token that its owner chose and passes on.

        Raises
        ------
        UsageError
        """
        if self.host not in LOOPBACK and not self.token:
            raise UsageError(f"--host {self.host} lets other machines in; give --token a secret that only they know")
        if self.token and (
            len(self.token) < _SHORTEST_TOKEN or not self.token.isascii() or not self.token.isprintable()
        ):
            raise UsageError(f"--token needs at least {_SHORTEST_TOKEN} plain letters and digits")


class _Server(uvicorn.Server):
    """A server that a signal ends in peace: what comes after it is still done."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take Ctrl-C and a request to end, and put back what took them before."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@dataclass
class Session:
    """A workbench that listens; in a notebook it shows the way to its page.

    Attributes
    ----------
    desk : Desk
    jobs : Jobs
    url : str
        Of the page, with the token in it.
    """

    desk: Desk
    jobs: Jobs
    url: str
    _server: _Server = field(repr=False)
    _socket: socket.socket = field(repr=False)
    _thread: threading.Thread | None = field(default=None, repr=False)

    @classmethod
    def open(cls, desk: Desk, address: Address, arguments: Sequence[str] = ()) -> Session:
        """Listen at an address; nothing is answered before ``run`` or ``run_beside``.

        Raises
        ------
        UsageError
            The address cannot be had, or needs a token.
        """
        address.check()
        token = address.token or secrets.token_urlsafe(24)
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((address.host, address.port))
            listening.listen(128)  # who calls before the server runs waits for it
        except OSError as wrong:
            listening.close()
            said = wrong.strerror or wrong
            raise UsageError(
                f"{address.host} port {address.port} cannot be listened at: {said}; try another --port"
            ) from None
        port = int(listening.getsockname()[1])
        jobs = Jobs(desk.study_file, arguments)
        app = make_app(Workbench(desk, jobs, token), Allowed.at(address.host, port, token))
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, lifespan="off", ws="none",
            timeout_keep_alive=10, timeout_graceful_shutdown=1, limit_concurrency=200,
        )  # fmt: skip
        name = f"[{address.host}]" if family == socket.AF_INET6 else address.host
        name = {"0.0.0.0": socket.gethostname(), "[::]": socket.gethostname()}.get(name, name)
        return cls(desk, jobs, f"http://{name}:{port}/?token={token}", _Server(config), listening)

    def run(self, opened: Callable[[str], object] | None = None) -> None:
        """Read the study, and answer until a signal ends it.

        Parameters
        ----------
        opened : callable of str, optional
            Told the address once it can be called: the browser.
        """
        self.desk.start()
        if opened is not None:
            threading.Thread(target=opened, args=(self.url,), name="browser", daemon=True).start()
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self.jobs.close()
            self._socket.close()

    def run_beside(self) -> None:
        """Answer in a thread of its own, until ``close``."""
        self._thread = threading.Thread(target=self.run, name="workbench", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(10)
        self._socket.close()

    def _repr_html_(self) -> str:
        return f'<a href="{escape(self.url)}" target="_blank" rel="noopener">Workbench: {escape(self.desk.title)}</a>'


def show(study: Study, *, browser: bool = True) -> Session:
    """Open the workbench on a study that is read already, beside whatever else this process does; ``close`` ends it.

    Raises
    ------
    UsageError
    """
    path = Path(study.file.path)
    session = Session.open(Desk(path, Folder.of(path, []), study=study), Address())
    session.run_beside()
    if browser:
        webbrowser.open(session.url)
    return session


def told_when_done(desk: Desk, tell: Callable[[str], object], notices: Callable[[list[Notice]], object]) -> None:
    """Say, from a thread of its own, when the study is ready or why it is not."""

    def wait() -> None:
        desk.wait()
        if desk.state == "ready":
            notices(list(desk.opened.study.notices))
            tell(f"ready after {desk.seconds:.1f} s: {desk.title}")
        else:
            tell(f"the study cannot be used: {desk.stage}")

    threading.Thread(target=wait, name="told", daemon=True).start()
