"""The best set of changes within a budget: what could be changed, what a set takes and gives, and what was found.

A study, a budget and an aim come in; candidates are made, sets of them valued and searched; proposals, tables and a page go
out.
"""
