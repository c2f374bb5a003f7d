"""Association: which music goes with which look, learnt from music alone or from finished films."""
