"""The words of the music: score, tokens, harmony, and how they read as music."""
