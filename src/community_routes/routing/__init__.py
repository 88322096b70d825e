"""Arrays become travel times and journeys.

A network, a question and the walks at both ends come in; exact times for every departure, or a journey leg by leg, go
out.
"""
