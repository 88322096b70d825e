"""The drawn part of the invented timetable: operators, routes with their course and headways, and railway."""

from __future__ import annotations

from dataclasses import dataclass, field

from sample import plan

BUS = plan.BUS_STATION
Service = dict[str, list[tuple[str, str, int]]]
"""Per day: from, to and minutes between departures from the first stop."""


@dataclass(frozen=True)
class BusRoute:
    """A route as an operator plans it.

    ``via`` is drawn in metres; ``stride_m`` is the wanted distance between stops; ``loop`` runs one way round;
    ``timing`` routes publish times at timing points only; ``shaped`` routes have a drawn course in the timetable.
    """

    route_id: str
    short: str
    long: str
    agency: str
    via: list[tuple[float, float]]
    service: Service
    stride_m: float = 330.0
    loop: bool = False
    timing: bool = False
    shaped: bool = True
    wheelchair: int = 1
    ends: tuple[str, str] = ("", "")
    colour: str = "1f5fa8"
    extra: list[str] = field(default_factory=list)


def days(
    weekday: list[tuple[str, str, int]], saturday: list[tuple[str, str, int]], sunday: list[tuple[str, str, int]]
) -> Service:
    """A service by kind of day, leaving out the days without buses."""
    return {key: value for key, value in (("weekday", weekday), ("saturday", saturday), ("sunday", sunday)) if value}


AGENCIES = [
    ("MT", "Millgate Transport (invented)", "https://example.org/millgate-transport"),
    ("ML", "Moorline Coaches (invented)", "https://example.org/moorline"),
]

