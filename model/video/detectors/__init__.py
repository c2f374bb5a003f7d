"""What is measured in the frames: motion, shots, visual beats."""
