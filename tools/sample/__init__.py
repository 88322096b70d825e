"""Makes the sample borough: an invented valley with two mill towns, its streets, buses, people and places."""
