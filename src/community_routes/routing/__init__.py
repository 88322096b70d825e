"""Arrays -> travel times and journeys."""
