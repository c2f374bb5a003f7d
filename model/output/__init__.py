"""Outputs: a finished take as files. One file an output."""
