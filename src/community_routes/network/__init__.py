"""Checked tables -> arrays: streets, walks between points, the timetable of a service date."""
