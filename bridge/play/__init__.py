"""Bars in, MIDI events out, each at its moment."""
