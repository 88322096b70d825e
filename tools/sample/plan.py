"""The drawn part of the invented borough: where its towns, roads, waters, railway and works lie (metres from the market)."""

from __future__ import annotations

from dataclasses import dataclass

SEED = 20260310
ORIGIN = (-3.75, 53.80)
"""Longitude and latitude of the market place: open sea, so that nobody takes the borough for a real one."""

BOROUGH = "Millgate"
NOTE = "Invented: the borough of Millgate does not exist. Made by tools/make_sample.py of community_routes."

Line = list[tuple[float, float]]


@dataclass(frozen=True)
class Road:
    """A drawn road: class (OSM's ``highway``), name, number and course."""

    highway: str
    name: str
    course: Line
    ref: str = ""
    maxspeed: str = ""


# fmt: off
OUTLINE: Line = [
    (-5200, 4300), (-2500, 4900), (800, 4750), (3600, 4700), (5700, 3900), (6400, 1500), (5700, -1500), (6100, -4200),
    (5200, -6800), (3700, -8700), (1300, -9100), (-1500, -7900), (-2700, -5600), (-3900, -3300), (-5600, -1500),
    (-6200, 1200),
]

RIVER: Line = [
    (2600, -9600), (2080, -7600), (1500, -6300), (1150, -5000), (720, -3600), (480, -2200), (360, -1100), (290, -250),
    (-250, 560), (-1300, 1050), (-2700, 1300), (-4300, 1750), (-7000, 1900),
]
BROOK: Line = [(6600, -2700), (5200, -2750), (3900, -2050), (2500, -1350), (1200, -760), (350, -650)]
CANAL: Line = [
    (-7000, 150), (-4300, -330), (-2700, -120), (-1500, -420), (-500, -640), (260, -560), (1000, -130), (2200, 520),
    (3800, 930), (6900, 1500),
]
RAILWAY: Line = [
    (2350, -9700), (1830, -7700), (1230, -6300), (880, -5000), (430, -3600), (230, -2300), (120, -1200), (-160, -390),
    (-950, 60), (-2250, 560), (-3700, 1000), (-5000, 1200), (-7000, 1300),
]
MOTORWAY: Line = [(-7000, 3900), (-4500, 3750), (-2000, 3850), (900, 3600), (3000, 3350), (4700, 3700), (7000, 4300)]

MARKET = (0.0, 0.0)
OVERDALE = (1880.0, -6050.0)
JUNCTION = (3820.0, 3130.0)
BUS_STATION = (-280.0, -250.0)

