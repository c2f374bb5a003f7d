"""Somebody else's package: a composer, an output and a leaning, each one file."""
