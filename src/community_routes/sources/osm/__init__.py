"""Streets: OpenStreetMap data comes in, a street map of walkable ways, roads and background goes out."""
