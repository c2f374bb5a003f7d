"""Chords for a whole plan, before a note is composed."""
