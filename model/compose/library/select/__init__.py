"""What a section of the film wants of the music in a library: one file a way of choosing."""
