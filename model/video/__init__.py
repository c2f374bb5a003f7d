"""From frames to the picture's rhythm."""
