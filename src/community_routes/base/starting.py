"""While the program is still starting: Ctrl-C is one line and the exit code of an interruption, and nothing is garbage.

Until work begins there is nothing to tidy, and what is running is the import of other people's libraries, some of which
print or swallow an exception that comes from outside. So the process ends there and then.
"""

from __future__ import annotations

import gc
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import Any, NoReturn
else:
    import _signal as signal  # what stands behind signal, and is there at once

INTERRUPTED = 130
INTERRUPTED_WORDS = "interrupted; nothing that was unfinished was written"


def leave_at_once() -> None:
    """From now on Ctrl-C ends the process; not where it is ignored, as in the background of a shell."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, leave)


def keep_all() -> None:
    """Until work begins nothing is looked through for garbage: what imports make stays, and to look takes a sixth of them."""
    gc.disable()


def work_begins() -> None:
    """From now on Ctrl-C is an exception again, so that what has been begun is tidied; and so is garbage, but for imports."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
    if signal.getsignal(signal.SIGINT) is leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def work_ends() -> None:
    """All is said and written: Ctrl-C changes nothing any more, also while Python itself clears up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def leave(*_: Any) -> NoReturn:
    """Say that the program was interrupted, and end it; nothing can be imported here, for an import may be half done."""
    said = f"error: {INTERRUPTED_WORDS}\n"
    if "--log-json" in sys.argv:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S.000+00:00", time.gmtime())
        both = f'{{"time": "{moment}", "seconds": 0.0, "level": "error", "code": "interrupted"'
        said = f'{both}, "event": "fault", "message": "{INTERRUPTED_WORDS}"}}\n'
        said += f'{both}, "event": "end", "message": "interrupted", "exit": {INTERRUPTED}}}\n'
    os.write(2, said.encode())
    os._exit(INTERRUPTED)


# The script that an installation makes imports this first; of no other program that imports us is Ctrl-C ours to take.
if sys.argv and sys.argv[0].replace("\\", "/").rpartition("/")[2].split(".")[0] == "community-routes":
    leave_at_once()
