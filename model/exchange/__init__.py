"""The score as other programs take it: REAPER projects, OpenTimelineIO, EDL marker lists, stems."""

SECTION_PREFIX = "Section "
"""Markers whose text begins so name a section; all others are hit points."""
