"""The way back: from music and clips to an edit that cuts where the music turns."""
