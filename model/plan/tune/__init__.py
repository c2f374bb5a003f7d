"""The tune: motifs, and where they come back."""
