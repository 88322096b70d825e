"""Evaluations of other years, dates and populations side by side."""
