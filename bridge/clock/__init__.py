"""Time: the clock, the transport, the playhead and those who follow it. Pure."""
