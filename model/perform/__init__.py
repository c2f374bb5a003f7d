"""Notes -> performance: what is done to notes after they are composed, never to their ticks, pitches or number."""
