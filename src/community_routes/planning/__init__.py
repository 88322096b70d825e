"""What to do with a network: which services would be missed most, and which changes would give most.

A study comes in; every service is taken away by itself, and what is lost is told with what it saves. Tables, a page and maps
go out, whose figures are those of ``run`` with the same proposal.
"""
