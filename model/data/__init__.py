"""From folders of MIDI files to shards of token rows."""
