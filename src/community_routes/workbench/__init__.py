"""The workbench: proposals drawn on a map and answered at once, as an API and a page of this machine.

A study and texts of scenario files come in by HTTP; figures, faults, journeys, saved files and full reports go out. The server
keeps no proposal: every request carries its texts.
"""
