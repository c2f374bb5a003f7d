"""Many films: the list of them, what has been done already, and the workers that do the rest."""
