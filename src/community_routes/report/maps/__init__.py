"""Maps: places with figures come in, pictures and layers for the page go out."""
