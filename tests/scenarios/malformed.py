"""Faulty scenario files, each with the whole message that a planner gets."""

from __future__ import annotations

CASES: list[tuple[str, str, str]] = [
    (
        "a misspelt key at the top",
        "scenario: plan\nchangs: []\n",
        "plan.yaml line 2, column 1 (changs): unknown key 'changs'; did you mean 'changes'?",
    ),
    (
        "the id is not the file's name",
        "scenario: plan-b\nchanges: []\n",
        "plan.yaml line 1, column 11 (scenario): the id 'plan-b' is not the file's name 'plan'; make them equal",
    ),
    (
        "the reserved id",
        "scenario: today\nchanges: []\n",
        "plan.yaml line 1, column 11 (scenario): 'today' is the name of the baseline; choose another id",
    ),
    (
        "no changes at all",
        "scenario: plan\n",
        "plan.yaml line 1, column 1 (changes): the key 'changes' is missing",
    ),
    (
        "a tab for indentation",
        "scenario: plan\nchanges:\n\t- withdraw_route: {route: 7}\n",
        "plan.yaml line 3, column 1: a tab cannot indent in YAML; use spaces",
    ),
    (
        "an empty list that goes on",
        "scenario: plan\nchanges: []   # none yet\n\n  # Take the [] away\n  - withdraw_route: {route: 7}\n",
        "plan.yaml line 5, column 3: `changes: []` says that the list is empty, but a list follows; write `changes:` "
        "without the []",
    ),
    (
        "a tag",
        "scenario: plan\nchanges:\n  - withdraw_route: !!python/object:os.system {route: 7}\n",
        "plan.yaml line 3, column 21: tags (`!...`) cannot be used here; write the value alone",
    ),
    (
        "the same key twice",
        "scenario: plan\n"
        "changes:\n"
        "  - set_headway: {route: 7, weekday: {07:00-09:00: 10}, weekday: {09:00-12:00: 20}}\n",
        "plan.yaml line 3, column 57 (changes.set_headway.weekday): the key 'weekday' is given twice "
        "(first in line 3); keep one of them",
    ),
    (
        "a misspelt change",
        "scenario: plan\nchanges:\n  - set_headways: {route: 7, weekday: {07:00-09:00: 10}}\n",
        "plan.yaml line 3, column 5 (changes[1]): there is no change called 'set_headways'; did you mean "
        "'set_headway'?",
    ),
    (
        "two changes under one dash",
        "scenario: plan\nchanges:\n  - withdraw_route: {route: 7}\n    close_path: {osm_way: 1}\n",
        "plan.yaml line 3, column 5 (changes[1]): withdraw_route and close_path stand in one change; "
        "each begins with its own dash and has one key, as in `- withdraw_route: {route: 7}`",
    ),
    (
        "a change without fields",
        "scenario: plan\nchanges:\n  - withdraw_route\n",
        "plan.yaml line 3, column 5 (changes[1]): `withdraw_route` needs its fields after a colon; each "
        "begins with its own dash and has one key, as in `- withdraw_route: {route: 7}`",
    ),
    (
        "a misspelt field",
        "scenario: plan\nchanges:\n  - withdraw_route: {rout: 7}\n",
        "plan.yaml line 3, column 22 (changes[1].withdraw_route.rout): unknown key 'rout'; did you mean 'route'?",
    ),
    (
        "a misspelt day",
        "scenario: plan\nchanges:\n  - set_headway: {route: 7, sundays: {09:00-18:00: 30}}\n",
        "plan.yaml line 3, column 29 (changes[1].set_headway.sundays): unknown key 'sundays'; did you mean 'sunday'?",
    ),
    (
        "a day that is no kind of day",
        "scenario: plan\nchanges:\n  - withdraw_route: {route: 7, days: [bankholiday]}\n",
        "plan.yaml line 3, column 39 (changes[1].withdraw_route.days[1]): 'bankholiday' is no kind of "
        "day; days are weekday, saturday, sunday, monday, tuesday, wednesday, thursday, friday",
    ),
    (
        "headway 0",
        "scenario: plan\nchanges:\n  - set_headway: {route: 7, weekday: {07:00-09:00: 0}}\n",
        "plan.yaml line 3, column 52 (changes[1].set_headway.weekday.07:00-09:00): 0 is outside 1 to "
        "240; write the minutes between buses, 1 to 240",
    ),
    (
        "a headway of hours",
        "scenario: plan\nchanges:\n  - set_headway: {route: 7, weekday: {07:00-09:00: 600}}\n",
        "plan.yaml line 3, column 52 (changes[1].set_headway.weekday.07:00-09:00): 600 is outside 1 to "
        "240; write the minutes between buses, 1 to 240",
    ),
    (
        "a headway in words",
        "scenario: plan\nchanges:\n  - set_headway: {route: 7, weekday: {07:00-09:00: quarter-hourly}}\n",
        "plan.yaml line 3, column 52 (changes[1].set_headway.weekday.07:00-09:00): 'quarter-hourly' is "
        "no number; write the minutes between buses, 1 to 240",
    ),
    (
        "a period that starts when it ends",
        "scenario: plan\nchanges:\n  - set_headway: {route: 7, weekday: {09:00-09:00: 10}}\n",
        "plan.yaml line 3, column 52 (changes[1].set_headway.weekday.09:00-09:00): the window "
        "'09:00-09:00' starts and ends at the same time, so it holds no departure",
    ),
    (
        "periods that overlap",
        "scenario: plan\nchanges:\n  - set_headway: {route: 7, weekday: {07:00-09:00: 10, 08:30-10:00: 20}}\n",
        "plan.yaml line 3, column 38 (changes[1].set_headway.weekday): the periods 07:00-09:00 and "
        "08:30-10:00 overlap; each bus would run twice",
    ),
    (
        "a time that is none",
        "scenario: plan\nchanges:\n  - withdraw_route: {route: 7, from: 25:75}\n",
        "plan.yaml line 3, column 38 (changes[1].withdraw_route.from): '25:75' is no time of day; write "
        "HH:MM or HH:MM:SS, as in 07:30",
    ),
    (
        "reversed times",
        'scenario: plan\nchanges:\n  - withdraw_route: {route: 7, from: "22:00", to: "06:00"}\n',
        "plan.yaml line 3, column 21 (changes[1].withdraw_route): from 22:00 to 06:00 holds no "
        "departure; for 06:00 of the next morning write 30:00",
    ),
    (
        "a route that is not there",
        "scenario: plan\nchanges:\n  - withdraw_route: {route: 77}\n",
        "plan.yaml line 3, column 29 (changes[1].withdraw_route.route): there is no route '77' in the "
        "timetable; did you mean '7'?",
    ),
    (
        "a route that two agencies run",
        "scenario: plan\nchanges:\n  - withdraw_route: {route: 5}\n",
        "plan.yaml line 3, column 29 (changes[1].withdraw_route.route): 2 routes are called '5'; "
        "write the id of one as the route, as in `route: r5a`, or add `agency`: r5a (5, North Buses, Alder Street - "
        "High Street, 1 trip); r5b "
        "(5, South Buses, Alder Street - High Street, 1 trip)",
    ),
    (
        "a misspelt stop",
        "scenario: plan\n"
        "changes:\n"
        "  - extend_route: {route: 7, after: Cedar Way, stops: [Birch Raod], run_times_min: [4]}\n",
        "plan.yaml line 3, column 56 (changes[1].extend_route.stops[1]): no stop or destination is "
        "called 'Birch Raod'; did you mean 'Birch Road'?",
    ),
    (
        "a stop that could be two",
        "scenario: plan\n"
        "changes:\n"
        "  - extend_route: {route: 7, after: Cedar Way, stops: [High Street], run_times_min: [4]}\n",
        "plan.yaml line 3, column 56 (changes[1].extend_route.stops[1]): 'High Street' could be 2 "
        "places; write the id of one of them (distances from the neighbouring stop of the route): F1 "
        "(High Street, 4.0 km), F2 (High Street, 7.0 km)",
    ),
    (
        "a stop in the sea",
        "scenario: plan\n"
        "changes:\n"
        "  - add_route:\n"
        "      name: X\n"
        "      stops: [Alder Street, {at: [-0.2, 0.1], name: Pier}]\n"
        "      speed_kmh: 18\n"
        '      departures: ["07:00"]\n',
        "plan.yaml line 5, column 29 (changes[1].add_route.stops[2]): nobody can walk to a stop at "
        "[-0.2, 0.1]: no street within 300 m, or outside the map; move it to a street",
    ),
    (
        "latitude first",
        "scenario: plan\n"
        "changes:\n"
        "  - add_route: {name: X, stops: [Alder Street, {at: [0.0, 95.0]}], speed_kmh: 18, departures: "
        '["07:00"]}\n',
        "plan.yaml line 3, column 53 (changes[1].add_route.stops[2].at): [0, 95] is no place on earth; "
        "write [longitude, latitude]",
    ),
    (
        "a route through a wall",
        "scenario: plan\n"
        "changes:\n"
        '  - add_route: {name: X, stops: [West Wall, East Wall], speed_kmh: 18, departures: ["07:00"]}\n',
        "plan.yaml line 3, column 33 (changes[1].add_route.stops): no road from West Wall to East Wall "
        "under three times the straight line of 60 m: the shortest is 2,060 m; move the stop, name one "
        "on the way, or take another street",
    ),
    (
        "one stop only",
        "scenario: plan\n"
        "changes:\n"
        '  - add_route: {name: X, stops: [Alder Street], speed_kmh: 18, departures: ["07:00"]}\n',
        "plan.yaml line 3, column 16 (changes[1].add_route): a route needs at least two stops; 1 given",
    ),
    (
        "run times that do not fit the stops",
        "scenario: plan\n"
        "changes:\n"
        '  - add_route: {name: X, stops: [A, B, C], run_times_min: [4], departures: ["07:00"]}\n',
        "plan.yaml line 3, column 16 (changes[1].add_route): 3 stops need 2 run_times_min, one from each "
        "stop to the next; 1 given",
    ),
    (
        "neither run times nor speed",
        'scenario: plan\nchanges:\n  - add_route: {name: X, stops: [A, B], departures: ["07:00"]}\n',
        "plan.yaml line 3, column 16 (changes[1].add_route): say how fast it is: run_times_min (minutes "
        "from stop to stop) or speed_kmh, such as 18",
    ),
    (
        "a name that is taken",
        'scenario: plan\nchanges:\n  - add_route: {name: 7, stops: [A, B], speed_kmh: 18, departures: ["07:00"]}\n',
        "plan.yaml line 3, column 23 (changes[1].add_route.name): there is a route '7' already; choose "
        "another name, or change that one with set_headway or extend_route",
    ),
    (
        "an extension where the route does not end",
        "scenario: plan\nchanges:\n  - extend_route: {route: 7, after: Birch Road, stops: [D], run_times_min: [4]}\n",
        "plan.yaml line 3, column 37 (changes[1].extend_route.after): no such trip of route 7 ends or "
        "starts at Birch Road; its termini are Alder Street, Cedar Way",
    ),
    (
        "nothing to withdraw",
        "scenario: plan\nchanges:\n  - withdraw_route: {route: 7, days: [sunday]}\n",
        "plan.yaml line 3, column 5 (changes[1].withdraw_route): route 7 has no departure on a Sunday, "
        "so there is nothing to withdraw",
    ),
    (
        "the headway it has already",
        "scenario: plan\nchanges:\n  - set_headway: {route: 7, weekday: {08:00-10:00: 60}}\n",
        "plan.yaml line 3, column 5 (changes[1].set_headway): route 7 runs exactly so already",
    ),
    (
        "a base that is not there",
        "scenario: plan\nbase: eveningg\nchanges: []\n",
        "plan.yaml line 2, column 7 (base): there is no file 'eveningg.yaml' in this folder; did you "
        "mean 'evening.yaml'?",
    ),
    (
        "bases in a circle",
        "scenario: plan\nbase: circle\nchanges: []\n",
        "circle.yaml line 2, column 7 (base): the files build on one another in a circle: plan -> circle "
        "-> plan; take one of the base lines out",
    ),
    (
        "a base in another folder",
        "scenario: plan\nbase: ../secrets\nchanges: []\n",
        "plan.yaml line 2, column 7 (base): '../secrets' is no scenario's name; write the name of a file "
        "of this folder without .yaml",
    ),
    (
        "a line file that is not there",
        "scenario: plan\n"
        "changes:\n"
        '  - add_route: {name: X, line: {file: x.geojson}, speed_kmh: 18, departures: ["07:00"]}\n',
        "plan.yaml line 3, column 39 (changes[1].add_route.line.file): the line 'x.geojson' cannot be "
        "read: there is no such file beside the scenario",
    ),
    (
        "a misspelt fare",
        "scenario: plan\nchanges:\n  - change_fare: {singl: 2.00}\n",
        "plan.yaml line 3, column 26 (changes[1].change_fare.singl): unknown fare 'singl'; did you mean 'single'?",
    ),
    (
        "a way that is not on the map",
        "scenario: plan\nchanges:\n  - close_path: {osm_way: 99}\n",
        "plan.yaml line 3, column 27 (changes[1].close_path.osm_way): there is no way 99 in drawn; look "
        "its number up on the map",
    ),
]
