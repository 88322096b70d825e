"""What every room stands on: errors, notices, clock times, distances, arrays, kernels, files, versions.

Nothing comes in from other rooms, and whatever any two of them share is here.
"""
