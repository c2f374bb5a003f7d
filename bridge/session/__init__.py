"""What a client may ask for, whatever carries it."""
