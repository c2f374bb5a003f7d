"""Somebody else's package: a composer and an output, each one file."""
