"""What the picture feels like: valence, arousal and tension, and what genre and mood they suggest."""
