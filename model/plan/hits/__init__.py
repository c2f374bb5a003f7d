"""Which moments of the picture are hit, and how strongly."""
