"""Music without end: what is seen now becomes the next bars and accents."""
