"""What every room stands on and what knows no room: errors, notices, times, distances, arrays, kernels, files, versions."""
