"""Neighbourhoods and destinations: geo files and tables come in, checked zones and opportunities go out."""
