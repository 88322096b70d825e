"""Each kind of change: found in the feed, carried out, and its effect told."""
