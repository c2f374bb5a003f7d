"""The film's own sound: which track, its samples at their moments, and where somebody speaks."""