# fmt: off
ROUTES: list[BusRoute] = [
    BusRoute("MT1", "1", "Millgate - Nab - Overdale - Spring Heights", "MT",
             [BUS, (60, -520), (640, -1150), (1080, -3500), (1760, -5600), (1880, -6050), (2640, -5850), (2600, -6400)],
             days([("05:10", "07:00", 20), ("07:00", "18:30", 10), ("18:30", "24:00", 20)],
                  [("05:40", "08:00", 20), ("08:00", "18:30", 10), ("18:30", "25:05", 20)], [("08:00", "23:20", 20)]),
             ends=("Millgate Bus Station", "Spring Heights"), colour="c0392b"),
    BusRoute("MT2", "2", "Millgate - Audley - Shadbrook", "MT",
             [BUS, (-420, 90), (-160, 500), (400, 230), (1150, 620), (1400, 150), (2420, 420), (2850, 150), (2950, -150)],
             days([("05:30", "07:00", 24), ("07:00", "18:30", 12), ("18:30", "23:20", 30)],
                  [("06:30", "08:00", 30), ("08:00", "18:00", 12), ("18:00", "23:20", 30)], [("09:00", "22:30", 30)]),
             ends=("Millgate Bus Station", "Shadbrook"), colour="2471a3"),
    BusRoute("MT3", "3", "Millgate - Bolder Lane - Roman Bank", "MT",
             [BUS, (-760, -1120), (-1460, -2250), (-1800, -1850), (-2150, -1350)],
             days([("05:35", "07:00", 24), ("07:00", "18:30", 12), ("18:30", "23:10", 30)],
                  [("06:30", "08:00", 30), ("08:00", "18:00", 12), ("18:00", "23:10", 30)], [("09:10", "22:30", 30)]),
             ends=("Millgate Bus Station", "Roman Bank"), colour="117a65"),
    BusRoute("MT4", "4", "Millgate - Brunswick - Mill Brow", "MT",
             [BUS, (-420, 90), (-420, 430), (-950, 980), (-1780, 1750), (-1500, 2350)],
             days([("06:00", "18:45", 15), ("18:45", "22:50", 60)], [("07:00", "18:30", 15), ("18:30", "22:50", 60)],
                  [("09:20", "20:30", 60)]),
             ends=("Millgate Bus Station", "Mill Brow"), colour="7d3c98"),
    BusRoute("MT5", "5", "Millgate - Hollin Bank - Highercroft", "MT",
             [BUS, (-400, -560), (-760, -1120), (-150, -1060), (-150, -1500), (-260, -2080), (200, -2600), (830, -2250), (1000, -2550)],
             days([("05:50", "18:40", 15), ("18:40", "23:00", 30)], [("06:50", "18:30", 15), ("18:30", "23:00", 30)],
                  [("09:00", "21:30", 30)]),
             ends=("Millgate Bus Station", "Highercroft"), colour="b9770e"),
    BusRoute("MT6", "6", "Millgate - Northgate - Moorgate - Whitebrook", "MT",
             [BUS, (-420, 90), (-160, 500), (90, 430), (140, 1090), (130, 2170), (760, 2290), (1500, 1800), (1850, 2050)],
             days([("06:05", "18:55", 15), ("18:55", "23:00", 30)], [("07:05", "18:45", 15), ("18:45", "23:00", 30)],
                  [("09:15", "21:45", 30)]),
             ends=("Millgate Bus Station", "Whitebrook"), colour="cb4335"),
    BusRoute("MT9", "9", "Town Circular", "MT",
             [BUS, (-420, 90), (-1060, 215), (-950, 980), (-400, 1190), (140, 1090), (1150, 620), (1400, 150), (1150, -460), (640, -1150),
              (-150, -1060), (-760, -1120), (-400, -560), BUS],
             days([("06:40", "18:40", 20)], [("08:00", "18:00", 20)], []), loop=True,
             ends=("Town Circular", "Town Circular"), colour="566573"),
    BusRoute("ML7", "7", "Millgate - Infirmary - Withinshaw", "ML",
             [BUS, (60, -520), (440, -190), (1150, -460), (1750, -560), (2480, -790), (3500, -1500), (4600, -2400)],
             days([("06:20", "18:50", 30)], [("07:20", "18:20", 30)], []), timing=True, wheelchair=0,
             ends=("Millgate Bus Station", "Withinshaw"), colour="1e8449"),
    BusRoute("ML8", "8", "Millgate - Queensway - Hagg End", "ML",
             [BUS, (-420, 90), (-420, 430), (-950, 980), (-1780, 1750), (-3100, 2150), (-4700, 2450)],
             days([("06:45", "18:50", 60)], [("07:45", "18:00", 60)], []), timing=True, wheelchair=0,
             ends=("Millgate Bus Station", "Hagg End"), colour="6e2c00"),
    BusRoute("ML10", "10", "Spring Heights - Overdale - Mill Hill", "ML",
             [(2700, -6100), (2640, -5850), (2250, -5150), (1480, -4950), (1880, -6050), (1050, -5850), (900, -6500)],
             days([("06:30", "18:30", 30)], [("07:30", "18:00", 30)], [("10:00", "17:30", 60)]), timing=True, wheelchair=2,
             ends=("Spring Heights", "Mill Hill"), colour="d35400"),
    BusRoute("ML11", "11", "Millgate - Westholme - Port Lane End", "ML",
             [BUS, (-420, 90), (-1060, 215), (-2110, 215), (-3300, 330), (-3700, 400)],
             days([("05:55", "18:30", 30), ("18:30", "22:40", 60)], [("06:55", "18:00", 30), ("18:00", "22:40", 60)],
                  [("09:30", "19:00", 60)]), timing=True,
             ends=("Millgate Bus Station", "Port Lane End"), colour="148f77"),
    BusRoute("MLX5", "X5", "Overdale - Millgate - Junction 5 Business Park", "ML",
             [(1880, -6050), (1080, -3500), (640, -1150), (60, -520), BUS, (-420, 90), (-160, 500), (400, 230), (2150, 1250), (3700, 3000)],
             days([("05:45", "09:00", 30), ("15:30", "18:40", 30)], [], []), stride_m=900, timing=True,
             ends=("Overdale", "Junction 5 Business Park"), colour="34495e"),
    BusRoute("MLM1", "M1", "Villages Market Bus", "ML",
             [(4600, -2400), (3700, -2900), (1080, -3500), (1760, -5600), (1880, -6050), (2450, -7900)],
             {"market": [("09:20", "14:30", 150)]}, stride_m=600, shaped=False, wheelchair=0,
             ends=("Withinshaw", "Cloughfoot"), colour="935116"),
    BusRoute("MTH", "H", "Hospital Hopper", "MT",
             [BUS, (60, -520), (440, -190), (1150, -460), (1750, -560), (2100, -640)],
             {"hopper": [("07:30", "18:30", 12)]}, ends=("Millgate Bus Station", "Royal Infirmary"), colour="e91e63"),
]
# fmt: on

RAIL_SERVICE = {
    "weekday": [("05:42", "09:00", 30), ("09:00", "16:00", 60), ("16:00", "19:00", 30), ("19:00", "24:10", 60)],
    "saturday": [("06:12", "24:10", 60)],
    "sunday": [("09:12", "23:00", 60)],
}
FIRST_DATE, LAST_DATE = "2025-09-01", "2026-08-29"
BANK_HOLIDAYS = ["2025-12-25", "2025-12-26", "2026-01-01", "2026-04-03", "2026-04-06", "2026-05-04", "2026-05-25"]
NO_BUSES = ["2025-12-25"]
