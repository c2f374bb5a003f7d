"""What the bridge's own processes say to each other, and how."""
