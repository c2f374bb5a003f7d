"""How quick the music is: a pace, a fit of bars to hits, the bends between."""
