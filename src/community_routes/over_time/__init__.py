"""Runs of other years, dates and populations side by side: folders of results come in, what changed goes out."""
