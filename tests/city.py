"""A grid city whose travel times are arithmetic: five avenues cross five streets, and every line runs each ten minutes.

Stop ``(i, j)`` is where street ``i`` (from the south) crosses avenue ``j`` (from the west). An eastbound bus leaves the west
end of each street, and a northbound one the south end of each avenue, at :00, :10, ...; the next crossing is two minutes
away. Buses run the other way at the same times from the other end.
"""

from __future__ import annotations

from community_routes.base.times import HOUR, MINUTE, format_time
from community_routes.sources.gtfs.feed import Feed
from drawn import drawn_feed

SIDE, HOP_S, HEADWAY_S = 5, 2 * MINUTE, 10 * MINUTE


def city() -> Feed:
    """All lines from 06:00 until before 10:00."""
    lines = []
    for start in range(6 * HOUR, 10 * HOUR, HEADWAY_S):
        for k in range(SIDE):
            across, up = [f"{k}{j}" for j in range(SIDE)], [f"{i}{k}" for i in range(SIDE)]
            for name, stops in ((f"E{k}", across), (f"W{k}", across[::-1]), (f"N{k}", up), (f"S{k}", up[::-1])):
                calls = [f"{stop} {format_time(start + n * HOP_S)}" for n, stop in enumerate(stops)]
                lines.append(f"{name}: {'  '.join(calls)}")
    return drawn_feed(*lines, stops=[f"{i}{j}" for i in range(SIDE) for j in range(SIDE)])


def minutes_from_south_west(i: int, j: int) -> int:
    """From a bus that leaves crossing (0, 0) at :00 to being at (i, j).

    Along the first street or avenue it is two minutes a crossing. Elsewhere one changes: the crossing street's bus left its
    end at :00 as well and is gone, the next leaves at :10, so one is there ten minutes after it would have been by that bus
    from the start; the better of changing on the street and on the avenue.
    """
    return 2 * max(i, j) if i == 0 or j == 0 else 10 + 2 * min(i, j)