ROADS: list[Road] = [
    Road("primary", "Overdale Road", [(130, -120), (430, -520), (640, -1150), (830, -2250), (1080, -3500)], "A5901", "30 mph"),
    Road("primary", "Millgate Road", [(1080, -3500), (1480, -4800), (1760, -5600), (1880, -6050)], "A5901", "40 mph"),
    Road("primary", "Cloughfoot Road", [(1880, -6050), (2120, -6900), (2450, -7900), (3000, -9700)], "A5901", "40 mph"),
    Road("primary", "Westgate", [(-60, 10), (-420, 90), (-1060, 215), (-2110, 215)], "A5902", "30 mph"),
    Road("primary", "Port Road", [(-2110, 215), (-3300, 330), (-4700, 640), (-7000, 500)], "A5902", "40 mph"),
    Road("primary", "Northgate", [(0, 70), (90, 430), (140, 1090), (130, 2170)], "A5903", "30 mph"),
    Road("primary", "Moorgate Road", [(130, 2170), (-60, 3200), (-120, 5600)], "A5903", "40 mph"),
    Road("primary", "Stonerake Road", [(70, 50), (400, 230), (1150, 620), (2150, 1250)], "A5904", "30 mph"),
    Road("trunk", "Junction Road", [(2150, 1250), (3100, 1900), (3800, 2700), (4250, 3350)], "A5904", "50 mph"),
    Road("secondary", "Highside Road", [(4250, 3350), (4950, 3050), (7000, 3000)], "B6410", "40 mph"),
    Road("secondary", "Withy Lane", [(150, -60), (440, -190), (1150, -460), (2760, -860)], "B6411", "30 mph"),
    Road("secondary", "Withinshaw Road", [(2760, -860), (3500, -1500), (4600, -2400), (7000, -3500)], "B6411", "40 mph"),
    Road("primary", "Bolder Lane", [(-90, -130), (-400, -560), (-760, -1120), (-1460, -2250)], "A5905", "30 mph"),
    Road("primary", "Bolderstone Road", [(-1460, -2250), (-2000, -3150), (-2700, -4300), (-4000, -6300)], "A5905", "50 mph"),
    Road("secondary", "Hagg Lane", [(-100, 80), (-420, 430), (-950, 980), (-1780, 1750)], "B6412", "30 mph"),
    Road("secondary", "Hagg Road", [(-1780, 1750), (-3100, 2150), (-4700, 2450), (-7000, 3000)], "B6412", "40 mph"),
    Road("tertiary", "Market Place", [(-60, 10), (-100, 80), (0, 70), (70, 50), (150, -60), (130, -120), (20, -150), (-90, -130), (-60, 10)], "", "20 mph"),
    # ring round the centre
    Road("secondary", "Weavers Way", [(-420, 90), (-420, 430), (-160, 500), (90, 430)], "B6400", "30 mph"),
    Road("secondary", "Corporation Way", [(90, 430), (320, 420), (400, 230), (440, -190)], "B6400", "30 mph"),
    Road("secondary", "Station Road", [(440, -190), (430, -520), (60, -520), (-280, -430), (-420, -150), (-420, 90)], "B6400", "30 mph"),
    # middle ring, terraced streets on both sides
    Road("tertiary", "Brunswick Road", [(-1060, 215), (-1180, 620), (-950, 980), (-400, 1190), (140, 1090)], "", "30 mph"),
    Road("tertiary", "Audley Range", [(140, 1090), (640, 980), (1150, 620), (1400, 150), (1150, -460)], "", "30 mph"),
    Road("tertiary", "Infirmary Road", [(1150, -460), (970, -880), (640, -1150)], "", "30 mph"),
    Road("tertiary", "Hollin Bank", [(640, -1150), (-150, -1060), (-760, -1120), (-1330, -640), (-1060, 215)], "", "30 mph"),
    # outer ring, estates on both sides
    Road("secondary", "Queensway", [(-2110, 215), (-2080, 820), (-1780, 1750), (-1010, 2060), (-420, 1950), (130, 2170)], "B6401", "40 mph"),
    Road("secondary", "Parkway North", [(130, 2170), (760, 2290), (1500, 1800), (2150, 1250), (2420, 420), (2760, -860)], "B6401", "40 mph"),
    Road("secondary", "Parkway South", [(2760, -860), (2150, -1350), (1620, -2080), (830, -2250), (300, -2010), (-260, -2080)], "B6401", "40 mph"),
    Road("secondary", "Kingsway", [(-260, -2080), (-850, -2350), (-1460, -2250), (-1760, -1500), (-2280, -900), (-2110, 215)], "B6401", "40 mph"),
    # west side of the valley, cross roads and the second town
    Road("tertiary", "Heights Road", [(-1460, -2250), (-700, -3150), (-250, -4300), (330, -5500), (900, -6500)], "", "40 mph"),
    Road("tertiary", "Cloughside", [(900, -6500), (1350, -7300), (1750, -8000), (2450, -7900)], "", "40 mph"),
    Road("tertiary", "Nab Lane", [(-700, -3150), (200, -3350), (1080, -3500), (2500, -3350), (3700, -2900), (4600, -2400)], "", "40 mph"),
    Road("secondary", "Bridge Street", [(330, -5500), (1050, -5850), (1880, -6050)], "B6415", "30 mph"),
    Road("tertiary", "Moor Top Road", [(1880, -6050), (2900, -5650), (4300, -4700), (4600, -2400)], "", "50 mph"),
    Road("tertiary", "Victoria Road", [(1480, -4950), (2250, -5150), (2640, -5850), (2500, -6500), (2120, -6900)], "", "30 mph"),
    Road("tertiary", "Mill Hill Road", [(1050, -5850), (900, -6500), (1500, -6850), (2120, -6900)], "", "30 mph"),
    Road("service", "Bus Station Way", [(-380, -260), (-320, -238), (-280, -250)]),
    Road("service", "Bus Station Approach", [(-280, -250), (-240, -262), (-190, -290)]),
    # lanes of the hills
    Road("unclassified", "Carr Lane", [(-4700, 2450), (-4400, 1500), (-4700, 640)], "", "60 mph"),
    Road("unclassified", "Dean Lane", [(-3300, 330), (-3700, -900), (-2800, -2300), (-2000, -3150)], "", "60 mph"),
    Road("unclassified", "Top o' th' Lane", [(-2700, -4300), (-1500, -4500), (-250, -4300)], "", "60 mph"),
    Road("unclassified", "Pasture Lane", [(4600, -2400), (4700, -800), (4500, 600), (4950, 3050)], "", "60 mph"),
    Road("unclassified", "Long Causeway", [(4300, -4700), (4800, -6000), (4300, -7400), (2450, -7900)], "", "60 mph"),
    Road("unclassified", "Shire Lane", [(-60, 3200), (-1800, 3150), (-3100, 2150)], "", "60 mph"),
    Road("unclassified", "Whinney Lane", [(-60, 3200), (1500, 2950), (3100, 1900)], "", "60 mph"),
    Road("unclassified", "Sheep Wash Lane", [(900, -6500), (-400, -6900), (-1700, -6300), (-2700, -4300)], "", "60 mph"),
    Road("track", "Beacon Track", [(2900, -5650), (3600, -6600), (4300, -7400)]),
    Road("track", "Quarry Track", [(-2800, -2300), (-3900, -2700), (-2700, -4300)]),
]

