"""From shards to a checkpoint, and what it is worth."""
