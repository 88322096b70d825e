"""Single questions about a study: a matrix of travel times, a journey, an isochrone, a map of what was read."""
