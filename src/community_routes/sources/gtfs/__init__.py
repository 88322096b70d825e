"""Timetables: a GTFS file comes in, a checked feed of flat arrays goes out, and goes back into a file again."""
