"""Picture in, bars out: analysis, planning, the transformer and its decoding."""
