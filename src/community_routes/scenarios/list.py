"""Every change that a proposal may make. A new one is a file in ``changes/`` and an entry here."""

from __future__ import annotations

from community_routes.scenarios.change import Change
from community_routes.scenarios.changes.add_drt import AddDrt
from community_routes.scenarios.changes.add_homes import AddHomes
from community_routes.scenarios.changes.add_route import AddRoute
from community_routes.scenarios.changes.change_fare import ChangeFare
from community_routes.scenarios.changes.extend_route import ExtendRoute
from community_routes.scenarios.changes.pace import ChangeDwell, ChangeSpeed
from community_routes.scenarios.changes.paths import AddPath, ClosePath
from community_routes.scenarios.changes.places import AddJobs, AddSpace
from community_routes.scenarios.changes.reroute import Reroute
from community_routes.scenarios.changes.set_headway import SetHeadway
from community_routes.scenarios.changes.stops import AddStop, RemoveStops
from community_routes.scenarios.changes.withdraw_route import WithdrawRoute

CHANGES: dict[str, type[Change]] = {
    change.kind: change
    for change in (
        SetHeadway,
        WithdrawRoute,
        ChangeSpeed,
        ChangeDwell,
        ExtendRoute,
        Reroute,
        AddStop,
        RemoveStops,
        AddRoute,
        AddDrt,
        AddPath,
        ClosePath,
        ChangeFare,
        AddHomes,
        AddJobs,
        AddSpace,
    )
}
"""Each kind of change by its key, in the order in which ``new-scenario`` shows them.

The reader of scenario files, the schema for editors, the file of ``new-scenario`` and the reader of Conveyal's files take
what they know of a change from here.
"""
