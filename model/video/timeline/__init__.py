"""Readers for an editor's timeline: EDL, OpenTimelineIO, FCPXML, MLT (Kdenlive, Shotcut)."""
