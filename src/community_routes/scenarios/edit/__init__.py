"""The tools of all changes: a feed under edit, its days, routes and stops, and what a proposal is applied to."""
