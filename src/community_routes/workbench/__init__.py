"""The workbench: proposals drawn on a map and answered at once, as an API and a page of this machine.

A study and texts of scenario files come in by HTTP; figures, faults, journeys, saved files and full reports go out. The server
keeps no proposal: every request carries its texts.
"""

from importlib.util import find_spec

from community_routes.base.errors import UsageError

if any(find_spec(name) is None for name in ("fastapi", "uvicorn")):
    raise UsageError(
        'the workbench needs an extra that is not installed; install it with: pip install "community-routes[workbench]"'
    )
