"""Open data for an authority: its name comes in, a folder of files with a study file goes out.

A program of its own: nothing else talks to the internet, and what it writes is read like anybody's files.
"""
