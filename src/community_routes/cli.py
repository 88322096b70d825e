"""The command line: ``community-routes COMMAND``.

Nothing stands at the head of this module that takes time to import: Ctrl-C is looked after first.
"""

from __future__ import annotations

import sys

from community_routes.base.starting import keep_all, leave, leave_at_once, work_ends

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SOON_S = 0.05


def main() -> None:
    """Run the command line and leave with its exit code."""
    leave_at_once()
    keep_all()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    sys.unraisablehook = interrupt_again
    try:
        code = run_command(sys.argv[1:])
        sys.stdout.flush()
        work_ends()
    except KeyboardInterrupt:  # it came between the end of the work and here
        leave()
    except OSError:  # nobody reads what is printed any more
        pass
    sys.exit(code)


def run_command(arguments: list[str]) -> int:
    """Run one command line and return its exit code; whatever goes wrong is a message, never a traceback."""
    from community_routes.commands.program import run

    return run(arguments)


def interrupt_again(lost: Any) -> None:
    """An interruption that came while an object was being cleared away, where Python drops it, is not lost."""
    if issubclass(lost.exc_type, KeyboardInterrupt):
        import _thread
        import threading

        threading.Timer(_SOON_S, _thread.interrupt_main).start()  # here and now it would be dropped as well
    else:
        sys.__unraisablehook__(lost)


def __getattr__(name: str) -> Any:
    """``app``, the command line as Typer holds it, for whoever lists its commands."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from community_routes.commands.program import app

    return app


if __name__ == "__main__":
    main()
