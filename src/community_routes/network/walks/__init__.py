"""Walks between places: points and streets come in, links with their walking seconds go out."""
