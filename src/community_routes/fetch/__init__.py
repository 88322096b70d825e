"""A study file from the name of an authority, whose open data is downloaded, or from files of one's own.

A program of its own: nothing else talks to the internet, and what it writes is read like anybody's files. Files of one's own are
looked into with the readers that a study uses.
"""