# Built-up areas: centre, radius and how much the edge wanders (a share of the radius).
BUILT: list[tuple[float, float, float, float]] = [
    (50, -150, 2180, 0.15), (1750, 1700, 980, 0.16), (2550, 50, 900, 0.16), (-1750, -1850, 1050, 0.15), (-2250, 330, 820, 0.2),
    (450, -2250, 780, 0.2), (-1500, 1800, 860, 0.16), (200, 2250, 640, 0.2), (2350, -1150, 740, 0.2), (1800, -5950, 1180, 0.14), (1000, -3550, 560, 0.18), (-4700, 2350, 520, 0.18),
    (4600, -2400, 500, 0.2), (2380, -7900, 430, 0.2), (3820, 3130, 520, 0.1), (1330, -4600, 420, 0.2),
    (-3500, 420, 420, 0.25),
]

# A cell that holds one of these points gets its use from here instead of from its distance to the centres.
WORKS: list[tuple[str, tuple[float, float], int]] = [
    ("Whitefold Industrial Estate", (-1950, 760), 2600),
    ("Canal Side Works", (1650, 90), 1500),
    ("Greenbank Mills", (-800, -760), 1100),
    ("Hollin Bridge Trading Estate", (330, -1750), 1750),
    ("Nab Valley Business Centre", (720, -3250), 900),
    ("Overdale Paper Mill", (1180, -6100), 1250),
    ("Lowfield Works", (1440, -4500), 700),
    ("Junction 5 Business Park", (3700, 3050), 3900),
    ("Sough Bank Depots", (-2650, 600), 1200),
]
RETAIL = ("Tentercroft Retail Park", (1950, 700), 1350)
HOSPITAL = ("Millgate Royal Infirmary", (2080, -420), 4200)
COLLEGE = ("Millgate College", (-760, 420), 780)
PARKS: list[tuple[str, tuple[float, float]]] = [
    ("Corporation Park", (-700, 1500)), ("Witton Holme", (-1800, 1150)), ("Queen's Park", (900, -60)),
    ("Bold Venture Park", (2330, -6250)), ("Whinney Heights", (1250, 1650)), ("Hollin Wood", (-1100, -1700)),
    ("Parkway Fields", (1500, -1500)), ("Sunnyhurst Dingle", (700, -6050)),
]
ESTATES: list[tuple[str, tuple[float, float]]] = [
    ("Shadbrook", (2900, -150)), ("Shadbrook", (2700, 600)), ("Roman Bank", (-1900, -1900)), ("Roman Bank", (-2300, -1500)),
    ("Roman Bank", (-1000, -2500)), ("Mill Brow", (-2250, 1700)), ("Mill Brow", (-1450, 2250)), ("Highercroft", (250, -2600)),
    ("Highercroft", (1350, -2300)), ("Spring Heights", (2600, -6500)), ("Spring Heights", (2800, -6050)),
    ("Whitebrook", (1900, 2050)), ("Shadbrook", (2250, -1500)),
]

PLACES: list[tuple[str, str, tuple[float, float]]] = [
    ("town", "Millgate", (0, 60)), ("town", "Overdale", (1880, -6050)), ("village", "Hagg End", (-4700, 2420)),
    ("village", "Withinshaw", (4600, -2400)), ("village", "Cloughfoot", (2400, -7850)), ("village", "Nab", (1000, -3550)),
    ("village", "Port Lane End", (-3500, 400)), ("suburb", "Shadbrook", (2850, 150)), ("suburb", "Roman Bank", (-1900, -1750)),
    ("suburb", "Mill Brow", (-1850, 1950)), ("suburb", "Highercroft", (700, -2560)), ("suburb", "Whitebrook", (1800, 1900)),
    ("suburb", "Brunswick", (-650, 1050)), ("suburb", "Audley", (900, 800)), ("suburb", "Hollin Bank", (-150, -1400)),
    ("suburb", "Withy Brook", (1750, -900)), ("suburb", "Westholme", (-1750, -250)), ("suburb", "Lowfield", (1350, -4600)),
    ("suburb", "Spring Heights", (2650, -6350)), ("suburb", "Mill Hill", (950, -6550)), ("suburb", "Moorgate", (150, 2700)),
    ("suburb", "Bolder", (-800, -1900)), ("hamlet", "Dean", (-3250, -1500)), ("hamlet", "Top Lane", (-1500, -4500)),
    ("hamlet", "Shire", (-1800, 3100)),
]

