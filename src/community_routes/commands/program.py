"""The command line put together: every command with its options, and what becomes of whatever goes wrong in them."""

from __future__ import annotations

import errno
import os
import re
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer

from community_routes.base.errors import CommunityRoutesError, MachineError, UsageError, is_utf8
from community_routes.base.starting import INTERRUPTED, INTERRUPTED_WORDS
from community_routes.commands import (
    exchange,
    init,
    inputs,
    main_job,
    over_time,
    planning,
    sites,
    timetable,
    travel,
    workbench,
)
from community_routes.commands.console import Console
from community_routes.commands.options import as_command, print_version

app = typer.Typer(
    name="community-routes",
    help="How well deprived neighbourhoods reach employment zones and shared spaces, and what a proposed route would change.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_COORDINATES = re.compile(r"-\d+(\.\d+)?,-?\d+(\.\d+)?")
_WRONG_PATH = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL, errno.EEXIST)
_SHOW_TRACEBACK = "COMMUNITY_ROUTES_TRACEBACK"

# Typer brings a click of its own in newer versions and uses the package in older ones; both are reached through Typer.
UsageFault: Any = typer.BadParameter.__mro__[2]
"""What Typer raises for wrong usage."""


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; whatever goes wrong is a message, never a traceback."""
    console = Console(log_json="--log-json" in arguments)
    with console.libraries_heard():
        code = _run(arguments, console)
    console.end(code)
    return code


def _run(arguments: list[str], console: Console) -> int:
    # A place such as -2.45,53.74 begins like an option; a blank before it makes it a place.
    arguments = [f" {word}" if _COORDINATES.fullmatch(word) else word for word in arguments]

    def failed(text: str, code: int) -> int:
        console.fault(text, code)
        return code

    for word in arguments:
        if not is_utf8(word):
            words = (
                f"{word!r} is not UTF-8 and cannot be used as a name; rename the file or folder, or write it in UTF-8"
            )
            return failed(words, UsageError.exit_code)
    try:
        result = app(arguments, standalone_mode=False)
        code = result if isinstance(result, int) else 0
        if code == INTERRUPTED:  # newer versions of Typer make an exit of the interruption
            console.fault(INTERRUPTED_WORDS, INTERRUPTED)
        return code
    except typer.Exit as leave:
        return leave.exit_code
    except UsageFault as wrong:
        if console.log_json:
            return failed(wrong.format_message(), UsageError.exit_code)
        wrong.show()
        return UsageError.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return failed(INTERRUPTED_WORDS, INTERRUPTED)
    except CommunityRoutesError as wrong:
        return failed(str(wrong), wrong.exit_code)
    except MemoryError:
        words = "the machine ran out of memory; fewer destinations or origins at a time need less"
        return failed(words, MachineError.exit_code)
    except OSError as wrong:
        code = UsageError.exit_code if wrong.errno in _WRONG_PATH else MachineError.exit_code
        return failed(f"{wrong.strerror or wrong}: {wrong.filename or 'while writing'}", code)
    except Exception as wrong:
        if os.environ.get(_SHOW_TRACEBACK):
            raise
        return failed(_unexpected(wrong), MachineError.exit_code)


def _unexpected(wrong: Exception) -> str:
    """A fault of the program itself, in words that help whoever reports it."""
    calls = traceback.extract_tb(wrong.__traceback__)
    ours = [call for call in calls if "community_routes" in call.filename] or calls
    place = f" in {Path(ours[-1].filename).name} line {ours[-1].lineno}" if ours else ""
    said = " ".join(str(wrong).split())[:300]
    return (
        f"this is a fault of the program, not of your files: {type(wrong).__name__}{place}: {said}. Nothing that was "
        f"unfinished was written. Please report it; {_SHOW_TRACEBACK}=1 in the environment shows more"
    )


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """How well deprived neighbourhoods reach employment zones and shared spaces, and what a proposed route would change."""


# The order of `--help`: what is done first stands first.
_MAIN, _LOOK, _PROPOSE, _PREPARE = (
    "Score and compare",
    "Look closer",
    "Proposals and timetables",
    "Data and installation",
)
for _panel, _name, _command in (
    (_MAIN, "demo", main_job.demo),
    (_MAIN, "init", init.init),
    (_MAIN, "check", inputs.check),
    (_MAIN, "run", main_job.run),
    (_MAIN, "sites", sites.sites),
    (_MAIN, "compare", over_time.compare),
    (_MAIN, "review", planning.review),
    (_MAIN, "optimise", planning.optimise),
    (_LOOK, "routes", travel.routes),
    (_LOOK, "stops", travel.stops),
    (_LOOK, "matrix", travel.matrix),
    (_LOOK, "journey", travel.journey),
    (_LOOK, "isochrone", travel.isochrone),
    (_PROPOSE, "workbench", workbench.workbench),
    (_PROPOSE, "new-scenario", timetable.new_scenario),
    (_PROPOSE, "import-conveyal", exchange.import_conveyal),
    (_PROPOSE, "diff", timetable.diff),
    (_PROPOSE, "sweep", planning.sweep),
    (_PROPOSE, "export-gtfs", timetable.export_gtfs),
    (_PREPARE, "fetch", inputs.fetch),
    (_PREPARE, "schema", exchange.schema),
    (_PREPARE, "doctor", inputs.doctor),
):
    app.command(_name, rich_help_panel=_panel)(as_command(_command))
