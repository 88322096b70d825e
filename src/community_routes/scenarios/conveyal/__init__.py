"""Proposals written for Conveyal Analysis: its JSON comes in, changes of ours go out."""