MOORS: list[tuple[str, Line]] = [
    ("Beacon Moor", [(3000, -5000), (3900, -4400), (4100, -3300), (5600, -3500), (5700, -5300), (4700, -5900), (3900, -5600)]),
    ("Bolder Moor", [(-4800, -1700), (-3900, -1900), (-3000, -2900), (-2700, -4000), (-3000, -4700), (-3700, -3400)]),
    ("Withnell Moss", [(-2300, -4900), (-700, -4900), (-300, -5900), (-700, -6600), (-1800, -6000), (-2500, -5400)]),
    ("Shire Moor", [(-2600, 4700), (-400, 4500), (-400, 4050), (-2200, 4150), (-3900, 4000), (-4700, 4200)]),
]
WOODS: list[tuple[str, Line]] = [
    ("Dean Clough", [(-3600, -700), (-3350, -600), (-3000, -1300), (-2900, -1900), (-3100, -1900), (-3350, -1300)]),
    ("Nab Wood", [(1700, -2800), (2300, -2750), (2600, -3100), (1900, -3200), (1600, -3100)]),
    ("Sunnyhurst Woods", [(-100, -5900), (300, -6000), (550, -6600), (250, -6650), (-50, -6300)]),
    ("Whinney Wood", [(2100, 2600), (2600, 2500), (2750, 2750), (2250, 2950)]),
    ("Cuckoo Hey Wood", [(3400, -300), (3950, -200), (3900, 250), (3500, 200)]),
]
WATERS: list[tuple[str, Line]] = [
    ("Dean Reservoir", [(-3350, -2000), (-3000, -2050), (-2950, -2350), (-3100, -2600), (-3400, -2450)]),
    ("Long Causeway Reservoir", [(5000, -5900), (5250, -6050), (5200, -6700), (4900, -6900), (4850, -6400)]),
    ("Guide Lodge", [(3300, -900), (3600, -850), (3650, -1080), (3350, -1120)]),
]
STATIONS: list[tuple[str, str, tuple[float, float]]] = [
    ("CLF", "Cloughfoot", (1830, -7700)), ("OVD", "Overdale", (1230, -6300)), ("MLG", "Millgate", (-160, -390)),
    ("HGE", "Hagg End", (-4850, 1190)),
]
# fmt: on

NAME_WORDS = """
Albert Alma Amber Anchor Ashworth Balaclava Bamber Bank Beech Birch Birley Bobbin Bolton Bright Brook Cardwell
Cavendish Cedar Chapel Charlotte Cherry Clarence Clayton Clegg Clover Cobden Colne Copper Cotton Craven Crompton Cross
Cumberland Daisy Dale Derby Devon Dove Duckworth Eanam Earl Eden Edmund Elder Ellen Emily Exchange Fairfax Fern Field
Finch Florence Forge Foundry Garden George Gladstone Gorse Grafton Granby Grange Granville Green Grimshaw Hawthorn
Hazel Heather Henry Herbert Heron Hey Hope Hornby Ice Inkerman Iris Isherwood Ivy James Jasmine Jubilee Keats Kendal
Kent Kirk Lambeth Lancaster Larch Laurel Lime Linden Livesey London Loom Lord Lune Lupin Maple Margaret Mary Maudsley
Mayfair Meadow Mercer Milton Montague Mosley Nelson New Newton Oak Old Oldham Orchard Oxford Park Peel Percy Pilgrim
Pine Plane Plover Poplar Primrose Princess Quarry Queen Randal Raven Redcap Regent Ribble Richmond Robin Rose Rowan
Russell Rydal Salisbury Saville Shaw Shuttle Skipton Spindle Spinner Spring Stanley Starling Sudell Swallow Talbot
Tennyson Thistle Thorn Tontine Troy Twist Union Vale Vernon Victor Villa Vine Violet Wagtail Walmsley Walnut Warp
Water Waterloo Weft Wellington Wensley Whalley Wharfe Whinfell Whitby William Willow Windsor Wordsworth Wren Yew York
"""
