"""The commands, a module for each group of them; ``cli.py`` names them and puts them in order."""
