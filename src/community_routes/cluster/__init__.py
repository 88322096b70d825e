"""Past one machine: the blocks of a search as tasks of dask.distributed, over a folder that all machines see."""
