"""How near music is to the picture and to human music: one table, in one run."""
