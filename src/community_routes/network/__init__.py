"""Checked tables become arrays that can be searched: streets, walks between points, the timetable of a date.

A feed, a street map and points come in; a network for one service date goes out. What is costly to make is kept here.
"""
