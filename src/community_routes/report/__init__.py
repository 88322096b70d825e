"""Results -> files for people: tables, maps, the page."""
