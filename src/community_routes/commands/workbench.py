"""The workbench: a page of this machine on which proposals are drawn and answered at once."""

from __future__ import annotations

import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from community_routes.base.errors import UsageError
from community_routes.commands.options import Common, StudyArgument
from community_routes.commands.session import session


def workbench(
    study: StudyArgument,
    scenarios: Annotated[
        list[Path] | None, typer.Argument(help="Scenario files to open, of one folder.", show_default=False)
    ] = None,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port to listen at.", show_default="a free one")
    ] = 0,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen at; another than this machine's own needs --token.")
    ] = "127.0.0.1",
    token: Annotated[
        str, typer.Option("--token", help="Secret of those who may use it.", show_default="one that is made up")
    ] = "",
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")] = True,
    read_only: Annotated[bool, typer.Option("--read-only", help="Write no files: for a public meeting.")] = False,
    *,
    common: Common,
) -> None:
    """Draw proposals on a map and see at once who gains; Ctrl-C ends it (needs the extra workbench)."""
    from community_routes.network.kept import cache_folder
    from community_routes.workbench.desk import Desk
    from community_routes.workbench.files import Folder
    from community_routes.workbench.serve import Address, Session, told_when_done

    if not study.is_file():
        raise UsageError(f"there is no study file {study}")
    folder = Folder.of(study, scenarios or [], read_only=read_only)
    arguments = ["--threads", str(common.threads), *(["--cache", common.cache] if common.cache is not None else [])]
    desk = Desk(study, folder, cache=cache_folder(common.cache), seed=common.seed)
    with session(common, f"reading {study.name}") as console:
        opened = Session.open(desk, Address(host, port, token), arguments)
        with suppress(KeyboardInterrupt):  # Ctrl-C is how it ends, also before it listens for it
            console.say(opened.url)
            told_when_done(desk, console.remark, console.notices)
            opened.run(webbrowser.open if browser else None)
    console.remark("the workbench has ended")
