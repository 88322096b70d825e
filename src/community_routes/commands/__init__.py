"""The commands, a module for each group of them, and how they speak on a terminal."""
