"""The same search on more than one machine: its blocks as tasks of dask."""
