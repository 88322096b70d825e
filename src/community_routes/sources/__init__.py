"""The world -> checked tables: timetables, streets, neighbourhoods, destinations, study files."""
