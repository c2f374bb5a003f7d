"""The score as other programs take it: REAPER projects, OpenTimelineIO, EDL marker lists, stems."""
