"""The world as files becomes checked tables: timetables, streets, study files, neighbourhoods, destinations.

Paths come in; frozen tables and arrays go out, with a notice for whatever is odd in them. Only here are inputs opened.
"""
