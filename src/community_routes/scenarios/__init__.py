"""Proposals: what they change, what they cost, and how the result compares."""
