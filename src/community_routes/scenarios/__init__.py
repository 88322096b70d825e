"""Proposals: what may be written in one, and what it does.

A scenario file and today's timetable, streets and places come in; those after the changes go out, with the effect of each
change in words and the cost of running it. ``list.py`` names every change; each is a class in ``changes/``, made of the pieces
in ``edit/``.
"""
