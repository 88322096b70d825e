"""The study file: YAML comes in, a checked specification goes out, with the line of every fault."""
